//! The calls that a home has permitted to other nodes: their answers, their leaves, and what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::message::Told;
use super::wire::NodeLife;
use crate::audit::Outcome;
use crate::broker::Running;
use crate::membership::{LeaveId, LeavesOut};
use crate::value::Digest;

/// How many calls of one identity may be out at one node, and how many are kept of one node.
const FOR_EACH_IDENTITY: usize = 256;
const FOR_EACH_NODE: usize = 4096;

/// For how long it is kept what became of a call whose request may have been sent more than once: a copy that comes
/// later is not permitted anew.
const KEPT: Duration = Duration::from_secs(60);

/// A request of a node, by the id that it gave to it.
pub(super) type CallId = (NodeLife, [u8; 16]);

/// Calls that are out, and those that are over and may still be asked for.
#[derive(Default)]
pub(super) struct CallsOut(BTreeMap<CallId, CallOut>);

enum CallOut {
    /// It is being decided about.
    Deciding {
        subject: Box<str>,
    },
    Out(Box<Out>),
    /// It is known what became of it, or it was given up before it came. Kept until then.
    Over {
        until: Duration,
    },
}

struct Out {
    subject: Box<str>,
    /// Of the request: another under the same id gets no answer.
    request: Digest,
    answer: Vec<u8>,
    running: Running,
    leave: LeaveId,
    /// When no call starts any more on its leave, on this node's own clock.
    until: Duration,
}

/// What a request finds.
pub(super) enum Found {
    /// It is new, and is to be decided about.
    New,
    /// The answer that was given to it.
    Answered(Vec<u8>),
    /// It gets none: it is being decided about or over, its leave has run out, its id is another's, or too many are out.
    Refused,
}

impl CallsOut {
    /// Looks for a request, and notes it as being decided about if it is new.
    pub(super) fn begin(
        &mut self,
        id: &CallId,
        request: &Digest,
        subject: &str,
        now: Duration,
    ) -> Found {
        match self.0.get(id) {
            Some(CallOut::Deciding { .. }) => return Found::Refused,
            Some(CallOut::Over { .. }) => return Found::Refused,
            Some(CallOut::Out(own)) if own.request != *request => {
                return Found::Refused;
            }
            // A leave that has run out is none to start on.
            Some(CallOut::Out(own)) if now >= own.until => {
                return Found::Refused;
            }
            Some(CallOut::Out(own)) => return Found::Answered(own.answer.clone()),
            None => {}
        }
        let of_node = (id.0.clone(), [0; 16])..=(id.0.clone(), [u8::MAX; 16]);
        let (mut all, mut of_identity) = (0, 0);
        for (_, call) in self.0.range(of_node) {
            all += 1;
            let own = match call {
                CallOut::Deciding { subject } => Some(subject),
                CallOut::Out(own) => Some(&own.subject),
                CallOut::Over { .. } => None,
            };
            of_identity += usize::from(own.is_some_and(|own| **own == *subject));
        }
        if all >= FOR_EACH_NODE || of_identity >= FOR_EACH_IDENTITY {
            return Found::Refused;
        }
        self.0.insert(id.clone(), CallOut::Deciding { subject: subject.into() });
        Found::New
    }

    /// Notes that what was being decided about was denied.
    pub(super) fn deny(&mut self, id: &CallId) {
        if matches!(self.0.get(id), Some(CallOut::Deciding { .. })) {
            self.0.remove(id);
        }
    }

    /// Notes a call that is out. Gives it back where it was given up meanwhile.
    pub(super) fn permit(
        &mut self,
        id: &CallId,
        request: Digest,
        answer: Vec<u8>,
        (running, leave, until): (Running, LeaveId, Duration),
    ) -> Option<(Running, LeaveId)> {
        match self.0.remove(id) {
            Some(CallOut::Deciding { subject }) => {
                let out = Out { subject, request, answer, running, leave, until };
                self.0.insert(id.clone(), CallOut::Out(Box::new(out)));
                None
            }
            other => {
                if let Some(other) = other {
                    self.0.insert(id.clone(), other);
                }
                Some((running, leave))
            }
        }
    }

    /// Notes what became of a call, once; of one that has not come yet, that it is not to be permitted any more.
    /// What is to be closed is given back, for when no lock is held. Where no copy of its request can come any more,
    /// nothing is kept of it.
    pub(super) fn told(
        &mut self,
        id: &CallId,
        now: Duration,
        copies: bool,
    ) -> Option<(Running, LeaveId)> {
        if !copies && !matches!(self.0.get(id), Some(CallOut::Over { .. })) {
            return match self.0.remove(id) {
                Some(CallOut::Out(own)) => Some((own.running, own.leave)),
                Some(CallOut::Deciding { .. } | CallOut::Over { .. }) | None => None,
            };
        }
        let until = now.saturating_add(KEPT);
        match self.0.insert(id.clone(), CallOut::Over { until }) {
            Some(CallOut::Out(own)) => Some((own.running, own.leave)),
            // Nothing is put off: what is over stays so for as long as it was to.
            Some(over @ CallOut::Over { .. }) => {
                self.0.insert(id.clone(), over);
                None
            }
            Some(CallOut::Deciding { .. }) | None => None,
        }
    }

    /// Whether the leave of some call has run out, and what became of it is not known.
    pub(super) fn has_unheard(&self, now: Duration) -> bool {
        self.0.values().any(|call| matches!(call, CallOut::Out(own) if now >= own.until))
    }

    /// Forgets what is over, and gives back what nodes had out that are not there any more: what became of it is not
    /// known, and never will be.
    pub(super) fn sweep(
        &mut self,
        now: Duration,
        is_gone: impl Fn(&NodeLife) -> bool,
    ) -> Vec<(Running, LeaveId)> {
        self.0.retain(|_, call| !matches!(call, CallOut::Over { until } if now >= *until));
        let gone: Vec<CallId> = self
            .0
            .iter()
            .filter(|((from, _), call)| {
                matches!(call, CallOut::Out(own) if now >= own.until) && is_gone(from)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let lost = gone.into_iter().filter_map(|id| match self.0.remove(&id) {
            Some(CallOut::Out(own)) => Some((own.running, own.leave)),
            _ => None,
        });
        lost.collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<(Running, LeaveId)> {
        let all = std::mem::take(&mut self.0).into_values();
        let out = all.filter_map(|call| match call {
            CallOut::Out(own) => Some((own.running, own.leave)),
            _ => None,
        });
        out.collect()
    }
}

/// Closes a call with what became of it, and ends its leave after that: an end that waits finds it closed.
pub(super) fn close((running, leave): (Running, LeaveId), outcome: Outcome, leaves: &LeavesOut) {
    running.close_elsewhere(outcome);
    leaves.end(leave);
}

impl Told {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Told::Ok => Outcome::Ok,
            Told::Error => Outcome::Error,
            Told::Interrupted => Outcome::Interrupted,
            Told::NotStarted => Outcome::Abandoned,
        }
    }
}
