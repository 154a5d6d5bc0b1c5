//! A service on tonic behind the gate, over loopback, with tonic's own client.
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
mod page;
mod refused;
mod secrets;
mod streams;
mod teller;
mod world;

/// What tonic generates of `proto/bank.proto`.
#[allow(
    clippy::all,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "generated"
)]
mod bank {
    include!("../generated/bank.v1.rs");
    pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("../generated/bank.bin");
}
