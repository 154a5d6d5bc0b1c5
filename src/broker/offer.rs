//! What policy gives: the decision that requests, delegations and renewals share.

use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{Granted, Stamp, Terms};
use crate::identity::Identity;
use crate::meter::{Meter, Work};
use crate::policy::{
    Answer, Catalogue, DeniedRequest, Moment, Setting, Wanted, When, decide_request,
};
use crate::scope::{Capability, Readings};
use crate::task::{Life, TaskCell};
use crate::value::Object;

/// A question to policy about a scope, in its setting: under the task's lock and one epoch.
pub(super) struct OfferInputs<'a> {
    pub(super) shared: &'a Shared,
    pub(super) current: &'a Current,
    pub(super) cell: &'a TaskCell,
    pub(super) life: &'a Life,
    pub(super) context: &'a Object,
    pub(super) now: Timestamp,
    /// Whether conditions on context and history count. After a reload they do not: they are asked
    /// at the calls.
    pub(super) when: When,
    pub(super) meter: &'a Meter,
}

/// Who has to be permitted, and at which moment: each capability must be given to all of them.
pub(super) type Party<'a> = (&'a Identity, Moment);

/// What policy gives.
pub(super) struct Offer {
    pub(super) terms: Terms,
    /// The permits that gave it, by id.
    pub(super) rules: Vec<Arc<str>>,
    pub(super) ttl: Duration,
    /// How many hops of delegation the permits allow below the one who asked.
    pub(super) depth: Option<u8>,
}

impl<'a> OfferInputs<'a> {
    /// With all of the moment's context.
    pub(super) fn at_request(
        shared: &'a Shared,
        current: &'a Current,
        cell: &'a TaskCell,
        life: &'a Life,
        context: &'a Object,
        now: Timestamp,
        meter: &'a Meter,
    ) -> Self {
        OfferInputs { shared, current, cell, life, context, now, when: When::Asked, meter }
    }

    /// Asks the rules about every capability, for every party.
    ///
    /// # Errors
    /// The first [`Denial`]: nothing is given then.
    pub(super) fn give(
        &self,
        parties: &[Party<'_>],
        capabilities: &[Capability],
    ) -> Result<Offer, Denial> {
        self.meter.settle(self.give_each(parties, capabilities))
    }

    fn give_each(
        &self,
        parties: &[Party<'_>],
        capabilities: &[Capability],
    ) -> Result<Offer, Denial> {
        let mut given = Offer {
            terms: Terms::default(),
            rules: Vec::new(),
            ttl: self.shared.settings.ceiling,
            depth: None,
        };
        let mut capabilities = capabilities.to_vec();
        self.current.policy.catalogue.canonical(&mut capabilities)?;
        for capability in capabilities {
            let mut stamps: Vec<Stamp> = Vec::new();
            for party in parties {
                self.ask(*party, &capability, &mut stamps)?;
            }
            self.check_tail(&capability, &stamps)?;
            for stamp in &stamps {
                given.tighten(stamp, self.shared.settings.default_ttl);
            }
            given.terms.scope.push(Granted { capability, stamps });
        }
        given.rules.sort();
        Ok(given)
    }

    /// Whether what its tool runs with ends when these say.
    fn check_tail(&self, capability: &Capability, stamps: &[Stamp]) -> Result<(), Denial> {
        let (shared, default) = (self.shared, self.shared.settings.default_ttl);
        let lives = stamps.iter().map(|stamp| stamp.limits.ttl.unwrap_or(default));
        let ttl = lives.min().unwrap_or(default);
        let (catalogue, tool) = (&self.current.policy.catalogue, capability.tool.as_str());
        shared.sources.check_tail(catalogue, tool, stamps, ttl)
    }

    /// Asks about one capability and one party, and notes the limits of every permit that covers it.
    fn ask(
        &self,
        (who, moment): Party<'_>,
        capability: &Capability,
        stamps: &mut Vec<Stamp>,
    ) -> Result<(), Denial> {
        let tool = capability.tool.as_str();
        if self.when == When::Asked {
            who.check_validity(self.now)?;
        }
        // A halt ends nothing: it is asked at requests, and at calls.
        if self.when == When::Asked
            && let Some(halt) = self.shared.halts.stopping(self.cell, &[who], Some(tool), self.now)
        {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        let policy = &self.current.policy;
        let purpose = &self.cell.purpose;
        let rules = self.wanted((who, moment), capability, |wanted| {
            let (reason, deciding) = match decide_request(policy, wanted) {
                Answer::Covered(rules) => return Ok(rules),
                Answer::Ask(asks) => (Reason::ApprovalRequired, Answer::Ask(asks)),
                Answer::Forbidden(forbids) => (Reason::Forbidden, Answer::Forbidden(forbids)),
                Answer::NotCovered => (Reason::NotCovered, Answer::NotCovered),
            };
            let rules = match &deciding {
                Answer::Ask(rules) | Answer::Forbidden(rules) => self.current.ids(rules),
                Answer::Covered(_) | Answer::NotCovered => Vec::new(),
            };
            let kept = DeniedRequest::keep(policy, purpose, wanted, deciding);
            Err(Denial::new(reason).by_rules(rules).explained_by(kept))
        });
        let rules = rules.unwrap_or_else(|| Err(Catalogue::unknown(tool)))?;
        for rule in rules.iter().filter_map(|at| policy.rule(*at)) {
            // Each is looked for among those before it.
            if !self.meter.charge(1 + stamps.len() / 4, Work::Visiting) {
                break;
            }
            let stamp = Stamp::of(rule, who, &self.shared.spanning);
            if !stamps.iter().any(|own| own.shares_counter_with(&stamp)) {
                stamps.push(stamp);
            }
        }
        Ok(())
    }
}

impl OfferInputs<'_> {
    /// Asks about one capability and one party; `None` where its tool is outside the catalogue.
    pub(super) fn wanted<R>(
        &self,
        (who, moment): Party<'_>,
        capability: &Capability,
        ask: impl FnOnce(&Wanted<'_>) -> R,
    ) -> Option<R> {
        let policy = &self.current.policy;
        let labels = policy.catalogue.labels_of(capability.tool.as_str())?;
        let tool = capability.tool.as_str();
        let seen = self.life.history().seen_after(tool, labels, self.current.listing());
        let time = policy.time(self.now);
        let readings = Readings::new();
        let setting = Setting {
            moment,
            who: &self.current.restated.seen(who),
            purpose: &self.cell.purpose,
            context: self.context,
            seen: &seen,
            now: self.now,
            now_text: time.as_ref(),
            meter: self.meter,
            readings: &readings,
        };
        let party = (std::ptr::from_ref(who) as usize, moment as u8);
        let is_first = self.meter.is_first(capability.tool.as_str(), party);
        Some(ask(&Wanted { setting, capability, labels, when: self.when, is_first }))
    }
}

impl Offer {
    /// One grant has one lifetime: the tightest of all permits that cover any part of it.
    fn tighten(&mut self, Stamp { rule, limits, .. }: &Stamp, default_ttl: Duration) {
        let ttl = limits.ttl.unwrap_or(default_ttl);
        self.ttl = self.ttl.min(ttl).min(limits.max_life.unwrap_or(ttl));
        self.terms.idle = [self.terms.idle, limits.idle].into_iter().flatten().min();
        self.depth = [self.depth, limits.depth].into_iter().flatten().min();
        if !self.rules.contains(rule) {
            self.rules.push(rule.clone());
        }
    }
}
