//! What a log does that has no room.

/// What becomes of denials, ends and outcomes where there is no room for them. What gives access is denied
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The log takes what the disk has. Once that is full, what is denied or ended is owed, in memory, until
    /// there is room again.
    Owe,
    /// The log takes at most `bytes`, and gives no more access once only `kept_for_ends` of them are left, so
    /// that what was given before can still be ended on record.
    StopAt {
        /// How many bytes all files may have together.
        bytes: u64,
        /// How many of them only denials, ends and outcomes may take.
        kept_for_ends: u64,
    },
}
