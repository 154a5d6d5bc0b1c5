//! A search for access: the rules asked with a part of the question left open.

use std::fmt;

use super::super::Policy;
use super::super::compiled::Compiled;
use super::super::decide::Verdict;
use super::super::decision::{Decision, RulesQuestion};
use super::super::moment::Moment;
use super::super::question::Setting;
use super::super::regions::{
    Fixed, OfTool, Outcome, Prepared, RulesByTool, ToolSearch, found_call, known_domain,
    named_tools,
};
use super::super::seen::Seen;
use super::found::{Access, Accesses, Left};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::purpose::Purpose;
use crate::scope::{Fact, Readings};
use crate::value::Value;

/// The steps that one search may take, and the rules of one tool for what is known: who asks waits for an answer.
const STEPS: u64 = 2_000_000;

/// How many searches are made for one answer.
const MOST_SEARCHES: usize = 20_000;

/// How many accesses are told.
const MOST_TOLD: usize = 10_000;

/// The rules asked with a part of the question left open: [`Policy::search`].
///
/// Calls are looked at as [`Policy::decide`] looks at them: each as the first of its task, presented by its bearer. No
/// grant is looked at, and nothing is permitted by an answer.
pub struct AccessSearch<'s> {
    policy: &'s Policy,
    rules: [RulesByTool<'s>; 1],
    /// Every tool that the policy names.
    named: Value,
    why: &'s Purpose,
    context: &'s Context,
    now: Timestamp,
}

impl fmt::Debug for AccessSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccessSearch { policy, why, context, now, .. } = self;
        f.debug_struct("AccessSearch")
            .field("policy", policy)
            .field("why", why)
            .field("context", context)
            .field("now", now)
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// Asks the rules with a part of the question left open, for this purpose, in this context, at this time.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Policy, Rule};
    /// use hallpass::prelude::*;
    /// use hallpass::scope::{above, has_any, max};
    ///
    /// let payers = Rule::permit("payers").who_groups(has_any(["payers"]));
    /// let policy = Policy::builder()
    ///     .rule(payers.tool("bank.pay").arg("amount", above(0).and(max(500))))
    ///     .rule(Rule::forbid("freeze").tool("bank.pay").arg("amount", above(400)))
    ///     .build()?;
    /// # let broker = Broker::new(policy.clone())?;
    /// let ana = broker.assert_identity(Assertion::human("ana").group("payers"))?;
    /// let ben = broker.assert_identity(Assertion::human("ben"))?;
    /// let (why, context) = (Purpose::new("pay-bill"), Context::new());
    /// let search = policy.search(&why, &context, Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?);
    ///
    /// // What she can do, with the constraints that are left over.
    /// let hers = search.what_can(&ana)?;
    /// assert_eq!(
    ///     hers.to_string(),
    ///     "`bank.pay` by `payers`, where {\"args\":{\"amount\":{\"above\":0,\"max\":500}}}; \
    ///      `freeze` forbids where `args.amount` {\"above\":400}; permitted: {\"amount\":400}\n",
    /// );
    /// assert!(search.what_can(&ben)?.is_shown_empty());
    ///
    /// // Who can do this, and who can use the tool at all.
    /// let call = Call::new("bank.pay", serde_json::json!({ "amount": 98 }))?;
    /// let who = search.who_can(&call, [&ana, &ben])?;
    /// assert!(who.iter().map(|(who, _)| who.subject().as_str()).eq(["ana"]));
    /// assert_eq!(search.who_can_use("bank.pay", [&ana, &ben])?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn search<'s>(
        &'s self,
        why: &'s Purpose,
        context: &'s Context,
        now: Timestamp,
    ) -> AccessSearch<'s> {
        let rules = [RulesByTool::of(&self.0)];
        let named = named_tools(&[&*self.0], &rules).into_iter().map(Value::from).collect();
        AccessSearch { policy: self, rules, named: Value::List(named), why, context, now }
    }
}

