//! Arguments that a call may leave out, and permits that cover no call without them.

use super::types::Types;
use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::Node;

/// Warns of a permit that lets an argument be anything where it is there, of one that every tool of the rule lets a call leave
/// out: who writes that there be any value rarely means that there be one.
pub(super) fn left_out(rule: &Rule, types: &Types<'_>, findings: &mut Findings<'_>) {
    if rule.effect != Effect::Permit {
        return;
    }
    for condition in &rule.conditions {
        if matches!(condition.constraint.0, Node::Any)
            && types.all_let_be_absent(rule, &condition.fact)
        {
            let fact = &condition.fact;
            let message = format!(
                "a call may leave `{fact}` out, and then the permit does not cover it, since `\"any\"` is any value that is \
                 there: write `{{ any = [{{ present = false }}, \"any\"] }}`, or state a default in the catalogue"
            );
            findings.add(WarningCode::OptionalNamed, &place_of(fact), message);
        }
    }
}
