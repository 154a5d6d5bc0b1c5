//! Rules that others make up for.

use std::collections::BTreeSet;

use super::Proofs;
use crate::policy::decide::Verdict;
use crate::policy::effect::Effect;
use crate::policy::regions::{Fixed, Outcome, Prepared};
use crate::policy::rule::Rule;

/// How many rules that act on the same question are looked at for one that does the same.
const MOST_ALIKE: usize = 8;

impl<'p> Proofs<'p> {
    /// Other rules each of which acts wherever this one does, and does the same.
    pub(super) fn alike(
        &mut self,
        own: &Prepared<'p>,
        verdict: Option<Verdict>,
        fixed: Fixed<'_>,
    ) -> BTreeSet<&'p str> {
        let acting = match (own.rule.effect, verdict) {
            (
                Effect::Permit,
                Some(Verdict::Permit(rules) | Verdict::Ask { permits: rules, .. }),
            ) => rules,
            (Effect::Forbid, Some(Verdict::Forbid(rules))) => rules,
            (Effect::Ask, Some(Verdict::Ask { asks, .. })) => asks,
            _ => return BTreeSet::new(),
        };
        let others = self.prepared_all(&acting, own.rule, fixed);
        let mut alike = BTreeSet::new();
        for other in others.into_iter().take(MOST_ALIKE) {
            if !self.spared.contains(&*other.rule.id)
                && does_the_same(own.rule, other.rule)
                && names_no_more(&other, own)
                && self.is_within(own, &other, fixed)
                // Of two that do the same, the first by its id is left.
                && (other.rule.id < own.rule.id || !self.is_within(&other, own, fixed))
            {
                alike.insert(&*other.rule.id);
            }
        }
        alike
    }

    /// Whether one rule is shown to speak of nothing that another does not speak of.
    fn is_within(&mut self, own: &Prepared<'p>, other: &Prepared<'p>, fixed: Fixed<'_>) -> bool {
        matches!(self.find(&[own], std::slice::from_ref(other), fixed), Outcome::Nothing)
    }
}

/// Whether what one rule does where it acts is done by another that acts there: nothing is given with it, asked of
/// others or said at other moments.
fn does_the_same(own: &Rule, other: &Rule) -> bool {
    own.effect == other.effect
        && own.moments.iter().all(|moment| other.speaks_at(moment))
        && own.break_glass.is_none()
        && *own.limits == *other.limits
        // What is counted is counted for each rule.
        && !own.limits.count_calls()
        && own.approval == other.approval
}

/// Whether a rule looks at nothing but what another looks at: what it demands else, the other does not.
fn names_no_more(rule: &Prepared<'_>, other: &Prepared<'_>) -> bool {
    rule.conditions().iter().all(|own| other.conditions().iter().any(|its| its.fact == own.fact))
}
