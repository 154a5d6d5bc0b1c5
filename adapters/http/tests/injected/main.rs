//! Secrets in requests over real connections: clients, the endpoint of a call, and servers, all on the loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answered;
mod bounded;
mod carried;
mod clients;
mod crowded;
mod ended;
mod neighbours;
mod origins;
mod redirected;
mod server;
mod shown;
mod tls;
mod world;
