//! The replay of `examples/replay`, driven through its command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../../examples/replay/engine/mod.rs"]
mod engine;

mod banking;
mod driver;
mod grants;
mod operations;
mod operators;
mod stories;
mod telling;
mod unreadable;
