//! The replay of `examples/replay`, and of `testing::replay`, driven through the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../../examples/replay/command.rs"]
mod command;
#[path = "../../examples/replay/progress.rs"]
mod progress;
#[path = "../../examples/replay/story.rs"]
mod story;

mod asked_time;
mod banking;
mod credentials;
mod documented;
mod driver;
mod grants;
mod logged;
mod operations;
mod operators;
mod references;
mod stories;
mod telling;
mod unreadable;
mod words;
#[cfg(feature = "zones")]
mod zones;
