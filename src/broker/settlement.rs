//! Settling a task: saying, once, that its last call is done and that nothing is left to withdraw of what was minted for
//! it.

use super::shared::Shared;
use crate::audit::{Event, Lasting, Settled};
use crate::clock::Timestamp;
use crate::credential::Settlement;

impl Shared {
    /// A task is over that its end did not settle, and no call of it is running any more. Called once for each such task,
    /// under its lock: after the records of its end and of its last outcome.
    pub(super) fn note_calls_done(&self, generation: u64, task: &str, at: Timestamp) {
        let settled = match &self.downstream {
            Some(downstream) => downstream.ledger.note_calls_done(generation, task),
            None => Some(Settlement::without_credentials(task.into(), generation)),
        };
        self.record_settled(settled, at);
    }

    /// Records that a task is settled, if it is.
    pub(super) fn record_settled(&self, settled: Option<Settlement>, at: Timestamp) {
        let Some(Settlement { task, generation, gone, more, owed }) = settled else { return };
        let lasting = |(name, until): (Box<str>, Timestamp)| Lasting {
            name: name.into_string().into(),
            until,
        };
        let settled = Settled {
            task: task.to_string().into(),
            generation,
            gone: gone.into_iter().map(|name| name.into_string().into()).collect(),
            more,
            owed: owed.into_iter().map(lasting).collect(),
        };
        self.record(at, &Event::Settled(Box::new(settled)));
    }
}
