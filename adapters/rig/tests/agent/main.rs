//! Agents of rig with tools behind the gate: rig's own loop, and rig's own model that plays a script.
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
mod secrets;
mod world;
