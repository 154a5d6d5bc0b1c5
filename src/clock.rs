//! Time: one trait, one place that reads it.

use std::time::Duration;

/// An instant: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant so many milliseconds after the epoch, if it lies in 1970 to 9999.
    pub const fn from_unix_millis(millis: i64) -> Option<Timestamp> {
        if millis < 0 || millis > 253_402_300_799_999 { None } else { Some(Timestamp(millis)) }
    }

    /// Milliseconds since the epoch.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The instant `by` later, if there is one.
    pub fn checked_add(self, by: Duration) -> Option<Timestamp> {
        let by = i64::try_from(by.as_millis()).ok()?;
        Timestamp::from_unix_millis(self.0.checked_add(by)?)
    }
}
