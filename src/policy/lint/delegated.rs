//! Depths of delegation that can't be used.

use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::moment::Moment;
use crate::policy::rule::Rule;

/// Whether some permit of a policy speaks of delegations.
pub(super) struct Delegations {
    are_permitted: bool,
}

impl Delegations {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let permits = |own: &Rule| own.effect == Effect::Permit && own.speaks_at(Moment::Delegate);
        Delegations { are_permitted: rules.iter().any(permits) }
    }

    /// Warns of a depth where no permit lets anything be delegated.
    pub(super) fn look_at(&self, rule: &Rule, findings: &mut Findings<'_>) {
        let has_depth = rule.limits.depth.is_some_and(|depth| depth > 0);
        if has_depth && !self.are_permitted && rule.effect == Effect::Permit {
            let message = "no permit speaks of delegations: for what this one gives write \
                           `on = [\"request\", \"call\", \"delegate\"]`";
            findings.add(WarningCode::NeverDelegated, "grant.depth", message);
        }
    }
}
