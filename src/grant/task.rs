//! A task's cell: everything that lives and ends with one task, under one lock.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::counters::{Counters, Reservation, Stamp};
use super::id::GrantId;
use super::nonces::Nonces;
use crate::audit::How;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::purpose::CheckedPurpose;
use crate::scope::Capability;
use crate::tool::ToolName;
use crate::value::Value;

/// How many ended grants a task remembers, so that operators are told why a token is dead. Agents
/// are told the same of all.
const REMEMBERED_ENDS: usize = 32;

/// A task and all that hangs from it.
pub(crate) struct TaskCell {
    pub(crate) name: Arc<str>,
    pub(crate) generation: u64,
    /// Who opened it, and asks for its grants.
    pub(crate) requester: Identity,
    pub(crate) purpose: CheckedPurpose,
    /// No grant of the task lives at this instant or later.
    pub(crate) ceiling: Timestamp,
    pub(crate) life: Mutex<Life>,
    /// Signalled whenever a running call is done.
    pub(crate) call_done: Condvar,
}

impl TaskCell {
    /// Waits until no call is running, or for `most` at the longest; those that still are.
    pub(crate) fn wait_for_running(&self, most: Duration) -> Vec<u64> {
        let mut life = self.life.lock();
        // A condition variable takes care of wake-ups that mean nothing, and of the time left.
        self.call_done.wait_while_for(&mut life, |life| !life.running(None).is_empty(), most);
        life.running(None)
    }
}

/// The part of a task that changes: always looked at and changed under the task's lock.
#[derive(Default)]
pub(crate) struct Life {
    /// How the task ended. From then on nothing is given and nothing starts.
    pub(crate) over: Option<How>,
    pub(crate) history: History,
    pub(crate) grants: Vec<Row>,
    pub(crate) counters: Counters,
    pub(crate) permits: Vec<OpenPermit>,
    ended: VecDeque<(GrantId, Reason)>,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: GrantId,
    pub(crate) serial: u32,
    pub(crate) holder: Identity,
    pub(crate) scope: Arc<[Granted]>,
    /// The grant it was delegated from.
    pub(crate) parent: Option<GrantId>,
    /// How many delegations below a root it is.
    pub(crate) hops: u8,
    pub(crate) first_issued: Timestamp,
    /// When its newest token was issued.
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// How long it may live from when it was first issued, whatever is renewed.
    pub(crate) max_life: Option<Duration>,
    /// It ends when it has not been used for so long.
    pub(crate) idle: Option<Duration>,
    pub(crate) last_used: Timestamp,
    /// The epoch whose policy was last found to give it.
    pub(crate) epoch: u64,
    /// Presentations bound to a call that were taken; renewal keeps them.
    pub(crate) nonces: Nonces,
}

impl Row {
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        now >= self.expires || self.idle.is_some_and(|idle| now.since(self.last_used) >= idle)
    }

    pub(crate) fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.scope.iter().flat_map(|granted| &granted.stamps)
    }
}

/// A capability as it was granted, with the limits that every permit covering it put on it.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) capability: Capability,
    pub(crate) stamps: Vec<Stamp>,
}

/// A permit handed out, until its outcome is known.
pub(crate) struct OpenPermit {
    /// The number of its record.
    pub(crate) seq: u64,
    pub(crate) grant: GrantId,
    /// Who presented the token.
    pub(crate) caller: Identity,
    pub(crate) tool: ToolName,
    /// The log has its record. Until then it may be withdrawn, and then it has no outcome.
    pub(crate) recorded: bool,
    pub(crate) running: bool,
    /// Unstarted, it is worth nothing from here on.
    pub(crate) lapses: Timestamp,
    pub(crate) reservation: Reservation,
}

/// Labels of the tools used in a task. They never leave it.
#[derive(Debug)]
pub(crate) struct History {
    labels: Value,
}

impl Default for History {
    fn default() -> Self {
        History { labels: Value::List(Vec::new()) }
    }
}

impl History {
    pub(crate) fn labels(&self) -> &Value {
        &self.labels
    }

    /// The history as it would be after a call of a tool with these labels; `None` if that adds
    /// nothing.
    pub(crate) fn with(&self, labels: &Value) -> Option<Value> {
        let (Value::List(seen), Value::List(labels)) = (&self.labels, labels) else { return None };
        let mut new = labels.iter().filter(|label| !seen.contains(label)).peekable();
        new.peek()?;
        Some(Value::List(seen.iter().chain(new).cloned().collect()))
    }

    pub(crate) fn add(&mut self, labels: &Value) {
        if let Some(longer) = self.with(labels) {
            self.labels = longer;
        }
    }
}

impl Life {
    pub(crate) fn grant(&self, id: GrantId) -> Option<&Row> {
        self.grants.iter().find(|grant| grant.id == id)
    }

