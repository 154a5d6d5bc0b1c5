//! The store of the simulation: transactions that read at one time and commit at a later one.

use std::collections::BTreeMap;

use super::Planted;
use crate::fleet::act::Act;
use crate::fleet::agent::{Ask, Reply};
use crate::fleet::entry::Entry;
use crate::fleet::mark::Mark;
use crate::fleet::row::{NodeRow, NodeState};
use crate::fleet::store::Snapshot;

/// What the nodes share.
pub(super) struct Engine {
    planted: Planted,
    pub(super) entries: Vec<Entry>,
    /// When each was committed, and what it is.
    pub(super) committed: Vec<(u64, Act)>,
    pub(super) rows: BTreeMap<Box<str>, NodeRow>,
    /// Until when it answers nothing.
    pub(super) down_until: u64,
    /// What breaks the promise that a node which was replaced never comes back.
    pub(super) returned: Option<String>,
    replaced: Vec<(Box<str>, [u8; 16])>,
    /// How often a node was marked as silent.
    pub(super) silenced: u64,
}

/// A transaction that has begun.
pub(super) struct Transaction {
    ask: Ask,
    snapshot: Snapshot,
    fits: bool,
}

impl Engine {
    pub(super) fn new(planted: Planted) -> Self {
        Engine {
            planted,
            entries: Vec::new(),
            committed: Vec::new(),
            rows: BTreeMap::new(),
            down_until: 0,
            returned: None,
            replaced: Vec::new(),
            silenced: 0,
        }
    }

    fn head(&self) -> Mark {
        self.entries.last().map_or(Mark::START, Entry::mark)
    }

    fn snapshot(&self, after: u64, with_rows: bool) -> Snapshot {
        let entries = self.entries.iter().filter(|entry| entry.number > after);
        Snapshot {
            head: self.head(),
            entries: entries.take(7).cloned().collect(),
            rows: if with_rows { self.rows.values().cloned().collect() } else { Vec::new() },
        }
    }

    fn fits(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Read { .. } => true,
            Ask::Append { over, .. } => self.head() == *over,
            Ask::Write { row, over, .. } => self.rows.get(&row.name).map(NodeRow::version) == *over,
        }
    }

    /// Begins a transaction: what it reads, it reads now.
    pub(super) fn begin(&self, ask: Ask) -> Transaction {
        let after = match &ask {
            Ask::Read { after } | Ask::Write { after, .. } => *after,
            Ask::Append { .. } => u64::MAX,
        };
        let with_rows = matches!(ask, Ask::Read { .. });
        Transaction { snapshot: self.snapshot(after, with_rows), fits: self.fits(&ask), ask }
    }

    /// Commits it: what it writes, it writes now, if what it replaces is there now.
    pub(super) fn commit(&mut self, begun: Transaction, now: u64) -> Reply {
        let Transaction { ask, mut snapshot, fits } = begun;
        let fits_now = self.fits(&ask);
        match ask {
            Ask::Read { .. } => Reply::Read(snapshot),
            Ask::Append { entry, .. } => {
                // Planted: the number is taken as from a sequence, not held until the commit.
                let fits = if self.planted == Planted::RacySequence { fits } else { fits_now };
                if fits {
                    let (kind, rest) = entry.bytes.split_first().unwrap();
                    let act = Act::decode(*kind, &rest[..rest.len() - 32]).unwrap();
                    self.committed.push((now, act));
                    self.entries.push(entry);
                }
                Reply::Appended(fits)
            }
            Ask::Write { row, .. } => {
                if fits_now {
                    self.write(&row);
                }
                snapshot.rows = self.rows.get(&row.name).cloned().into_iter().collect();
                Reply::Written(fits_now, snapshot)
            }
        }
    }

    fn write(&mut self, row: &NodeRow) {
        let life = (row.name.clone(), row.incarnation);
        if self.replaced.contains(&life) {
            self.returned = Some(format!("{} came back after it was replaced", row.name));
        }
        self.silenced += u64::from(row.state == NodeState::Silent);
        if let Some(before) = self.rows.insert(row.name.clone(), row.clone())
            && before.incarnation != row.incarnation
        {
            self.replaced.push((before.name, before.incarnation));
        }
    }
}
