//! When a log begins its next file.

use std::time::Duration;

/// When the next file is begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    pub(super) bytes: u64,
    pub(super) age: Option<Duration>,
}