    pub(crate) fn grant_mut(&mut self, id: GrantId) -> Option<&mut Row> {
        self.grants.iter_mut().find(|grant| grant.id == id)
    }

    /// Whether a grant, or one that it was delegated from, is past its time or gone.
    pub(crate) fn is_past(&self, row: &Row, now: Timestamp) -> bool {
        let mut next = Some(row);
        while let Some(row) = next {
            if row.is_past(now) {
                return true;
            }
            let Some(parent) = row.parent else { return false };
            next = self.grant(parent);
        }
        true
    }

    /// A grant and its ancestors, the grant first, if all of them live.
    pub(crate) fn lineage(&self, id: GrantId, now: Timestamp) -> Result<Vec<&Row>, Denial> {
        let mut lineage = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let row = self.grant(id).ok_or_else(|| Denial::new(self.why_gone(id)))?;
            if row.is_past(now) {
                return Err(Denial::new(Reason::Expired));
            }
            lineage.push(row);
            next = row.parent;
        }
        Ok(lineage)
    }

    /// Ends one grant and all delegated from it; their ids, its own first, or none if it was not
    /// there.
    pub(crate) fn end_grant(&mut self, id: GrantId, why: Reason) -> Vec<GrantId> {
        if self.grant(id).is_none() {
            return Vec::new();
        }
        // Breadth first, over the children of all at one level at once.
        let mut ended = vec![id];
        let mut level: HashSet<GrantId> = [id].into();
        while !level.is_empty() {
            level = self
                .grants
                .iter()
                .filter(|row| row.parent.is_some_and(|parent| level.contains(&parent)))
                .map(|row| row.id)
                .collect();
            ended.extend(&level);
        }
        let gone: HashSet<GrantId> = ended.iter().copied().collect();
        self.grants.retain(|row| !gone.contains(&row.id));
        for id in &ended {
            if self.ended.len() == REMEMBERED_ENDS {
                self.ended.pop_front();
            }
            self.ended.push_back((*id, why));
        }
        ended
    }

    /// Everybody behind a call: whoever presents the token, whoever holds the grant, and those it was
    /// delegated by.
    pub(crate) fn behind<'l>(&'l self, id: GrantId, caller: &'l Identity) -> Vec<&'l Identity> {
        let mut behind = vec![caller];
        let mut next = Some(id);
        while let Some(row) = next.and_then(|id| self.grant(id)) {
            behind.push(&row.holder);
            next = row.parent;
        }
        behind
    }

    /// Notes that a grant, and so all it was delegated from, has been used.
    pub(crate) fn touch(&mut self, id: GrantId, now: Timestamp) {
        let mut next = Some(id);
        while let Some(row) = next.and_then(|id| self.grant_mut(id)) {
            row.last_used = now;
            next = row.parent;
        }
    }

    /// Why a grant that is not there is not there.
    pub(crate) fn why_gone(&self, id: GrantId) -> Reason {
        self.ended
            .iter()
            .find(|(ended, _)| *ended == id)
            .map_or(Reason::UnknownGrant, |(_, reason)| *reason)
    }

    /// Numbers of the permits whose calls are running, of some grants or of all.
    pub(crate) fn running(&self, grants: Option<&[GrantId]>) -> Vec<u64> {
        self.permits
            .iter()
            .filter(|permit| permit.running && grants.is_none_or(|of| of.contains(&permit.grant)))
            .map(|permit| permit.seq)
            .collect()
    }

    /// Takes out permits that were never started and no longer can be; their numbers.
    pub(crate) fn drop_lapsed(&mut self, now: Timestamp) -> Vec<u64> {
        let lapsed: Vec<u64> = self
            .permits
            .iter()
            .filter(|permit| permit.recorded && !permit.running && now >= permit.lapses)
            .map(|permit| permit.seq)
            .collect();
        for seq in &lapsed {
            self.close_permit(*seq, false);
        }
        lapsed
    }

    /// Notes that the log has a permit's record.
    pub(crate) fn note_recorded(&mut self, seq: u64) {
        // It is among the latest.
        if let Some(permit) = self.permits.iter_mut().rfind(|permit| permit.seq == seq) {
            permit.recorded = true;
        }
    }

    /// Takes a permit out, giving back what it reserved if its call never started.
    pub(crate) fn close_permit(&mut self, seq: u64, started: bool) -> bool {
        let Some(at) = self.permits.iter().position(|permit| permit.seq == seq) else {
            return false;
        };
        let permit = self.permits.swap_remove(at);
        if !started {
            self.counters.give_back(&permit.reservation);
        }
        true
    }

    /// Ends the task, once; the calls that are running, if this was the end.
    pub(crate) fn end(&mut self, how: How) -> Option<Vec<u64>> {
        if self.over.is_some() {
            return None;
        }
        self.over = Some(how);
        self.grants = Vec::new();
        self.ended = VecDeque::new();
        Some(self.running(None))
    }
}
