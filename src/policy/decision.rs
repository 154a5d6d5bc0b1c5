//! What the rules alone say to one call: for policy authors, their tests, and tools that explain.

use std::fmt;

use super::Policy;
use super::compiled::Compiled;
use super::decide::{Verdict, decide};
use super::effect::Effect;
use super::moment::Moment;
use super::question::{Question, Setting, What};
use super::seen::Seen;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::form::Form;
use crate::identity::{Assertion, Attestor, Identity, IdentityError};
use crate::meter::Meter;
use crate::purpose::Purpose;
use crate::scope::Readings;

/// What the rules say to one call. It says nothing of grants, and permits nothing.
///
/// Nor is a permit all that it can be: that there is a decision only means that rules could be asked.
#[derive(Clone)]
#[must_use = "a decision may be a denial: look at `is_permit`"]
pub struct Decision<'p> {
    policy: &'p Compiled,
    verdict: Verdict,
}

impl Policy {
    /// Asks the rules about one call, at `now`, as the first of its task: no grant, no token and no
    /// log is looked at, and nothing is permitted.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Effect, Policy, Rule};
    /// use hallpass::prelude::*;
    /// use hallpass::scope::{eq, max};
    ///
    /// let policy = Policy::builder()
    ///     .rule(Rule::permit("small-payments").tool("bank.pay").arg("amount", max(500)))
    ///     .rule(Rule::forbid("freeze").when("frozen", eq(true)))
    ///     .build()?;
    /// # let broker = Broker::new(policy.clone())?;
    /// let payer = broker.assert_identity("agent-7")?;
    /// let why = Purpose::new("pay-bill");
    /// let call = Call::new("bank.pay", serde_json::json!({ "amount": 98 }))?;
    /// let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?;
    ///
    /// let usual = Context::new().with("frozen", false);
    /// let decision = policy.decide(&payer, &why, &call, &usual, now)?;
    /// assert!(decision.is_permit());
    /// assert!(decision.rules().eq(["small-payments"]));
    ///
    /// // A forbid acts where it cannot tell, too.
    /// let decision = policy.decide(&payer, &why, &call, &Context::new(), now)?;
    /// assert_eq!(decision.effect(), Some(Effect::Forbid));
    /// assert!(decision.rules().eq(["freeze"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The [`Denial`] that a gate would give before it asks any rule: the purpose, the call's
    /// resource, a typed argument or the context is malformed, or the tool is not in the catalogue; and
    /// [`Reason::TooCostly`].
    pub fn decide(
        &self,
        who: &Identity,
        why: &Purpose,
        call: &Call,
        context: &Context,
        now: Timestamp,
    ) -> Result<Decision<'_>, Denial> {
        let policy = &*self.0;
        let verdict = RulesQuestion::first_call(who, why, call, context, now).verdict(policy)?;
        Ok(Decision { policy, verdict })
    }
}

impl Policy {
    /// Attests somebody whom no broker knows: for those who ask the rules alone, such as tests of a policy and a reader of
    /// the log.
    pub(crate) fn attest_for_rules(&self, who: Assertion) -> Result<Identity, IdentityError> {
        Attestor::folding(0, self.0.fold).attest(who)
    }

    /// As [`decide`](Self::decide), of a call of a task that has seen this.
    pub(crate) fn decide_after(
        &self,
        (who, why, call, context): (&Identity, &Purpose, &Call, &Context),
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Decision<'_>, Denial> {
        let policy = &*self.0;
        let first = RulesQuestion::first_call(who, why, call, context, now);
        let question = RulesQuestion { seen, ..first };
        Ok(Decision { policy, verdict: question.verdict(policy)? })
    }
}

/// A call that the rules alone are asked about.
#[derive(Clone, Copy)]
pub(super) struct RulesQuestion<'q> {
    pub(super) who: &'q Identity,
    pub(super) why: &'q Purpose,
    pub(super) call: &'q Call,
    pub(super) context: &'q Context,
    /// The labels of earlier calls of its task, and what was noted of them.
    pub(super) seen: &'q Seen,
    pub(super) now: Timestamp,
    pub(super) form: Form,
    pub(super) moment: Moment,
}

