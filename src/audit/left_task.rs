//! A task that a log leaves open when it ends: what a broker has to know of it that is to take it up again.

use std::collections::{BTreeMap, BTreeSet};

use super::Event;
use super::Record;
use crate::clock::Timestamp;
use crate::identity::Fold;

/// How many calls of a task are followed, one by one. A task that has made more is not taken up again, since what it
/// has spent and seen is not known.
const MOST_CALLS: usize = 10_000;

/// A task that had not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftTask {
    pub(crate) name: String,
    pub(crate) who: String,
    pub(crate) purpose: String,
    pub(crate) ticket: Option<String>,
    pub(crate) intent: Option<String>,
    pub(crate) ceiling: Timestamp,
    grants: BTreeMap<String, LeftGrant>,
    pub(crate) calls: Vec<LeftCall>,
    /// The policies under which it called, by their digests.
    pub(crate) policies: BTreeSet<String>,
    /// Questions that were denied: of which ask, about which tool, and when.
    pub(crate) denied: Vec<(String, String, Timestamp)>,
    /// Why it can't be taken up again, if that is known.
    pub(crate) lost: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LeftGrant {
    parent: Option<String>,
    holder: String,
    /// The holder's names, and those of all it acts for.
    names: Vec<String>,
    rules: Vec<String>,
    given: Timestamp,
}

/// A call that was permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftCall {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) tool: String,
    /// The rules that may count it: those that permitted it, and those that gave the grant and all above it.
    pub(crate) rules: BTreeSet<String>,
    /// Whether it never started.
    pub(crate) abandoned: bool,
}

impl LeftTask {
    pub(super) fn of(event: &Event<'_>) -> Option<LeftTask> {
        let Event::Opened { task, who, purpose, ticket, intent, ceiling, .. } = event else {
            return None;
        };
        let text = |own: &Option<std::borrow::Cow<'_, str>>| own.as_ref().map(ToString::to_string);
        Some(LeftTask {
            name: task.to_string(),
            who: who.to_string(),
            purpose: purpose.to_string(),
            ticket: text(ticket),
            intent: text(intent),
            ceiling: *ceiling,
            grants: BTreeMap::new(),
            calls: Vec::new(),
            policies: BTreeSet::new(),
            denied: Vec::new(),
            lost: None,
        })
    }

    /// A grant was given, or renewed.
    pub(super) fn grant(&mut self, record: &Record) {
        let Event::Granted { grant, parent, holder, acts_for, aliases, rules, .. } = &record.event
        else {
            return;
        };
        let others = acts_for.iter().chain(aliases);
        let own = self.grants.entry(grant.to_string()).or_insert_with(|| LeftGrant {
            parent: parent.as_ref().map(ToString::to_string),
            holder: holder.to_string(),
            names: others.chain([holder]).map(ToString::to_string).collect(),
            rules: Vec::new(),
            given: record.at,
        });
        own.rules.extend(rules.iter().map(ToString::to_string));
    }

    /// A call was permitted, under the policy of this digest.
    pub(super) fn call(&mut self, record: &Record, policy: Option<&str>) {
        let Event::Permitted { grant, tool, rules, .. } = &record.event else { return };
        match policy {
            Some(policy) => _ = self.policies.insert(policy.to_owned()),
            None => self.lost = Some("the policy of one of its calls is not known"),
        }
        if self.calls.len() == MOST_CALLS {
            self.lost = Some("it has made too many calls to follow");
            return;
        }
        let above = self.upwards(grant).flat_map(|own| own.rules.clone());
        let rules = rules.iter().map(ToString::to_string).chain(above).collect();
        let (seq, at, tool) = (record.seq, record.at, tool.to_string());
        self.calls.push(LeftCall { seq, at, tool, rules, abandoned: false });
    }

    /// The call of this permit never started.
    pub(super) fn abandon(&mut self, permit: u64) {
        if let Ok(at) = self.calls.binary_search_by_key(&permit, |own| own.seq)
            && let Some(own) = self.calls.get_mut(at)
        {
            own.abandoned = true;
        }
    }

    /// Every name of those to whom this holder, as names are folded, has delegated, over however many hops. Which of
    /// these grants lived still is not asked: a name too many excludes, and gives nothing.
    pub(crate) fn delegates_of(&self, holder: &str, fold: Fold) -> impl Iterator<Item = &str> {
        let below = move |own: &&LeftGrant| {
            let parent = own.parent.as_deref().unwrap_or_default();
            self.upwards(parent).any(|above| *fold.name(&above.holder) == *holder)
        };
        self.grants.values().filter(below).flat_map(|own| own.names.iter().map(String::as_str))
    }

    /// Who was given something by which rules, and when first.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&str, &str, Timestamp)> {
        self.grants
            .values()
            .flat_map(|own| own.rules.iter().map(|rule| (&*own.holder, rule.as_str(), own.given)))
    }

    /// A grant and all above it, as far as they are known. Each was given after its parent, so this ends.
    fn upwards(&self, grant: &str) -> impl Iterator<Item = &LeftGrant> {
        let mut next = self.grants.get(grant);
        std::iter::from_fn(move || {
            let own = next?;
            next = own.parent.as_deref().and_then(|parent| self.grants.get(parent));
            Some(own)
        })
    }
}
