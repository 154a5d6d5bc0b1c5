//! The rows of a review.

use serde::Serialize;

use crate::audit::{Event, Record};
use crate::clock::Timestamp;

/// What one identity was granted of one tool, and used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ToolReview {
    /// Who.
    pub who: String,
    /// The tool.
    pub tool: String,
    /// How many grants of it they held, renewals counted.
    pub grants: u64,
    /// How many calls were permitted to them.
    pub calls: u64,
    /// How many of these people had agreed to.
    pub approved: u64,
    /// How many never started.
    pub abandoned: u64,
    /// How many started and did not end well, or not known how.
    pub failed: u64,
    /// The number of the first grant.
    pub first_granted: Option<u64>,
    /// When a call was permitted last.
    pub last_used: Option<Timestamp>,
    /// How long grants of it were live, all together, in milliseconds.
    pub live_millis: u64,
    /// How long calls of it ran, from their permits to their outcomes, in milliseconds.
    pub in_use_millis: u64,
}

impl ToolReview {
    pub(super) fn of(who: &str, tool: &str) -> Self {
        ToolReview {
            who: who.to_owned(),
            tool: tool.to_owned(),
            grants: 0,
            calls: 0,
            approved: 0,
            abandoned: 0,
            failed: 0,
            first_granted: None,
            last_used: None,
            live_millis: 0,
            in_use_millis: 0,
        }
    }
}

/// What one rule decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuleReview {
    /// The rule's id.
    pub rule: String,
    /// How many grants it gave.
    pub grants: u64,
    /// How many calls it permitted.
    pub calls: u64,
    /// How many denials name it.
    pub denials: u64,
    /// The number of the first record that names it.
    pub first: Option<u64>,
    /// When it decided last.
    pub last: Option<Timestamp>,
}

impl RuleReview {
    pub(super) fn of(rule: &str) -> Self {
        let rule = rule.to_owned();
        RuleReview { rule, grants: 0, calls: 0, denials: 0, first: None, last: None }
    }

    pub(super) fn note(&mut self, seq: u64, at: Timestamp) {
        self.first.get_or_insert(seq);
        self.last = self.last.max(Some(at));
    }
}

/// How often a rule had people asked, and what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AskReview {
    /// The rule's id.
    pub rule: String,
    /// How many questions it asked.
    pub asked: u64,
    /// How many times somebody agreed.
    pub yes: u64,
    /// How many times somebody did not.
    pub no: u64,
    /// How many answers did not count.
    pub refused: u64,
    /// How many questions their asker took back.
    pub taken_back: u64,
    /// How many ended by their time, another policy, or for want of reviewers.
    pub voided: u64,
}

impl AskReview {
    pub(super) fn of(rule: &str) -> Self {
        let rule = rule.to_owned();
        AskReview { rule, asked: 0, yes: 0, no: 0, refused: 0, taken_back: 0, voided: 0 }
    }
}

/// Denials of one identity, tool and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DenialCluster {
    /// Who was denied; empty where that was not known.
    pub who: String,
    /// The tool; empty where it was not about one.
    pub tool: String,
    /// Why.
    pub reason: String,
    /// How many there were.
    pub count: u64,
    /// How many different arguments they had, up to 256.
    pub different_args: u64,
    /// The number of the first.
    pub first: u64,
    /// When the first was.
    pub since: Timestamp,
    /// When the last was.
    pub last: Timestamp,
    #[serde(skip)]
    args: Vec<u64>,
}

/// As many different digests of arguments are told apart: many show that somebody tries.
const TOLD_APART: usize = 256;

impl DenialCluster {
    pub(super) fn of(record: &Record, (who, tool, reason): (&str, &str, &str)) -> Self {
        let [who, tool, reason] = [who, tool, reason].map(str::to_owned);
        let (first, since) = match &record.event {
            Event::DeniedAgain(denials) => (denials.from, denials.since),
            _ => (record.seq, record.at),
        };
        let last = record.at;
        let args = Vec::new();
        DenialCluster { who, tool, reason, count: 0, different_args: 0, first, since, last, args }
    }

    pub(super) fn note(&mut self, record: &Record) {
        let (count, since, args) = match &record.event {
            Event::DeniedAgain(denials) => (denials.count, denials.since, &denials.args),
            Event::Denied { args, .. } => (1, record.at, args),
            _ => return,
        };
        self.count = self.count.saturating_add(count);
        self.since = self.since.min(since);
        self.last = self.last.max(record.at);
        let Some(args) = args else { return };
        // The beginning of a keyed digest tells digests apart as well as the whole.
        let mut beginning = [0; 8];
        beginning.iter_mut().zip(args.bytes()).for_each(|(own, byte)| *own = byte);
        let beginning = u64::from_be_bytes(beginning);
        if self.args.len() < TOLD_APART && !self.args.contains(&beginning) {
            self.args.push(beginning);
            self.different_args += 1;
        }
    }
}