impl<'s> AccessSearch<'s> {
    /// Which of these identities may make the call, or may after people were asked, and what the rules say of each.
    ///
    /// # Errors
    /// As [`Policy::decide`]: the call, the purpose or the context is not well formed, or asking about one of them costs
    /// too much.
    pub fn who_can<'i>(
        &self,
        call: &Call,
        among: impl IntoIterator<Item = &'i Identity>,
    ) -> Result<Vec<(&'i Identity, Decision<'s>)>, Denial> {
        let mut found = Vec::new();
        for who in among {
            let decision = self.policy.decide(who, self.why, call, self.context, self.now)?;
            if decision.is_permit() || decision.is_ask() {
                found.push((who, decision));
            }
        }
        Ok(found)
    }

    /// Which of these identities may make some call of the tool, or may after people were asked, and which calls; also
    /// those of whom it can't be told.
    ///
    /// # Errors
    /// The purpose or the context is not well formed, or the tool is not in the catalogue.
    pub fn who_can_use<'i>(
        &self,
        tool: &str,
        among: impl IntoIterator<Item = &'i Identity>,
    ) -> Result<Vec<(&'i Identity, Accesses)>, Denial> {
        let mut found = Vec::new();
        for who in among {
            let own = self.what_can_with(tool, who)?;
            if !own.is_shown_empty() {
                found.push((who, own));
            }
        }
        Ok(found)
    }

    /// What this identity may call, with the constraints that are left over: of every tool that the policy names, and of
    /// those that it does not name where a permit speaks of any.
    ///
    /// # Errors
    /// The purpose or the context is not well formed.
    pub fn what_can(&self, who: &Identity) -> Result<Accesses, Denial> {
        let mut all = Accesses::default();
        let mut searches = MOST_SEARCHES;
        let Value::List(named) = &self.named else { return Ok(all) };
        for tool in named.iter().map(Value::as_text).chain([None]) {
            self.of_tool(tool, who, &mut searches, &mut all)?;
        }
        Ok(all)
    }

    /// The same of one tool.
    ///
    /// # Errors
    /// The purpose or the context is not well formed, or the tool is not in the catalogue.
    pub fn what_can_with(&self, tool: &str, who: &Identity) -> Result<Accesses, Denial> {
        self.policy.0.catalogue.find(tool)?;
        let mut all = Accesses::default();
        self.of_tool(Some(tool), who, &mut MOST_SEARCHES.clone(), &mut all)?;
        Ok(all)
    }

    fn of_tool(
        &self,
        tool: Option<&str>,
        who: &Identity,
        searches: &mut usize,
        all: &mut Accesses,
    ) -> Result<(), Denial> {
        let policy: &Compiled = &self.policy.0;
        let purpose = self
            .why
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedPurpose).because(error))?;
        let context = self
            .context
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedContext).because(error))?;
        let nothing = Value::List(Vec::new());
        let listed = tool.and_then(|tool| policy.catalogue.get(tool));
        let labels = listed.map_or(&nothing, |own| &own.labels);
        // Of the call's own tool, the labels are seen with it.
        let seen = Seen::nothing().with(labels, "", None);
        let (now_text, readings) = (Value::from(self.now.to_string()), Readings::new());
        let meter = Meter::of(STEPS);
        let setting = Setting {
            moment: Moment::Call,
            who,
            purpose,
            context,
            seen: seen.as_ref().unwrap_or(Seen::nothing()),
            now: self.now,
            now_text: Some(&now_text),
            meter: &meter,
            readings: &readings,
        };
        let fixed = Fixed { tool, form: Form::Bearer };
        let [rules] = &self.rules;
        let speaking = OfTool::of(policy, rules.of_tool(tool), fixed, &meter);
        let left = |own: &[Prepared<'s>]| -> Vec<Prepared<'s>> {
            own.iter().filter_map(|own| own.left_in(&setting)).collect()
        };
        let (permits, asks, forbids) =
            (left(&speaking.permits), left(&speaking.asks), left(&speaking.forbids));
        if meter.is_spent() {
            // What could not be asked any more is not known to fail, nor which permits there are.
            all.is_cut |= speaking.is_cut;
            all.undecided.extend(speaking.permits.iter().map(|own| own.rule.id.clone()));
            return Ok(());
        }
        let known = |fact: &Fact| known_domain(fact, &setting);
        let search = match listed {
            Some(listed) => ToolSearch::of_tool(&listed.typed, Vec::new()),
            None => ToolSearch::elsewhere(&self.named),
        };
        let search = search.knowing(&known);
        let is_so = |found, wanted: fn(&Verdict) -> bool| {
            let call = found_call(&found, tool)?;
            let (why, context, now) = (self.why, self.context, self.now);
            let question = RulesQuestion::first_call(who, why, &call, context, now);
            question.verdict(policy).is_ok_and(|own| wanted(&own)).then_some(call)
        };
        for permit in &permits {
            if all.found.len() >= MOST_TOLD {
                all.is_cut = true;
                return Ok(());
            }
            let mut is_decided = true;
            let mut settle = |outcome| match outcome {
                Outcome::Found(call) => Some(call),
                Outcome::Nothing => None,
                Outcome::Undecided => {
                    is_decided = false;
                    None
                }
            };
            let guards = || forbids.iter().chain(&asks);
            let permitted =
                search.find(&[permit], guards(), (&mut *searches, STEPS), &mut |found| {
                    is_so(found, |own| matches!(own, Verdict::Permit(_)))
                });
            let permitted = settle(permitted);
            let asked = asks.iter().find_map(|ask| {
                let within = [permit, ask];
                settle(search.find(
                    &within,
                    forbids.iter(),
                    (&mut *searches, STEPS),
                    &mut |found| is_so(found, |own| matches!(own, Verdict::Ask { .. })),
                ))
            });
            if !is_decided {
                all.undecided.insert(permit.rule.id.clone());
            }
            if permitted.is_some() || asked.is_some() {
                let met = guards().filter(|own| permit.may_meet(own, &Meter::of(STEPS)));
                all.found.push(Access {
                    tool: tool.map(Box::from),
                    permit: left_of(permit),
                    guards: met.map(left_of).collect(),
                    permitted,
                    asked,
                });
            }
        }
        Ok(())
    }
}

fn left_of(own: &Prepared<'_>) -> Left {
    Left {
        rule: own.rule.id.clone(),
        effect: own.rule.effect,
        conditions: own.conditions().to_vec(),
        says: own.to_object(),
    }
}
