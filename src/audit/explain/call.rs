//! A call that was permitted.

use serde::Serialize;

use super::Agreement;
use crate::audit::{Event, Outcome, Record};
use crate::clock::Timestamp;

/// A call that was permitted: why it could be, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedCall {
    /// The number of its permit.
    pub seq: u64,
    /// When it was permitted.
    pub at: Timestamp,
    /// Who called.
    pub who: String,
    /// For whom, the nearest first.
    pub acts_for: Vec<String>,
    /// The tool.
    pub tool: String,
    /// The type and the id of what it acted on.
    pub resource: Option<(String, String)>,
    /// The keyed digest of its arguments.
    pub args: String,
    /// The rules that permitted it.
    pub rules: Vec<String>,
    /// The epoch of the policy that has these rules.
    pub epoch: u64,
    /// The digest of that policy, if the log says which it was.
    pub policy: Option<String>,
    /// The grant that it was made under, first, and those it was delegated from.
    pub chain: Vec<String>,
    /// What people were asked about it and had agreed to.
    pub agreements: Vec<Agreement>,
    /// The credentials that came back in what it gave, and were taken out.
    pub secrets_found: Vec<String>,
    /// The record that it was about to start, which a call that people agreed to has.
    pub starting: Option<u64>,
    /// What became of it; nothing where the log does not say so yet.
    pub ended: Option<CallEnd>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallEnd {
    /// The number of the record that says so.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub outcome: Outcome,
}

impl ExplainedCall {
    pub(super) fn of(
        record: &Record,
        chain: Vec<String>,
        agreements: Vec<Agreement>,
        policy: Option<String>,
    ) -> Option<Self> {
        let Event::Permitted {
            who,
            acts_for,
            tool,
            resource_type,
            resource_id,
            args,
            rules,
            epoch,
            ..
        } = &record.event
        else {
            return None;
        };
        let resource = resource_type.as_deref().zip(resource_id.as_deref());
        Some(ExplainedCall {
            seq: record.seq,
            at: record.at,
            who: who.to_string(),
            acts_for: acts_for.iter().map(ToString::to_string).collect(),
            tool: tool.to_string(),
            resource: resource.map(|(kind, id)| (kind.to_owned(), id.to_owned())),
            args: args.to_string(),
            rules: rules.iter().map(ToString::to_string).collect(),
            epoch: *epoch,
            policy,
            chain,
            agreements,
            secrets_found: Vec::new(),
            starting: None,
            ended: None,
        })
    }

    /// Whether the tool ran, in part at least; `None` where that is not known, as after the process was killed.
    ///
    /// Of a call that people agreed to, and not to a scope that it lies in, it is known until it is about to start: that
    /// is recorded before the tool has it.
    #[must_use]
    pub fn has_run(&self) -> Option<bool> {
        match self.ended.as_ref().map(|end| end.outcome) {
            Some(Outcome::Abandoned) => Some(false),
            Some(Outcome::Ok | Outcome::Error | Outcome::Interrupted) => Some(true),
            None if self.agreements.iter().any(|own| own.of_call) && self.starting.is_none() => {
                Some(false)
            }
            Some(Outcome::Forwarded | Outcome::Unknown) | None => None,
        }
    }
}
