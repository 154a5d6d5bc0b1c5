//! A recorded question, asked again.

use std::collections::BTreeSet;

use super::Policy;
use super::catalogue::Catalogue;
use super::decide::Verdict;
use super::deciders::Deciders;
use super::decision::RulesQuestion;
use super::effect::Effect;
use super::moment::Moment;
use super::question::Setting;
use super::request::{Answer, decide_request};
use super::rule::{Rule, Tools};
use super::seen::Seen;
use super::wanted::{Wanted, When};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::purpose::Purpose;
use crate::scope::{Fact, Readings, Scope, Stance, Truth};
use crate::value::Value;

use super::tool_alone::tool_holds;

/// What the rules about a tool look at.
#[derive(Debug, Default)]
pub(crate) struct AskedFacts {
    pub(crate) facts: BTreeSet<Fact>,
    /// How the token was presented, too.
    pub(crate) form: bool,
}

/// A question as a record and the values next to it have it.
pub(crate) struct RecordedQuestion<'r> {
    pub(crate) who: &'r Identity,
    pub(crate) why: &'r Purpose,
    pub(crate) call: &'r Call,
    pub(crate) context: &'r Context,
    /// The labels that the task had seen, and what was noted in it.
    pub(crate) seen: &'r Seen,
    pub(crate) now: Timestamp,
    pub(crate) form: Form,
    pub(crate) moment: Moment,
}

/// A request as a record and the values next to it have it.
pub(crate) struct RecordedRequest<'r> {
    /// Who had to be permitted, at which moment: all of a round are asked about each capability before the next one is
    /// looked at, and the next round comes after that.
    pub(crate) rounds: &'r [Vec<(Identity, Moment)>],
    pub(crate) why: &'r Purpose,
    pub(crate) scope: &'r Scope,
    pub(crate) context: &'r Context,
    /// The labels that the task had seen.
    pub(crate) seen: &'r Value,
    pub(crate) now: Timestamp,
}

/// What the rules say to a recorded question.
#[derive(Debug)]
pub(crate) struct RuledAgain {
    /// `None` where no permit applies.
    pub(crate) effect: Option<Effect>,
    /// The rules that decide.
    pub(crate) rules: Vec<String>,
    /// The permits of what asks withhold.
    pub(crate) permits: Vec<String>,
}

impl Policy {
    /// What the rules that may speak of the tool at this moment look at, whether or not it comes to that.
    pub(crate) fn facts_asked(&self, tool: &str, moment: Moment) -> AskedFacts {
        let mut asked = AskedFacts::default();
        let meter = Meter::of_question(0);
        let may_speak = |rule: &&Rule| {
            rule.speaks_at(moment)
                && match &rule.tools {
                    Tools::Unsaid | Tools::Any => true,
                    Tools::Named(names) => names.iter().any(|name| **name == *tool),
                    Tools::Like(like) => {
                        tool_holds(like, tool, Stance::Guard, &meter) != Truth::False
                    }
                }
        };
        for rule in self.0.rules.iter().filter(may_speak) {
            asked.form |= rule.presentation.is_some();
            for condition in rule.all_conditions() {
                asked.facts.insert(condition.fact.clone());
                condition.constraint.for_each_fact(&mut |fact| {
                    asked.facts.insert(fact.clone());
                });
            }
        }
        asked
    }

    /// # Errors
    /// As [`decide`](Policy::decide).
    pub(crate) fn decide_again(
        &self,
        recorded: &RecordedQuestion<'_>,
    ) -> Result<RuledAgain, Denial> {
        let policy = &*self.0;
        let RecordedQuestion { who, why, call, context, seen, now, form, moment } = *recorded;
        let question = RulesQuestion { who, why, call, context, seen, now, form, moment };
        let ids = |rules: &Deciders| {
            let rules = rules.iter().filter_map(|at| policy.rule(*at));
            rules.map(|rule| rule.id.to_string()).collect()
        };
        let (effect, rules, permits) = match question.verdict(policy)? {
            Verdict::Permit(rules) => (Some(Effect::Permit), ids(&rules), Vec::new()),
            Verdict::Ask { asks, permits } => (Some(Effect::Ask), ids(&asks), ids(&permits)),
            Verdict::Forbid(rules) => (Some(Effect::Forbid), ids(&rules), Vec::new()),
            Verdict::NoPermit => (None, Vec::new(), Vec::new()),
        };
        Ok(RuledAgain { effect, rules, permits })
    }

    /// # Errors
    /// A [`Denial`] of what is refused before any rule is asked.
    pub(crate) fn decide_request_again(
        &self,
        recorded: &RecordedRequest<'_>,
    ) -> Result<RuledAgain, Denial> {
        let policy = &*self.0;
        let RecordedRequest { rounds, why, scope, context, now, .. } = *recorded;
        let purpose =
            why.checked().map_err(|error| Denial::new(Reason::MalformedPurpose).because(error))?;
        let context = context
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedContext).because(error))?;
        let mut capabilities = scope
            .capabilities()
            .map_err(|error| Denial::new(Reason::MalformedScope).because(error))?;
        policy.catalogue.canonical(&mut capabilities)?;
        let (meter, time) = (Meter::of_question(scope.size()), policy.time(now));
        let nothing = Seen::nothing();
        let before = nothing.with(recorded.seen, "", None);
        let before = before.as_ref().unwrap_or(nothing);
        let ids = |rules: &Deciders| {
            let rules = rules.iter().filter_map(|at| policy.rule(*at));
            rules.map(|rule| rule.id.to_string()).collect::<Vec<_>>()
        };
        let (mut asked, mut permitted) = (BTreeSet::new(), BTreeSet::new());
        for round in rounds {
            for capability in &capabilities {
                let tool = capability.tool.as_str();
                let labels = policy.catalogue.labels_of(tool);
                let labels = labels.ok_or_else(|| Catalogue::unknown(tool))?;
                let seen = before.with(labels, tool, None);
                for (who, moment) in round {
                    let setting = Setting {
                        moment: *moment,
                        who,
                        purpose,
                        context,
                        seen: seen.as_ref().unwrap_or(before),
                        now,
                        now_text: time.as_ref(),
                        meter: &meter,
                        readings: &Readings::new(),
                    };
                    let party = (std::ptr::from_ref(who) as usize, *moment as u8);
                    let (when, is_first) = (When::Asked, meter.is_first(tool, party));
                    let wanted = Wanted { setting, capability, labels, when, is_first };
                    let refused = match decide_request(policy, &wanted) {
                        Answer::Covered(permits) => {
                            permitted.extend(ids(&permits));
                            continue;
                        }
                        Answer::Ask { asks, permits } => {
                            asked.extend(ids(&asks));
                            permitted.extend(ids(&permits));
                            continue;
                        }
                        Answer::Forbidden(forbids) => (Some(Effect::Forbid), ids(&forbids)),
                        Answer::NotCovered => (None, Vec::new()),
                    };
                    meter.check()?;
                    let (effect, rules) = refused;
                    return Ok(RuledAgain { effect, rules, permits: Vec::new() });
                }
            }
        }
        meter.check()?;
        let permits = permitted.into_iter().collect();
        Ok(match asked.is_empty() {
            true => {
                RuledAgain { effect: Some(Effect::Permit), rules: permits, permits: Vec::new() }
            }
            false => {
                let rules = asked.into_iter().collect();
                RuledAgain { effect: Some(Effect::Ask), rules, permits }
            }
        })
    }
}
