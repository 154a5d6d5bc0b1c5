//! What a log that verifies leaves to the broker that goes on with it.

use std::collections::BTreeMap;

use super::{Event, Record};
use crate::clock::Timestamp;

/// What was going on when a log ended: the halts that are on, the tasks that had not ended, and the permits
/// whose outcome is not known.
///
/// Only reading a log that verifies makes one, so it can't be made up. A broker takes it with
/// [`BrokerBuilder::resume_from`](crate::BrokerBuilder::resume_from).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resumption {
    halts: BTreeMap<String, Option<Timestamp>>,
    tasks: BTreeMap<u64, String>,
    permits: BTreeMap<u64, (String, u64)>,
    pub(super) torn: Option<u64>,
    pub(super) anchored: bool,
}

impl Resumption {
    /// Follows the log by one record.
    pub(super) fn note(&mut self, record: &Record) {
        match &record.event {
            Event::Opened { task, generation, .. } => {
                self.tasks.insert(*generation, task.to_string());
            }
            Event::Ended { generation, .. } => {
                self.tasks.remove(generation);
            }
            Event::Permitted { task, generation, .. } => {
                self.permits.insert(record.seq, (task.to_string(), *generation));
            }
            Event::Outcome { of, .. } => {
                self.permits.remove(of);
            }
            Event::Halted { what, until } => {
                self.halts.insert(what.to_string(), *until);
            }
            Event::Resumed { what } => {
                self.halts.remove(&**what);
            }
            _ => {}
        }
    }

    /// The halts that are on, as their records write them, and when they lapse.
    pub fn halts(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.halts.iter().map(|(what, until)| (what.as_str(), *until))
    }

    /// The tasks that had not ended, by generation.
    pub fn tasks(&self) -> impl Iterator<Item = (u64, &str)> {
        self.tasks.iter().map(|(generation, task)| (*generation, task.as_str()))
    }

    /// The permits without an outcome: the number of each, its task, and that one's generation.
    pub fn permits(&self) -> impl Iterator<Item = (u64, &str, u64)> {
        self.permits.iter().map(|(seq, (task, generation))| (*seq, task.as_str(), *generation))
    }

    /// How many bytes of an incomplete last line were cut off and kept aside.
    #[must_use]
    pub fn torn(&self) -> Option<u64> {
        self.torn
    }

    /// Whether the log was compared with an anchor kept elsewhere. Where it was not, records that were cut
    /// off its end are not missed.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        self.anchored
    }
}
