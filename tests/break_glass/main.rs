//! Breaking the glass: the emergency path, what it gives and what it owes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod alerting;
mod bounded;
mod breaking;
mod limited;
mod marked;
mod restarted;
mod reviewing;
mod traces;
mod ward;
