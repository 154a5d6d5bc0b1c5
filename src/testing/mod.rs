//! What test suites use, those of hosts as much as our own.

mod sink;

pub use crate::clock::ManualClock;
pub use sink::FailingSink;
