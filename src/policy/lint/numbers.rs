//! Numbers with one bound, which may then be any on the other side.

use std::borrow::Cow;

use super::probe::{each_inside, holds_of};
use super::warning::{Findings, WarningCode};
use crate::meter::Meter;
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Constraint, Expected, Fact, Node, Place, Stance, Truth};
use crate::value::{Number, Value};

/// Warns of a permit that bounds an argument from above and takes it however far below zero: a payment
/// of at most 500 may then be one of minus a million.
pub(super) fn numbers(rule: &Rule, findings: &mut Findings<'_>) {
    if rule.effect != Effect::Permit {
        return;
    }
    // Beyond every bound that means an amount, within the digits that numbers may have.
    let Ok(far) = "1e36".parse::<Number>() else { return };
    let Ok(far_below) = "-1e36".parse::<Number>() else { return };
    let (above, below) = (Value::Number(far), Value::Number(far_below));
    for condition in rule.conditions.iter().filter(|own| matches!(own.fact, Fact::Arg(_))) {
        each_inside(condition, &mut |place, constraint: &Constraint| {
            let constraint = &with_a_bound(constraint);
            let takes = |value| {
                holds_of(constraint, &condition.fact, Some(value), Stance::Cover) == Truth::True
            };
            if takes(&below) && !takes(&above) && !is_of_negatives(constraint) {
                let message = format!(
                    "`{place}` is bounded from above and may be any negative number: say the other \
                     end, too, as in `min = 0`"
                );
                findings.add(WarningCode::OpenBelow, &place_of(&condition.fact), message);
            }
        });
    }
}

/// The constraint with some amount for each bound that is a part of the question.
fn with_a_bound(constraint: &Constraint) -> Cow<'_, Constraint> {
    let amount = Value::from(1000);
    constraint.replace_comparisons(Place::default(), &|leaf, _| match leaf {
        Node::Compared(own) if own.expects() == Expected::Number => {
            own.spelled_out(|_| Some(&amount), &Meter::of_question(0))
        }
        _ => None,
    })
}

/// Whether it takes negative numbers alone, so that they are meant.
fn is_of_negatives(constraint: &Constraint) -> bool {
    let zero = Value::from(0);
    holds_of(constraint, &Fact::arg("n"), Some(&zero), Stance::Cover) != Truth::True
}
