//! A task's cell: everything that lives and ends with one task, under one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::counters::{Counters, Reservation, Stamp};
use super::id::GrantId;
use super::nonces::Nonces;
use crate::audit::How;
use crate::clock::Timestamp;
use crate::denial::Reason;
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
    pub(crate) expires: Timestamp,
    /// It ends when it has not been used for so long.
    pub(crate) idle: Option<Duration>,
    pub(crate) last_used: Timestamp,
    /// Presentations bound to a call that were taken; renewal keeps them.
    pub(crate) nonces: Nonces,
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
    pub(crate) tool: ToolName,
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

    /// Ends one grant; `false` if it was not there.
    pub(crate) fn end_grant(&mut self, id: GrantId, why: Reason) -> bool {
        let before = self.grants.len();
        self.grants.retain(|grant| grant.id != id);
        if self.grants.len() == before {
            return false;
        }
        if self.ended.len() == REMEMBERED_ENDS {
            self.ended.pop_front();
        }
        self.ended.push_back((id, why));
        true
    }

    /// Why a grant that is not there is not there.
    pub(crate) fn why_gone(&self, id: GrantId) -> Reason {
        self.ended
            .iter()
            .find(|(ended, _)| *ended == id)
            .map_or(Reason::UnknownGrant, |(_, reason)| *reason)
    }

    /// Numbers of the permits whose calls are running, of one grant or of all.
    pub(crate) fn running(&self, grant: Option<GrantId>) -> Vec<u64> {
        self.permits
            .iter()
            .filter(|permit| permit.running && grant.is_none_or(|id| id == permit.grant))
            .map(|permit| permit.seq)
            .collect()
    }

    /// Takes out permits that were never started and no longer can be; their numbers.
    pub(crate) fn drop_lapsed(&mut self, now: Timestamp) -> Vec<u64> {
        let lapsed: Vec<u64> = self
            .permits
            .iter()
            .filter(|permit| !permit.running && now >= permit.lapses)
            .map(|permit| permit.seq)
            .collect();
        for seq in &lapsed {
            self.close_permit(*seq, false);
        }
        lapsed
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
