//! Many orders in which threads can meet, through the public API alone.
//!
//! Each test runs one errand under thousands of schedules. One that fails prints its schedule; the
//! same again, and no other, with `HALLPASS_SCHEDULE=<schedule> cargo test --test explored <test>`. See
//! `docs/interleavings.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "explored/ends.rs"]
mod ends;
#[path = "explored/facade.rs"]
mod facade;
#[path = "explored/history.rs"]
mod history;
#[path = "explored/limits.rs"]
mod limits;
#[path = "explored/log.rs"]
mod log;
#[path = "explored/record.rs"]
mod record;
#[path = "explored/reload.rs"]
mod reload;
#[path = "explored/renewal.rs"]
mod renewal;
#[path = "explored/schedule.rs"]
mod schedule;
#[path = "explored/tokens.rs"]
mod tokens;
#[path = "explored/watch.rs"]
mod watch;
#[path = "explored/world.rs"]
mod world;
