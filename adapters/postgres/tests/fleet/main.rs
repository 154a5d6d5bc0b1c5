//! A fleet on a real server, which each test starts for itself:
//! `cargo test -p hallpass-postgres --features fleet --test fleet -- --ignored`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../../../../tests/fleet/contract.rs"]
mod contract;
mod counters;
mod database;
mod durability;
mod hand;
mod lost;
mod promises;
mod proxy;
mod rights;
#[path = "../real/server.rs"]
#[allow(dead_code, reason = "shared with the tests of roles")]
mod server;
mod trouble;
mod world;
