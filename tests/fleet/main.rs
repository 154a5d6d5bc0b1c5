//! Several brokers that are one fleet: what is stopped at one is stopped at all, and a node that is cut off stops by
//! itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod acts;
mod calls;
mod contract;
mod draining;
mod late;
mod leases;
mod limits;
mod names;
mod operators;
mod restarts;
mod senders;
mod starting;
mod stores;
mod tainted;
mod whole;
mod wire;
mod world;
