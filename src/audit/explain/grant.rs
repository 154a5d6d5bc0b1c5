//! A grant of a task: whose it was, under which rules, and what ended it.

use serde::Serialize;

use super::{Agreement, ExplainedEmergency, Explanation};
use crate::audit::{BrokenGlass, Event, Record};
use crate::clock::Timestamp;
use crate::value::Value;

/// A grant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedGrant {
    /// Its id.
    pub id: String,
    /// The number of the record that gave it.
    pub seq: u64,
    /// When it was given.
    pub at: Timestamp,
    /// The grant that it was delegated from.
    pub parent: Option<String>,
    /// Who asked for it.
    pub requester: String,
    /// Who could use it.
    pub holder: String,
    /// For whom the holder acts, the nearest first.
    pub acts_for: Vec<String>,
    /// What it was for.
    pub scope: Value,
    /// The rules that gave it, at last: a renewal is decided anew.
    pub rules: Vec<String>,
    /// What people were asked about its scope and had agreed to, at last.
    pub agreements: Vec<Agreement>,
    /// The epoch of the policy that has them.
    pub epoch: u64,
    /// The digest of that policy.
    pub policy: String,
    /// How often it was renewed.
    pub renewals: u64,
    /// When its time was over at the latest.
    pub expires: Timestamp,
    /// What stands behind it where breaking the glass gave it.
    pub emergency: Option<ExplainedEmergency>,
    /// What ended it; nothing where it stands when the log ends.
    pub ended: Option<AccessEnd>,
}

/// What ended a grant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AccessEnd {
    /// The number of the record that says so; nothing of a grant whose time was over.
    pub seq: Option<u64>,
    /// When.
    pub at: Timestamp,
    /// The reason that its holder is denied for from then on, or how its task ended.
    pub why: String,
}

impl ExplainedGrant {
    pub(super) fn of(record: &Record, agreements: Vec<Agreement>) -> Option<Self> {
        let Event::Granted {
            grant,
            parent,
            requester,
            holder,
            acts_for,
            scope,
            rules,
            epoch,
            policy,
            expires,
            ..
        } = &record.event
        else {
            return None;
        };
        Some(ExplainedGrant {
            id: grant.to_string(),
            seq: record.seq,
            at: record.at,
            parent: parent.as_ref().map(ToString::to_string),
            requester: requester.to_string(),
            holder: holder.to_string(),
            acts_for: acts_for.iter().map(ToString::to_string).collect(),
            scope: (**scope).clone(),
            rules: rules.iter().map(ToString::to_string).collect(),
            agreements,
            epoch: *epoch,
            policy: policy.to_string(),
            renewals: 0,
            expires: *expires,
            emergency: None,
            ended: None,
        })
    }

    /// What breaking the glass gave: who did holds it, and acts for no one.
    pub(super) fn of_emergency(record: &Record) -> Option<Self> {
        let Event::BrokenGlass(BrokenGlass {
            grant,
            who,
            scope,
            rules,
            epoch,
            policy,
            expires,
            ..
        }) = &record.event
        else {
            return None;
        };
        Some(ExplainedGrant {
            id: grant.to_string(),
            seq: record.seq,
            at: record.at,
            parent: None,
            requester: who.to_string(),
            holder: who.to_string(),
            acts_for: Vec::new(),
            scope: (**scope).clone(),
            rules: rules.iter().map(ToString::to_string).collect(),
            agreements: Vec::new(),
            epoch: *epoch,
            policy: policy.to_string(),
            renewals: 0,
            expires: *expires,
            emergency: ExplainedEmergency::of(&record.event),
            ended: None,
        })
    }

    /// Follows it by the record of a renewal.
    pub(super) fn renew(&mut self, record: &Record, agreements: Vec<Agreement>) {
        if let Some(renewed) = ExplainedGrant::of(record, agreements) {
            self.renewals += 1;
            // The holder is attested anew, and may act for another.
            self.acts_for = renewed.acts_for;
            self.rules = renewed.rules;
            self.agreements = renewed.agreements;
            self.epoch = renewed.epoch;
            self.policy = renewed.policy;
            self.expires = renewed.expires;
        }
    }
}

/// A grant, by its id, and those it was delegated from. Each was given after its parent, so the chain ends.
pub(super) fn chain(grants: &[ExplainedGrant], id: &str) -> Vec<String> {
    let mut chain = vec![id.to_owned()];
    let (mut next, mut earlier) = (Some(id), grants);
    while let Some(id) = next {
        let Some(at) = earlier.iter().rposition(|own| own.id == id) else { break };
        let found = earlier.get(at).and_then(|own| own.parent.as_deref());
        chain.extend(found.map(str::to_owned));
        earlier = earlier.get(..at).unwrap_or_default();
        next = found;
    }
    chain
}

/// What ended a grant first: a record of its own, the end of what it hangs from, its time, or the end of the
/// task.
pub(super) fn end_of(
    own: &ExplainedGrant,
    story: &Explanation,
    last: Option<Timestamp>,
) -> Option<AccessEnd> {
    let chain = chain(&story.grants, &own.id);
    let above = chain.iter().filter_map(|id| story.grants.iter().rev().find(|own| own.id == *id));
    let recorded = above.clone().filter_map(|own| own.ended.clone());
    let expired =
        above.map(|own| own.expires).min().filter(|end| last.is_some_and(|at| *end <= at));
    let expired = expired.map(|at| AccessEnd { seq: None, at, why: "expired".to_owned() });
    let of_task = story.ended.as_ref().map(|end| AccessEnd {
        seq: Some(end.seq),
        at: end.at,
        why: end.how.as_str().to_owned(),
    });
    recorded.chain(expired).chain(of_task).min_by_key(|end| (end.at, end.seq.is_none()))
}
