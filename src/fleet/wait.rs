//! Waiting until an act is final.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::progress::{Done, Progress, Stage};
use super::row::{NodeRow, NodeState, Said};

/// An act that is an entry, and the nodes that may have a lease given without it.
pub(super) struct Wait {
    number: u64,
    /// When its entry was known to be there, on this node's own clock. A lease that is good without it was asked for
    /// before that.
    since: Duration,
    /// Who may have such a lease, by name, with the life of it; nothing before the rows were read. Whoever joins later
    /// has read the entry before it has a lease.
    pending: Option<BTreeMap<Box<str>, [u8; 16]>>,
    running: u64,
    unheard: Vec<Box<str>>,
    progress: Arc<Progress>,
}

impl Wait {
    pub(super) fn new(number: u64, since: Duration, running: u32, progress: Arc<Progress>) -> Self {
        let waiting_for = Vec::new();
        progress.set(Stage::Numbered { number, waiting_for });
        let (running, unheard) = (u64::from(running), Vec::new());
        Wait { number, since, pending: None, running, unheard, progress }
    }

    /// Looks at the rows, all read after the entry was known to be there: each with what it says, if it is known to be
    /// a member's.
    pub(super) fn look(&mut self, own: &str, rows: &[(&NodeRow, Option<Said>)]) {
        let first = self.pending.is_none();
        let pending = self.pending.get_or_insert_with(|| {
            let others = rows.iter().filter(|(row, said)| {
                // What is not a member's word excuses no one.
                *row.name != *own && (said.is_none() || !is_over(row.state))
            });
            others.map(|(row, _)| (row.name.clone(), row.incarnation)).collect()
        });
        let before = pending.len();
        for (row, said) in rows {
            let Some(said) = said else { continue };
            let Some(incarnation) = pending.get(&row.name) else { continue };
            let same = *incarnation == row.incarnation;
            if same && row.state == NodeState::Live && said.applied.number >= self.number {
                let told = said.running.iter().find(|(number, _)| *number == self.number);
                self.running += told.map_or(0, |(_, running)| u64::from(*running));
                pending.remove(&row.name);
            } else if !same || row.state != NodeState::Live {
                // Another of its name came in only once this one could have no lease, and so of the rest.
                self.unheard.push(row.name.clone());
                pending.remove(&row.name);
            }
        }
        if pending.is_empty() {
            self.finish();
        } else if first || pending.len() != before {
            let waiting_for = pending.keys().cloned().collect();
            self.progress.set(Stage::Numbered { number: self.number, waiting_for });
        }
    }

    /// Whether it is final: all have applied it, or can't have a lease any more that was given without it.
    pub(super) fn is_over(&mut self, now: Duration, surely_over: Duration) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        if !pending.is_empty() && now.saturating_sub(self.since) >= surely_over {
            self.unheard.extend(std::mem::take(pending).into_keys());
            self.finish();
        }
        self.pending.as_ref().is_some_and(BTreeMap::is_empty)
    }

    fn finish(&self) {
        let (number, running) = (self.number, self.running);
        let unheard = self.unheard.clone();
        self.progress.set(Stage::Done(Done { number, running, unheard }));
    }
}

/// Whether a node of this state is past being waited for, or heard of.
fn is_over(state: NodeState) -> bool {
    matches!(state, NodeState::Gone | NodeState::Left)
}
