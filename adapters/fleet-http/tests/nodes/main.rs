//! Brokers of one process that are nodes of a fleet, and ask each other over real connections of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod calls;
mod certificates;
mod frames;
mod homes;
mod hostile;
mod proxy;
mod requests;
mod world;
