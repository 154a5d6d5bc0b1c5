//! Arguments that a call may leave out, and rules that then say nothing of it.

use super::types::Types;
use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Constraint, Expected, Node};

/// Warns of a permit that lets an argument be anything where it is there, of one that every tool of the rule lets a call leave
/// out: who writes that there be any value rarely means that there be one. And of a bound on a number, in any rule: a
/// permit covers no call without it, and a guard does not act on one, whatever the tool then takes.
pub(super) fn left_out(rule: &Rule, types: &Types<'_>, findings: &mut Findings<'_>) {
    let is_permit = rule.effect == Effect::Permit;
    for condition in &rule.conditions {
        let is_any = is_permit && matches!(condition.constraint.0, Node::Any);
        if !(is_any || is_bound(&condition.constraint))
            || !types.all_let_be_absent(rule, &condition.fact)
        {
            continue;
        }
        let (fact, own) = (&condition.fact, &condition.constraint);
        let message = match (is_any, is_permit) {
            (true, _) => format!(
                "a call may leave `{fact}` out, and then the permit does not cover it, since `\"any\"` is any value that is \
                 there: write `{{ any = [{{ present = false }}, \"any\"] }}`, or state a default in the catalogue"
            ),
            (_, true) => format!(
                "a call may leave `{fact}` out, and then the permit does not cover it: write \
                 `{{ any = [{{ present = false }}, {{ … }}] }}` around {own}, or state a default in the catalogue"
            ),
            _ => format!(
                "a call may leave `{fact}` out, and then {own} is not so of it and the rule does not act, whatever the tool \
                 takes: state a default in the catalogue, or write `{{ any = [{{ present = false }}, {{ … }}] }}`"
            ),
        };
        findings.add(WarningCode::OptionalNamed, &place_of(fact), message);
    }
}

/// Whether it is one bound, or two, of a number.
fn is_bound(constraint: &Constraint) -> bool {
    match &constraint.0 {
        Node::Range(_) => true,
        Node::Compared(own) => own.expects() == Expected::Number,
        _ => false,
    }
}
