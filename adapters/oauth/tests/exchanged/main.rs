//! Token exchange against an authorization server that stands in for a real one: written from RFC 8693, over real
//! connections on the loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod asynchronous;
mod minted;
mod refused;
mod server;
mod world;
