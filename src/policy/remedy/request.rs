//! The nearest yes to a request: other facts of who asks, why and when, and less that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::Policy;
use super::super::compiled::Compiled;
use super::super::deciders::Deciders;
use super::super::effect::Effect;
use super::super::index::Side;
use super::super::moment::Moment;
use super::super::question::Setting;
use super::super::regions::{Fixed, Outcome, Prepared, ToolSearch};
use super::super::request::{Answer, decide_request};
use super::super::rule::Rule;
use super::super::seen::Seen;
use super::super::wanted::{Wanted, When};
use super::changed::{Changes, setting_of};
use super::{Change, Remedy};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::purpose::Purpose;
use crate::scope::{Capability, Condition, Domain, Fact, Facts, Found, Readings, Scope};
use crate::value::Value;

/// How many are told of one capability.
const MOST_TOLD: usize = 3;

/// How many permits of the tool are looked at.
const MOST_PERMITS: usize = 64;

/// How many forbids are taken out of what is asked for, one after the other.
const MOST_FORBIDS: usize = 3;

/// The steps that one search may take.
const STEPS: u64 = 500_000;

impl Policy {
    /// The smallest changes of a request after which the rules give it, or ask people about it, for each capability of the
    /// scope that they don't give as it is, by its number: of the identity, the purpose, the time or the context, and of
    /// what is asked for (`scope`), of which a part may be given. At most three of each, the smallest first.
    ///
    /// Each was asked of the rules. It is for operators, never for an agent, which would learn what to claim. Looked
    /// at are permits that speak at requests and at calls, as they do unless they say otherwise.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Policy, Rule};
    /// use hallpass::prelude::*;
    /// use hallpass::scope::{eq, max, min};
    ///
    /// let payers = Rule::permit("payers").tool("bank.pay").arg("amount", min(0).and(max(500)));
    /// let policy = Policy::builder().rule(payers.when("env", eq("prod"))).build()?;
    /// # let broker = Broker::new(policy.clone())?;
    /// let agent = broker.assert_identity("agent-7")?;
    /// let scope = Scope::tool("bank.pay").arg("amount", min(0).and(max(900)));
    /// let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?;
    /// let found = policy.nearest_grant(&agent, &Purpose::new("pay-bill"), &scope, &Context::new(), now)?;
    /// assert_eq!(
    ///     found[&0][0].to_string(),
    ///     "`payers` permits it with `when.env` \"prod\", and with `scope` {\"args\":{\"amount\":{\"max\":500,\"min\":0}},\
    ///      \"tool\":\"bank.pay\"} in the place of {\"args\":{\"amount\":{\"max\":900,\"min\":0}},\"tool\":\"bank.pay\"}",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The [`Denial`] that a request would get before any rule is asked: the purpose, the context or the scope is malformed,
    /// or a tool is not in the catalogue.
    pub fn nearest_grant(
        &self,
        who: &Identity,
        why: &Purpose,
        scope: &Scope,
        context: &Context,
        now: Timestamp,
    ) -> Result<BTreeMap<usize, Vec<Remedy>>, Denial> {
        let asked = AskedFor { policy: &self.0, who, why, context, now };
        asked.check()?;
        let malformed = |error| Denial::new(Reason::MalformedScope).because(error);
        let mut capabilities = scope.capabilities().map_err(malformed)?;
        self.0.catalogue.canonical(&mut capabilities)?;
        let mut all = BTreeMap::new();
        for (at, capability) in capabilities.iter().enumerate() {
            let tool = capability.tool.as_str();
            self.0.catalogue.find(tool)?;
            let found = match asked.standing(capability) {
                Some(Answer::Covered(_)) => continue,
                // It takes too many steps to tell: not given, and nothing is known to be nearest.
                None => Vec::new(),
                Some(Answer::Ask { asks, permits }) => asked.as_it_is(&asks, &permits),
                Some(Answer::Forbidden(_) | Answer::NotCovered) => asked.remedies(capability),
            };
            all.insert(at, found);
        }
        Ok(all)
    }
}

/// A request, but for what is asked for.
#[derive(Clone, Copy)]
struct AskedFor<'a> {
    policy: &'a Compiled,
    who: &'a Identity,
    why: &'a Purpose,
    context: &'a Context,
    now: Timestamp,
}

impl<'a> AskedFor<'a> {
    fn check(&self) -> Result<(), Denial> {
        let purpose = |error| Denial::new(Reason::MalformedPurpose).because(error);
        let context = |error| Denial::new(Reason::MalformedContext).because(error);
        self.why.checked().map_err(purpose)?;
        self.context.checked().map_err(context)?;
        Ok(())
    }

