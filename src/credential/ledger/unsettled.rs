//! What is left of the credentials of each task, until nothing of them is left to withdraw.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Ledger;
use crate::clock::Timestamp;

/// How many credentials of a task are listed by name once they are gone. More are counted.
const MOST_LISTED: usize = 1024;

/// The credentials that were planned for a task that is not settled.
struct Unsettled {
    task: Arc<str>,
    /// Whether the task is over and the last of its calls is done.
    calls_are_done: bool,
    gone: Vec<Box<str>>,
    more: u64,
    /// Those that are not gone, by ticket.
    open: BTreeMap<u64, Open>,
}

/// A credential that is not gone.
struct Open {
    name: Box<str>,
    /// Until when it stands, if it can't be withdrawn and nothing is looking whether it is there still.
    lasts: Option<Timestamp>,
}

/// What became of the credentials of a task that is settled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settlement {
    pub(crate) task: Arc<str>,
    pub(crate) generation: u64,
    pub(crate) gone: Vec<Box<str>>,
    /// How many more are gone than are listed.
    pub(crate) more: u64,
    /// Those that can't be withdrawn, and until when they stand.
    pub(crate) owed: Vec<(Box<str>, Timestamp)>,
}

impl Settlement {
    /// Of a task for which nothing was planned.
    pub(crate) fn without_credentials(task: Arc<str>, generation: u64) -> Self {
        Settlement { task, generation, gone: Vec::new(), more: 0, owed: Vec::new() }
    }
}

impl Unsettled {
    fn of(task: &Arc<str>) -> Self {
        let (gone, open) = (Vec::new(), BTreeMap::new());
        Unsettled { task: task.clone(), calls_are_done: false, gone, more: 0, open }
    }

    fn add(&mut self, ticket: u64, name: &str) {
        self.open.insert(ticket, Open { name: name.into(), lasts: None });
    }

    fn note_gone(&mut self, ticket: u64) {
        let Some(own) = self.open.remove(&ticket) else { return };
        match self.gone.len() < MOST_LISTED {
            true => self.gone.push(own.name),
            false => self.more = self.more.saturating_add(1),
        }
    }

    fn is_settled(&self) -> bool {
        self.calls_are_done && self.open.values().all(|own| own.lasts.is_some())
    }
}

/// The tasks for which a credential was planned and that are not settled, by generation.
#[derive(Default)]
pub(super) struct UnsettledTasks(BTreeMap<u64, Unsettled>);

impl UnsettledTasks {
    pub(super) fn has(&self, generation: u64) -> bool {
        self.0.contains_key(&generation)
    }

    /// A credential was planned for a task under a ticket.
    pub(super) fn add(&mut self, (generation, task): (u64, &Arc<str>), ticket: u64, name: &str) {
        self.0.entry(generation).or_insert_with(|| Unsettled::of(task)).add(ticket, name);
    }

    /// An earlier life of the broker had planned a credential for a task: if that is not settled, it waits for it.
    pub(super) fn adopt(&mut self, generation: u64, ticket: u64, name: &str) {
        if let Some(own) = self.0.get_mut(&generation) {
            own.add(ticket, name);
        }
    }

    /// A credential is gone, if the log says that it was planned.
    pub(super) fn note_gone(
        &mut self,
        generation: u64,
        ticket: u64,
        recorded: bool,
    ) -> Option<Settlement> {
        let own = self.0.get_mut(&generation)?;
        match recorded {
            true => own.note_gone(ticket),
            false => _ = own.open.remove(&ticket),
        }
        if own.open.is_empty() && own.gone.is_empty() && !own.calls_are_done {
            self.0.remove(&generation);
            return None;
        }
        self.settle(generation)
    }

    /// A credential is looked at, and what the log says of it may change at any moment: until it is laid down, its task is
    /// not settled.
    pub(super) fn note_taken_up(&mut self, generation: u64, ticket: u64) {
        if let Some(own) = self.0.get_mut(&generation).and_then(|own| own.open.get_mut(&ticket)) {
            own.lasts = None;
        }
    }

    /// A credential stands until then, or can be withdrawn after all.
    pub(super) fn note_lasting(
        &mut self,
        generation: u64,
        ticket: u64,
        until: Option<Timestamp>,
    ) -> Option<Settlement> {
        self.0.get_mut(&generation)?.open.get_mut(&ticket)?.lasts = until;
        self.settle(generation)
    }

    /// What became of the credentials of a task, once, when nothing of them is left to withdraw.
    fn settle(&mut self, generation: u64) -> Option<Settlement> {
        self.0.get(&generation).filter(|own| own.is_settled())?;
        let Unsettled { task, gone, more, open, .. } = self.0.remove(&generation)?;
        let owed = open.into_values().filter_map(|own| Some((own.name, own.lasts?))).collect();
        Some(Settlement { task, generation, gone, more, owed })
    }
}

impl Ledger {
    /// Enters what an earlier life of the broker knew to be gone of a task that is not settled.
    pub(crate) fn restore(
        &self,
        generation: u64,
        task: &str,
        gone: impl Iterator<Item = Box<str>>,
        more: u64,
    ) {
        let own = Unsettled { gone: gone.collect(), more, ..Unsettled::of(&task.into()) };
        self.state.lock().unsettled.0.insert(generation, own);
    }

    /// A task is over, and no call of it is running any more: what became of its credentials, if nothing is left to
    /// withdraw.
    pub(crate) fn note_calls_done(&self, generation: u64, task: &str) -> Option<Settlement> {
        let tasks = &mut self.state.lock().unsettled;
        let Some(own) = tasks.0.get_mut(&generation) else {
            return Some(Settlement::without_credentials(task.into(), generation));
        };
        own.calls_are_done = true;
        tasks.settle(generation)
    }
}
