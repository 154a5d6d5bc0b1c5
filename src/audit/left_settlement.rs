//! A task of which a log does not say yet that it is settled.

use super::Event;

/// How many credentials that are gone are kept by name, as in a `settled` record.
const MOST_LISTED: usize = 1024;

/// A task for which a credential was planned, or that ended while a call ran, and that was not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftSettlement {
    pub(crate) task: String,
    /// Its credentials that are gone.
    pub(crate) gone: Vec<String>,
    /// How many more are gone.
    pub(crate) more: u64,
}

impl LeftSettlement {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let task = event.task().unwrap_or_default().to_owned();
        LeftSettlement { task, gone: Vec::new(), more: 0 }
    }

    pub(super) fn note_gone(&mut self, name: &str) {
        match self.gone.len() < MOST_LISTED {
            true => self.gone.push(name.to_owned()),
            false => self.more = self.more.saturating_add(1),
        }
    }
}
