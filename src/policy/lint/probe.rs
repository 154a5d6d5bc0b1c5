//! Asking one constraint of one value.

use crate::meter::Meter;
use crate::scope::{Condition, Constraint, Fact, Facts, Stance, Truth};
use crate::value::Value;

/// The steps that one such question may take: more than a constraint of the longest policy text.
const STEPS: u64 = 1 << 30;

/// A question of which one fact is known, or known not to be there.
#[derive(Clone, Copy)]
struct Alone<'q>(Option<&'q Value>);

impl<'q> Facts<'q> for Alone<'q> {
    fn fact(self, _: &Fact) -> Option<&'q Value> {
        self.0
    }
}

/// Whether a constraint on `fact` holds where that is `value`. What it compares with otherwise is not
/// known to be another.
pub(super) fn holds_of(
    constraint: &Constraint,
    fact: &Fact,
    value: Option<&Value>,
    stance: Stance,
) -> Truth {
    if constraint.compares_with(&|_| true) {
        return Truth::Unknown;
    }
    constraint.holds(fact, stance, Alone(value), &Meter::of(STEPS))
}

/// Visits each constraint on an argument and on what is inside it, with where that is: the argument, its
/// fields, the elements of its lists and what its texts say as JSON.
pub(super) fn each_inside<'c>(
    condition: &'c Condition,
    visit: &mut impl FnMut(&str, &'c Constraint),
) {
    inside(&condition.fact.to_string(), &condition.constraint, visit);
}

fn inside<'c>(
    place: &str,
    constraint: &'c Constraint,
    visit: &mut impl FnMut(&str, &'c Constraint),
) {
    visit(place, constraint);
    deeper(place, constraint, visit);
}

fn deeper<'c>(
    place: &str,
    constraint: &'c Constraint,
    visit: &mut impl FnMut(&str, &'c Constraint),
) {
    use crate::scope::Node;
    match &constraint.0 {
        Node::All(parts) | Node::AnyOf(parts) => {
            parts.iter().for_each(|part| deeper(place, part, visit));
        }
        Node::Not(inner) => deeper(place, inner, visit),
        Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => inside(place, inner, visit),
        Node::Items(items) => items.iter().for_each(|item| inside(place, item, visit)),
        Node::Fields(fields) => fields.iter().for_each(|(name, field)| {
            inside(&format!("{place}.{name}"), field, visit);
        }),
        _ => {}
    }
}