impl<'q> RulesQuestion<'q> {
    /// The first call of its task, presented by its bearer.
    pub(super) fn first_call(
        who: &'q Identity,
        why: &'q Purpose,
        call: &'q Call,
        context: &'q Context,
        now: Timestamp,
    ) -> Self {
        let (seen, form, moment) = (Seen::nothing(), Form::Bearer, Moment::Call);
        RulesQuestion { who, why, call, context, seen, now, form, moment }
    }

    /// # Errors
    /// As [`Policy::decide`].
    pub(super) fn verdict(self, policy: &Compiled) -> Result<Verdict, Denial> {
        self.ask(policy, |question| decide(policy, question))
    }

    /// What `tell` makes of the question as rules see it.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    pub(super) fn ask<T>(
        self,
        policy: &Compiled,
        tell: impl FnOnce(&Question<'_>) -> T,
    ) -> Result<T, Denial> {
        let RulesQuestion { who, why, call, context, now, moment, .. } = self;
        let purpose =
            why.checked().map_err(|error| Denial::new(Reason::MalformedPurpose).because(error))?;
        let context = context
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedContext).because(error))?;
        let listed = policy.catalogue.find(call.tool())?;
        let canonical = listed.typed.canonical_call(call)?;
        let what = What::of(canonical.as_ref().unwrap_or(call), listed)?;
        let what = What { form: self.form, ..what };
        // Of this call's own tool, the labels are seen with it.
        let seen = match policy.looks_at_history {
            true => self.seen.with(what.labels, what.tool, None),
            false => None,
        };
        let time = policy.time(now);
        let meter = Meter::of_question(call.args().size());
        let readings = Readings::new();
        let setting = Setting {
            moment,
            who,
            purpose,
            context,
            seen: seen.as_ref().unwrap_or(self.seen),
            now,
            now_text: time.as_ref(),
            meter: &meter,
            readings: &readings,
        };
        let told = tell(&Question { setting, what });
        meter.check()?;
        Ok(told)
    }
}

/// Shows the effect and the rules that decided.
impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("effect", &self.effect())
            .field("rules", &self.rules().collect::<Vec<_>>())
            .finish()
    }
}

impl Decision<'_> {
    /// Whether a permit applies, and no ask or forbid.
    pub fn is_permit(&self) -> bool {
        self.effect() == Some(Effect::Permit)
    }

    /// Whether a permit applies and no forbid, and people have to agree first.
    pub fn is_ask(&self) -> bool {
        self.effect() == Some(Effect::Ask)
    }

    /// The effect that decided; `None` where no permit applies, which is a denial.
    pub fn effect(&self) -> Option<Effect> {
        match &self.verdict {
            Verdict::Permit(_) => Some(Effect::Permit),
            Verdict::Ask { .. } => Some(Effect::Ask),
            Verdict::Forbid(_) => Some(Effect::Forbid),
            Verdict::NoPermit => None,
        }
    }

    /// The rules that decided, in the order of their ids.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        let rules = match &self.verdict {
            Verdict::Permit(rules) | Verdict::Ask { asks: rules, .. } | Verdict::Forbid(rules) => {
                rules.as_slice()
            }
            Verdict::NoPermit => &[],
        };
        rules.iter().filter_map(|at| self.policy.rule(*at)).map(|rule| &*rule.id)
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Timestamp;
    use crate::prelude::*;

    #[test]
    fn a_decision_and_a_policy_print_what_they_come_to_and_not_every_rule() {
        let rules = (0..1000).map(|n| Rule::permit(format!("r{n}")).tool("t"));
        let policy = Policy::builder().rules(rules).build().unwrap();
        let broker = Broker::new(policy.clone()).unwrap();
        let agent = broker.assert_identity("a").unwrap();
        let ask = |tool| {
            let call = Call::new(tool, serde_json::json!({})).unwrap();
            let context = Context::new();
            let why = Purpose::new("errand");
            let decision = policy.decide(&agent, &why, &call, &context, Timestamp::MIN).unwrap();
            format!("{decision:?}")
        };
        assert_eq!(ask("u"), "Decision { effect: None, rules: [] }");
        assert!(ask("t").starts_with("Decision { effect: Some(Permit), rules: [\"r0\", \"r1\""));
        let digest = policy.digest();
        assert_eq!(
            format!("{policy:?}"),
            format!("Policy {{ rules: 1000, digest: {digest:?}, .. }}")
        );
    }
}
