//! Against a real server, which each test starts for itself: `cargo test -p hallpass-postgres -- --ignored`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod hostile;
mod many;
mod refused;
mod resumed;
mod rows;
#[allow(dead_code, reason = "shared with the tests of fleets")]
mod server;
mod unreached;
mod withdrawn;
mod world;
