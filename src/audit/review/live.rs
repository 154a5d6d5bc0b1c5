//! The grants that are live, and the calls that run, while a log is read.

use std::collections::{BTreeMap, BTreeSet};

use super::since_millis;
use crate::clock::Timestamp;

/// What is live now: as much as was live at once, and never more than it is let.
#[derive(Debug)]
pub(super) struct Live {
    most: usize,
    grants: BTreeMap<String, LiveGrant>,
    /// Each grant by the generation of its task.
    by_task: BTreeSet<(u64, String)>,
    /// Each grant by what it was delegated from.
    by_parent: BTreeSet<(String, String)>,
    calls: BTreeMap<u64, LiveCall>,
    left_out: u64,
}

#[derive(Debug)]
struct LiveGrant {
    generation: u64,
    parent: Option<String>,
    holder: String,
    tools: Vec<String>,
    since: Timestamp,
    expires: Timestamp,
}

/// A call whose outcome is not known yet.
#[derive(Debug)]
pub(super) struct LiveCall {
    pub(super) who: String,
    pub(super) tool: String,
    pub(super) since: Timestamp,
}

/// How long a grant was live.
pub(super) struct Span {
    pub(super) holder: String,
    pub(super) tools: Vec<String>,
    pub(super) millis: u64,
}

impl Live {
    pub(super) fn holding(most: usize) -> Self {
        let (grants, by_task, by_parent, calls) = Default::default();
        Live { most, grants, by_task, by_parent, calls, left_out: 0 }
    }

    /// How many grants and calls there was no room for.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// A grant was given, or renewed, which ends what it was before.
    pub(super) fn begin(
        &mut self,
        id: &str,
        (generation, parent): (u64, Option<&str>),
        (holder, tools): (&str, Vec<String>),
        (since, expires): (Timestamp, Timestamp),
    ) -> Option<Span> {
        let before = self.remove(id, since);
        if self.grants.len() >= self.most {
            self.left_out += 1;
            return before;
        }
        self.by_task.insert((generation, id.to_owned()));
        if let Some(parent) = parent {
            self.by_parent.insert((parent.to_owned(), id.to_owned()));
        }
        let (parent, holder) = (parent.map(str::to_owned), holder.to_owned());
        let grant = LiveGrant { generation, parent, holder, tools, since, expires };
        self.grants.insert(id.to_owned(), grant);
        before
    }

    /// A grant ends sooner than it was given for.
    pub(super) fn shorten(&mut self, id: &str, expires: Timestamp) {
        if let Some(own) = self.grants.get_mut(id) {
            own.expires = own.expires.min(expires);
        }
    }

    /// A grant ended, and with it all that was delegated from it.
    pub(super) fn end(&mut self, id: &str, at: Timestamp) -> Vec<Span> {
        let (mut spans, mut ending) = (Vec::new(), vec![id.to_owned()]);
        while let Some(id) = ending.pop() {
            let below = self.by_parent.range((id.clone(), String::new())..);
            let below = below.take_while(|(parent, _)| *parent == id);
            ending.extend(below.map(|(_, child)| child.clone()));
            spans.extend(self.remove(&id, at));
        }
        spans
    }

    /// A task ended, and all its grants.
    pub(super) fn end_task(&mut self, generation: u64, at: Timestamp) -> Vec<Span> {
        let own = self.by_task.range((generation, String::new())..);
        let own = own.take_while(|(of, _)| *of == generation);
        let ids: Vec<_> = own.map(|(_, id)| id.clone()).collect();
        ids.iter().filter_map(|id| self.remove(id, at)).collect()
    }

    /// The log ends here.
    pub(super) fn end_all(&mut self, at: Timestamp) -> Vec<Span> {
        std::mem::take(&mut self.grants).into_values().map(|own| own.span(at)).collect()
    }

    fn remove(&mut self, id: &str, at: Timestamp) -> Option<Span> {
        let own = self.grants.remove(id)?;
        self.by_task.remove(&(own.generation, id.to_owned()));
        if let Some(parent) = &own.parent {
            self.by_parent.remove(&(parent.clone(), id.to_owned()));
        }
        Some(own.span(at))
    }

    /// A call was permitted.
    pub(super) fn call(&mut self, seq: u64, call: LiveCall) {
        match self.calls.len() < self.most {
            true => _ = self.calls.insert(seq, call),
            false => self.left_out += 1,
        }
    }

    /// A call has its outcome.
    pub(super) fn end_call(&mut self, of: u64) -> Option<LiveCall> {
        self.calls.remove(&of)
    }
}

impl LiveGrant {
    fn span(self, at: Timestamp) -> Span {
        let millis = since_millis(self.since, at.min(self.expires));
        Span { holder: self.holder, tools: self.tools, millis }
    }
}
