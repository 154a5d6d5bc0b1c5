//! What policy gives: the decision that requests, delegations and renewals share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::current::Current;
use super::grant_request::GrantRequest;
use super::kept::Passing;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Granted, Stamp, Terms};
use crate::identity::Identity;
use crate::meter::{Meter, Work};
use crate::policy::{
    Answer, Catalogue, Deciders, DeniedRequest, Moment, Setting, Wanted, When, decide_request,
};
use crate::scope::{Capability, Readings};
use crate::task::{Life, OpenQuestion, TaskCell};
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
    /// Who is to hold what is given: whose approvals let it pass.
    pub(super) holder: &'a Identity,
    /// What it is to be delegated from: those above take part, and may not have agreed to it themselves.
    pub(super) parent: Option<GrantId>,
    /// The request whose record says what came of it, and whether the catalogue spelled its scope in another way.
    pub(super) recorded: Option<(&'a GrantRequest<'a>, bool)>,
}

/// Who has to be permitted, and at which moment: each capability must be given to all of them.
pub(super) type Party<'a> = (&'a Identity, Moment);

/// What policy would give, and what of it asks withhold until people agree.
#[must_use = "what asks withhold is not given"]
pub(super) struct Proposal {
    offer: Offer,
    withheld: Withheld,
}

/// What only asks withhold.
#[derive(Default)]
pub(super) struct Withheld {
    /// The places of capabilities, each with its asks.
    pub(super) items: BTreeMap<usize, Deciders>,
    pub(super) asks: Deciders,
    /// The permits that give them.
    pub(super) permits: Deciders,
    /// What was asked for, once it is known that it is withheld.
    pub(super) capabilities: Vec<Capability>,
    /// Of the first of them.
    denial: Option<Denial>,
}

/// What policy gives.
pub(super) struct Offer {
    pub(super) terms: Terms,
    /// The permits that gave it, by id.
    pub(super) rules: Vec<Arc<str>>,
    pub(super) ttl: Duration,
    /// How many hops of delegation the permits allow below the one who asked.
    pub(super) depth: Option<u8>,
    /// The questions about scopes whose approvals it passed asks by.
    pub(super) approvals: Vec<Arc<OpenQuestion>>,
}

impl<'a> OfferInputs<'a> {
    /// With all of the moment's context.
    pub(super) fn at_request(
        request: &'a GrantRequest<'_>,
        current: &'a Current,
        life: &'a Life,
        context: &'a Object,
        now: Timestamp,
    ) -> Self {
        let GrantRequest { shared, cell, holder, ref meter, .. } = *request;
        OfferInputs {
            shared,
            current,
            cell,
            life,
            context,
            now,
            when: When::Asked,
            meter,
            holder,
            parent: None,
            recorded: None,
        }
    }

