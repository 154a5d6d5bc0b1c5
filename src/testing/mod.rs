//! What test suites use, ours and those of hosts: a clock that is moved by hand, a log that fails on
//! cue, and assertions that explain themselves.

mod asserts;
mod sink;

pub use crate::clock::ManualClock;
pub use asserts::{ask, call};
#[doc(hidden)]
pub use asserts::{expect_denied, expect_nothing_stands, expect_permitted};
pub use sink::FailingSink;
