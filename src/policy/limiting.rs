//! Permits that limit what others give.

use super::Policy;
use super::effect::Effect;
use super::limits::Limits;
use super::rule::{Rule, Tools};
use crate::meter::Meter;
use crate::scope::Region;

/// The steps that comparing a permit with another may take.
const STEPS: u64 = 20_000;

impl Policy {
    /// Whether what another permit gives may be limited by this one, too: where both give something, the limits of both
    /// are kept. Were it to give less, what it gives no more would be given under the other's limits alone.
    pub(crate) fn may_limit_others(&self, permit: &str) -> bool {
        let rules = &self.0.rules;
        let Some(own) = rules.iter().find(|rule| *rule.id == *permit) else { return false };
        let others = rules.iter().filter(|rule| rule.effect == Effect::Permit && rule.id != own.id);
        others.into_iter().any(|other| own.adds_limits_to(other) && own.may_give_as(other))
    }
}

impl Rule {
    /// Whether its limits are not those of another anyway. What is counted is counted for each rule.
    fn adds_limits_to(&self, other: &Rule) -> bool {
        let (own, its) = (&*self.limits, &*other.limits);
        // Where nothing is said, grants still have the broker's lifetime, and what tools run with has none beyond it.
        let says_nothing = *own == Limits::default() && its.ttl.is_none() && its.tail.is_none();
        own.count_calls() || (!says_nothing && own != its)
    }

    /// Whether two permits may give the same.
    fn may_give_as(&self, other: &Rule) -> bool {
        let share_a_tool = match (&self.tools, &other.tools) {
            (Tools::Named(own), Tools::Named(its)) => own.iter().any(|name| its.contains(name)),
            // Names are not compared with what names are like.
            _ => true,
        };
        let region = |rule| Region::covered(Rule::cover(rule));
        share_a_tool && region(self).may_meet(&region(other), &Meter::of(STEPS))
    }
}
