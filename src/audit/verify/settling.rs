//! Whether a task that is said to be settled is: it has ended, no call of it runs, and each credential that was planned
//! for it is gone, or can't be withdrawn. A call that runs past its task's end is one that the end has listed.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use crate::audit::{Event, Outcome, Record, Settled};
use crate::clock::Timestamp;

/// The tasks that are not settled, by generation: those that ended with something left, and those for which a credential
/// was planned.
#[derive(Default)]
pub(super) struct Settling {
    tasks: BTreeMap<u64, Unsettled>,
    /// Whose a credential is that is not gone, by name.
    tasks_of: BTreeMap<String, u64>,
    /// The permits without an outcome, each behind its task's generation, as long as that has not ended.
    permits: BTreeSet<(u64, u64)>,
    /// Those of tasks that have ended, whose calls were not running then, and so never are.
    unstarted: BTreeSet<u64>,
}

#[derive(Default)]
struct Unsettled {
    has_ended: bool,
    /// The permits whose calls were running at its end, and have no outcome.
    running: BTreeSet<u64>,
    /// The credentials that are not gone, and until when each stands, if it can't be withdrawn.
    standing: BTreeMap<String, Option<Timestamp>>,
    gone: BTreeSet<String>,
}

impl Settling {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let fault = Fault::NotSettled { seq: record.seq };
        match &record.event {
            Event::CredentialPlanned { generation, name, .. } => {
                let own = self.tasks.entry(*generation).or_default();
                own.standing.insert(name.to_string(), None);
                self.tasks_of.insert(name.to_string(), *generation);
            }
            Event::CredentialOwed { name, until, .. } => self.note_standing(name, *until),
            Event::CredentialWithdrawn { name } => self.note_standing(name, None),
            Event::CredentialGone { name, .. } => {
                let task = self.tasks_of.remove(&**name);
                if let Some(own) = task.and_then(|task| self.tasks.get_mut(&task)) {
                    own.standing.remove(&**name);
                    own.gone.insert(name.to_string());
                }
            }
            Event::Permitted { generation, .. } => {
                self.permits.insert((*generation, record.seq));
            }
            Event::Outcome { generation, of, outcome, .. } => {
                self.permits.remove(&(*generation, *of));
                // Of one whose host died it is not known that it never started.
                let never_ran = matches!(outcome, Outcome::Abandoned | Outcome::Unknown);
                if self.unstarted.remove(of) && !never_ran {
                    return Err(fault);
                }
                if let Some(own) = self.tasks.get_mut(generation) {
                    own.running.remove(of);
                }
            }
            Event::Ended { generation, running, unsettled: true, .. } => {
                self.note_running(*generation, running);
                let own = self.tasks.entry(*generation).or_default();
                (own.has_ended, own.running) = (true, running.iter().copied().collect());
            }
            // What is left has to be told.
            Event::Ended { generation, running, .. } => {
                self.note_running(*generation, running);
                let had_credentials = self.tasks.remove(generation).is_some();
                if had_credentials || !running.is_empty() {
                    return Err(fault);
                }
            }
            Event::Settled(settled) => {
                let own = self.tasks.remove(&settled.generation);
                if !own.is_some_and(|own| own.is_settled_as(settled)) {
                    return Err(fault);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A task has ended, and these of its calls were running.
    fn note_running(&mut self, generation: u64, running: &[u64]) {
        let own = self.permits.range((generation, 0)..=(generation, u64::MAX)).copied();
        for (generation, permit) in own.collect::<Vec<_>>() {
            self.permits.remove(&(generation, permit));
            if !running.contains(&permit) {
                self.unstarted.insert(permit);
            }
        }
    }

    fn note_standing(&mut self, name: &str, until: Option<Timestamp>) {
        let task = self.tasks_of.get(name).and_then(|task| self.tasks.get_mut(task));
        if let Some(lasts) = task.and_then(|own| own.standing.get_mut(name)) {
            *lasts = until;
        }
    }

    /// The tasks that have ended, and are not settled.
    pub(super) fn ended(self) -> Vec<u64> {
        let ended = self.tasks.into_iter().filter(|(_, own)| own.has_ended);
        ended.map(|(generation, _)| generation).collect()
    }
}

impl Unsettled {
    fn is_settled_as(&self, settled: &Settled<'_>) -> bool {
        let listed: BTreeSet<&str> = settled.gone.iter().map(|name| &**name).collect();
        let all_gone = listed.len() == settled.gone.len()
            && listed.iter().all(|name| self.gone.contains(*name))
            && (listed.len() as u64).checked_add(settled.more) == Some(self.gone.len() as u64);
        let owed = settled.owed.iter().map(|own| (&*own.name, Some(own.until)));
        let standing = self.standing.iter().map(|(name, lasts)| (name.as_str(), *lasts));
        let all_owed = owed.clone().count() == self.standing.len()
            && owed.collect::<BTreeMap<_, _>>() == standing.collect();
        self.has_ended && self.running.is_empty() && all_gone && all_owed
    }
}

#[cfg(test)]
mod tests;
