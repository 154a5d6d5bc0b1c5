//! A service on axum behind the gate, over loopback, with `curl` as the client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod approvals;
mod calls;
mod ends;
mod log_hangs;
mod page;
mod refused;
mod secrets;
mod world;