    /// What `tell` makes of one capability in this setting; `None` where that can't be meant.
    fn ask<T>(&self, capability: &Capability, tell: impl FnOnce(&Wanted<'_>) -> T) -> Option<T> {
        let AskedFor { policy, who, why, context, now } = *self;
        let tool = capability.tool.as_str();
        let labels = policy.catalogue.labels_of(tool)?;
        let seen = match policy.looks_at_history {
            true => Seen::nothing().with(labels, tool, None),
            false => None,
        };
        let (meter, readings) = (Meter::of_question(capability.size()), Readings::new());
        let time = policy.time(now);
        let setting = Setting {
            moment: Moment::Request,
            who,
            purpose: why.checked().ok()?,
            context: context.checked().ok()?,
            seen: seen.as_ref().unwrap_or(Seen::nothing()),
            now,
            now_text: time.as_ref(),
            meter: &meter,
            readings: &readings,
        };
        let told = tell(&Wanted { setting, capability, labels, when: When::Asked, is_first: true });
        meter.check().ok()?;
        Some(told)
    }

    fn standing(&self, capability: &Capability) -> Option<Answer> {
        self.ask(capability, |wanted| decide_request(self.policy, wanted))
    }

    fn ids(&self, rules: &Deciders) -> Vec<Arc<str>> {
        rules.as_slice().iter().filter_map(|at| Some(self.policy.rule(*at)?.id.clone())).collect()
    }

    /// The rest is in order: a change would be no smaller.
    fn as_it_is(&self, asks: &Deciders, permits: &Deciders) -> Vec<Remedy> {
        let approvals = self.ids(asks);
        let rule = self.ids(permits).into_iter().next();
        let remedy = |rule| Remedy { rule, changes: Vec::new(), approvals };
        rule.map(remedy).into_iter().collect()
    }

    fn remedies(&self, capability: &Capability) -> Vec<Remedy> {
        let tool = capability.tool.as_str();
        let permits = self.policy.index.all(Side::Permits, tool).take(MOST_PERMITS);
        let permits = permits.filter_map(|at| self.policy.rule(at));
        let mut found: Vec<Remedy> =
            permits.filter_map(|permit| self.by_permit(capability, permit)).collect();
        found.sort_by_key(Remedy::size);
        found.truncate(MOST_TOLD);
        found
    }

    /// The smallest change after which a permit gives it, or some of it.
    fn by_permit(&self, capability: &Capability, permit: &Rule) -> Option<Remedy> {
        if !permit.speaks_at(Moment::Request) {
            return None;
        }
        let wanted = self.ask(capability, |wanted| {
            let own = permit.conditions.iter().filter(|own| !own.fact.is_of_the_call());
            let otherwise = own.filter(|own| !wanted.is_true_at_all(own));
            otherwise.map(|own| own.fact.clone()).collect::<BTreeSet<Fact>>()
        })?;
        let guards = self.policy.index.all(Side::Guards, capability.tool.as_str());
        let forbids: Vec<&Rule> = guards
            .filter_map(|at| self.policy.rule(at))
            .filter(|own| own.effect == Effect::Forbid)
            .take(MOST_PERMITS)
            .collect();
        // Parts that forbids look at, which may have to be others, too.
        let looked_at = forbids.iter().flat_map(|own| &own.conditions).map(|own| &own.fact);
        let more: BTreeSet<&Fact> = looked_at
            .filter(|own| !own.is_of_the_call() && !wanted.contains(own) && is_stated(own))
            .collect();
        let choices = [None].into_iter().chain(more.into_iter().map(Some));
        let found = choices.filter_map(|more| {
            let mut free = wanted.clone();
            free.extend(more.cloned());
            let escaped = if more.is_some() { &forbids[..] } else { &[] };
            self.with_free(capability, permit, &free, escaped)
        });
        found.min_by_key(Remedy::size)
    }

    /// The same where these facts may be others, which they have to be.
    fn with_free(
        &self,
        capability: &Capability,
        permit: &Rule,
        free: &BTreeSet<Fact>,
        escaped: &[&Rule],
    ) -> Option<Remedy> {
        if free.is_empty() {
            return self.given(capability, permit, &Changes::new());
        }
        if !free.iter().all(is_stated) {
            return None;
        }
        let tool = capability.tool.as_str();
        let listed = self.policy.catalogue.get(tool)?;
        let fixed = Fixed { tool: Some(tool), form: Form::Bearer };
        let meter = Meter::of(STEPS);
        let own = Prepared::of(permit, &listed.labels, fixed, &meter)?;
        let escaped =
            escaped.iter().filter_map(|own| Prepared::of(own, &listed.labels, fixed, &meter));
        let escaped: Vec<Prepared<'_>> = escaped.collect();
        let known = |fact: &Fact| match free.contains(fact) {
            true => None,
            false if fact.is_of_the_call() => call_domain(capability, fact),
            false => self.ask(capability, |wanted| match wanted.fact(fact) {
                Some(value) => Domain::exactly(value.clone()),
                None => Domain::nothing(),
            }),
        };
        let labels = match &listed.labels {
            Value::List(labels) => labels.clone(),
            _ => Vec::new(),
        };
        let search = ToolSearch::of_tool(&listed.typed, labels).knowing(&known);
        let found = search.find(&[&own], escaped.iter(), (&mut 64, STEPS), &mut |found: Found| {
            let mut changes = Changes::new();
            for fact in free {
                let is = found.get(fact).cloned();
                let was = self.ask(capability, |wanted| wanted.fact(fact).cloned())?;
                if is != was {
                    changes.insert(fact.clone(), is);
                }
            }
            self.given(capability, permit, &changes)
        });
        match found {
            Outcome::Found(remedy) => Some(remedy),
            Outcome::Nothing | Outcome::Undecided => None,
        }
    }

    /// What is given with these changes: all of it, or a part that the permit covers and no forbid takes.
    fn given(&self, capability: &Capability, permit: &Rule, changes: &Changes) -> Option<Remedy> {
        let (who, why, context, now) =
            setting_of(self.policy, (self.who, self.why, self.context, self.now), changes)?;
        let (who, why, context) = (&who, &why, &context);
        let changed = AskedFor { policy: self.policy, who, why, context, now };
        let mut parts = vec![capability.clone()];
        // What is left of it where one forbid after the other takes none.
        for _ in 0..=MOST_FORBIDS {
            let mut forbidden = Vec::new();
            for part in parts {
                let approvals = match changed.standing(&part)? {
                    Answer::Covered(_) => Vec::new(),
                    Answer::Ask { asks, .. } => changed.ids(&asks),
                    Answer::Forbidden(rules) => {
                        forbidden.push((part, rules));
                        continue;
                    }
                    Answer::NotCovered => {
                        let own = changed.ask(&part, |wanted| permit.parts_of(wanted))?;
                        let smaller = own.into_iter().filter(|own| *own != part);
                        forbidden.extend(smaller.map(|own| (own, Deciders::default())));
                        continue;
                    }
                };
                return Some(self.remedy(permit, changes, (capability, part), approvals));
            }
            parts = forbidden
                .into_iter()
                .flat_map(|(part, rules)| {
                    let first = rules.as_slice().first().and_then(|at| self.policy.rule(*at));
                    match first {
                        None => vec![part],
                        Some(forbid) => {
                            let left =
                                |wanted: &Wanted<'_>| forbid.outside_of(part.clone(), wanted);
                            changed.ask(&part, left).unwrap_or_default()
                        }
                    }
                })
                .collect();
        }
        None
    }

    fn remedy(
        &self,
        permit: &Rule,
        changes: &Changes,
        (capability, part): (&Capability, Capability),
        approvals: Vec<Arc<str>>,
    ) -> Remedy {
        let was = |fact: &Fact| self.ask(capability, |wanted| wanted.fact(fact).cloned()).flatten();
        let changed = changes.iter().map(|(fact, is)| Change {
            part: fact.to_string().into(),
            was: was(fact),
            is: is.clone(),
        });
        let less = (part != *capability).then(|| Change {
            part: "scope".into(),
            was: Some(capability.to_value()),
            is: Some(part.to_value()),
        });
        let changes = changed.chain(less).collect();
        Remedy { rule: permit.id.clone(), changes, approvals }
    }
}

/// Whether a host states it: what the task has seen is the broker's to say, and labels are the catalogue's.
fn is_stated(fact: &Fact) -> bool {
    !matches!(fact, Fact::Seen | Fact::Labels | Fact::Tool)
}

/// What calls of the capability may have there.
fn call_domain(capability: &Capability, fact: &Fact) -> Option<Domain> {
    let own = capability.conditions.iter().find(|own: &&Condition| own.fact == *fact);
    own.map(|own| Domain::of(own.constraint.clone()))
}