    /// Asks the rules about every capability, for every party.
    ///
    /// # Errors
    /// The first [`Denial`]: nothing is given then.
    pub(super) fn give(
        &self,
        parties: &[Party<'_>],
        capabilities: &[Capability],
    ) -> Result<Proposal, Denial> {
        self.give_all(parties, capabilities.to_vec())
    }

    /// As [`give`](Self::give), of capabilities that the grant is to have.
    pub(super) fn give_all(
        &self,
        parties: &[Party<'_>],
        capabilities: Vec<Capability>,
    ) -> Result<Proposal, Denial> {
        self.meter.settle(self.give_each(parties, capabilities))
    }

    fn give_each(
        &self,
        parties: &[Party<'_>],
        mut capabilities: Vec<Capability>,
    ) -> Result<Proposal, Denial> {
        let mut withheld = Withheld::default();
        let mut given = Offer {
            terms: Terms::default(),
            rules: Vec::new(),
            ttl: self.shared.settings.ceiling,
            depth: None,
            approvals: Vec::new(),
        };
        self.current.policy.catalogue.canonical(&mut capabilities)?;
        for (at, capability) in capabilities.into_iter().enumerate() {
            let mut stamps: Vec<Stamp> = Vec::new();
            for party in parties {
                let asked = self.ask(*party, &capability, &mut stamps, &mut given.approvals)?;
                asked.into_iter().for_each(|own| withheld.add(at, own));
            }
            self.check_tail(&capability, &stamps)?;
            for stamp in &stamps {
                given.tighten(stamp, self.shared.settings.default_ttl);
            }
            given.terms.scope.push(Granted { capability, stamps: stamps.into() });
        }
        given.terms.scope.shrink_to_fit();
        given.rules.sort_unstable();
        given.rules.dedup();
        Ok(Proposal { offer: given, withheld })
    }

    /// Whether what its tool runs with ends when these say.
    fn check_tail(&self, capability: &Capability, stamps: &[Stamp]) -> Result<(), Denial> {
        let (shared, default) = (self.shared, self.shared.settings.default_ttl);
        let lives = stamps.iter().map(|stamp| stamp.limits.ttl.unwrap_or(default));
        let ttl = lives.min().unwrap_or(default);
        let (catalogue, tool) = (&self.current.policy.catalogue, capability.tool.as_str());
        shared.sources.check_tail(catalogue, tool, stamps, ttl)
    }

    /// Asks about one capability and one party, and notes the limits of every permit that covers it: the asks
    /// that withhold it, if any do.
    fn ask(
        &self,
        (who, moment): Party<'_>,
        capability: &Capability,
        stamps: &mut Vec<Stamp>,
        approvals: &mut Vec<Arc<OpenQuestion>>,
    ) -> Result<Option<Asked>, Denial> {
        let tool = capability.tool.as_str();
        if self.when == When::Asked {
            who.check_validity(self.now)?;
        }
        // A halt ends nothing: it is asked at requests, and at calls.
        if self.when == When::Asked
            && let Some(halt) = self.shared.halts.stopping(self.cell, [who], Some(tool), self.now)
        {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        let policy = &self.current.policy;
        let purpose = &self.cell.purpose;
        let decided = self.wanted((who, moment), capability, |wanted| {
            let deny = |reason, rules, deciding| {
                let kept = DeniedRequest::keep(policy, purpose, wanted, deciding);
                let denial = Denial::new(reason).by_rules(rules).explained_by(kept);
                match self.decided(reason) {
                    Some(decided) => denial.with_recorded(Arc::new(decided)),
                    None => denial,
                }
            };
            match decide_request(policy, wanted) {
                Answer::Covered(rules) => Ok((rules, None)),
                Answer::Ask { asks, permits } => {
                    let asks = self.not_passed(capability, asks, approvals);
                    if asks.is_empty() {
                        return Ok((permits, None));
                    }
                    let deciding = Answer::Ask { asks: asks.clone(), permits: permits.clone() };
                    let rules = self.current.ids(&asks);
                    let denial = deny(Reason::ApprovalRequired, rules, deciding);
                    let asked = Asked { asks, permits: permits.clone(), denial };
                    Ok((permits, Some(asked)))
                }
                Answer::Forbidden(forbids) => {
                    let rules = self.current.ids(&forbids);
                    Err(deny(Reason::Forbidden, rules, Answer::Forbidden(forbids)))
                }
                Answer::NotCovered => Err(deny(Reason::NotCovered, Vec::new(), Answer::NotCovered)),
            }
        });
        let (rules, asked) = decided.unwrap_or_else(|| Err(Catalogue::unknown(tool)))?;
        // Of one party each rule is found once: it is looked for among those of the parties before.
        let before = stamps.len();
        let first =
            |stamps: &[Stamp], rule: &Arc<str>| stamps.partition_point(|own| own.rule < *rule);
        stamps.sort_unstable_by(|one, other| one.rule.cmp(&other.rule));
        for rule in rules.iter().filter_map(|at| policy.rule(*at)) {
            if !self.meter.charge(1, Work::Visiting) {
                break;
            }
            let stamp = Stamp::of(rule, who, &self.shared.spanning);
            let known = stamps.get(..before).unwrap_or_default();
            let same = known.iter().skip(first(known, &stamp.rule));
            let mut same = same.take_while(|own| own.rule == stamp.rule);
            if !same.any(|own| own.shares_counter_with(&stamp)) {
                stamps.push(stamp);
            }
        }
        Ok(asked)
    }

    /// The asks that no approval of a scope lets this part of one pass.
    fn not_passed(
        &self,
        capability: &Capability,
        asks: Deciders,
        approvals: &mut Vec<Arc<OpenQuestion>>,
    ) -> Deciders {
        let OfferInputs { current, life, holder, now, .. } = *self;
        if life.questions().is_none() {
            return asks;
        }
        let above = self.parent.into_iter().flat_map(|parent| life.holders(parent));
        let parties: Vec<&Identity> = above.chain([&*self.cell.requester]).collect();
        let passing = Passing { current, life, holder, parties: &parties, now };
        let covers = |scope: &Capability| capability.is_within(scope, self.meter);
        let mut left = Vec::new();
        for at in asks.iter() {
            let ask = current.policy.rule(*at);
            match ask.and_then(|ask| self.shared.passes(&passing, &ask.id, covers)) {
                None => left.push(*at),
                Some((open, _)) if approvals.iter().any(|own| Arc::ptr_eq(own, &open)) => {}
                Some((open, _)) => approvals.push(open),
            }
        }
        left.into_iter().collect()
    }
}

/// The asks that withhold a capability from a party.
struct Asked {
    asks: Deciders,
    permits: Deciders,
    denial: Denial,
}

impl Withheld {
    fn add(&mut self, at: usize, Asked { asks, permits, denial }: Asked) {
        self.items.entry(at).or_default().join(&asks);
        self.asks.join(&asks);
        self.permits.join(&permits);
        self.denial.get_or_insert(denial);
    }

    /// The denial of the first that is withheld, by all asks.
    pub(super) fn denial(&self, current: &Current) -> Denial {
        let first = self.denial.clone();
        first
            .unwrap_or_else(|| Denial::new(Reason::ApprovalRequired))
            .by_rules(current.ids(&self.asks))
    }
}

impl Proposal {
    /// What is given, if no ask withholds any of it.
    pub(super) fn agreed(self) -> Result<Offer, Box<Withheld>> {
        let Proposal { offer, mut withheld } = self;
        if withheld.items.is_empty() {
            return Ok(offer);
        }
        withheld.capabilities = offer.terms.scope.into_iter().map(|own| own.capability).collect();
        Err(Box::new(withheld))
    }

    /// What is given where people are not asked: of grants that were given before.
    pub(super) fn unasked(self, current: &Current) -> Result<Offer, Denial> {
        self.agreed().map_err(|withheld| withheld.denial(current))
    }

    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// What limits the other, or withholds it, does so here.
    pub(super) fn narrow_by(&mut self, other: Proposal) {
        self.offer.narrow_by(other.offer);
        let Withheld { items, asks, permits, capabilities: _, denial } = other.withheld;
        for (at, own) in items {
            self.withheld.items.entry(at).or_default().join(&own);
        }
        self.withheld.asks.join(&asks);
        self.withheld.permits.join(&permits);
        self.withheld.denial = self.withheld.denial.take().or(denial);
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
        self.rules.push(rule.clone());
    }
}
