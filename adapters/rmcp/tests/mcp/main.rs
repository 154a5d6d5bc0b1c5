//! A server on rmcp behind the gate, with the client of the same library; and, if asked for, with that of another.
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
mod other_methods;
mod page;
mod secrets;
mod world;
