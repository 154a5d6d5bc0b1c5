//! What was left of a task when nothing of it ran any more.

use serde::Serialize;

use crate::audit::{Record, Settled};
use crate::clock::Timestamp;

/// A task has ended, no call of it runs, and nothing is left to withdraw of what was minted for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskSettlement {
    /// The number of the record that says so.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// How many credentials were planned for it and are gone.
    pub gone: u64,
    /// The credentials that can't be withdrawn, and until when each stands.
    pub owed: Vec<(String, Timestamp)>,
}

impl TaskSettlement {
    /// Of a task whose end left nothing.
    pub(super) fn by_end(record: &Record) -> Self {
        TaskSettlement { seq: record.seq, at: record.at, gone: 0, owed: Vec::new() }
    }

    pub(super) fn of(record: &Record, settled: &Settled<'_>) -> Self {
        TaskSettlement {
            gone: settled.count_gone(),
            owed: settled.owed.iter().map(|own| (own.name.to_string(), own.until)).collect(),
            ..TaskSettlement::by_end(record)
        }
    }
}
