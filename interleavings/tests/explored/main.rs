//! Many orders in which threads can meet, through the public API alone.
//!
//! Each test runs one errand under thousands of schedules. One that fails prints its schedule; the
//! same again, and no other, where `HALLPASS_SCHEDULE` is set to it. See `docs/interleavings.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

extern crate hallpass_explored as hallpass;

mod approvals;
mod ends;
mod expiry;
mod facade;
mod halts;
mod history;
mod limits;
mod log;
mod reaper;
mod record;
mod reload;
mod renewal;
mod restate;
mod rotation;
mod schedule;
mod standing;
mod tokens;
mod watch;
mod watched;
mod world;
