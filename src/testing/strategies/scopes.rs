//! Scopes around a call.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::call::Call;
use crate::scope::{Constraint, Scope, any as anything, eq, max, min, one_of, prefix};
use crate::value::Value;

/// How much more than one value is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Widening {
    Exactly,
    OneOf,
    /// Up to a number, or from the first letters of a text on.
    From,
    Range,
    Anything,
}

/// One for each argument, in the order of the call; where there are fewer, the others are asked for exactly.
pub(super) fn widenings() -> impl Strategy<Value = Vec<Widening>> {
    let one = prop_oneof![
        6 => Just(Widening::Exactly),
        1 => Just(Widening::OneOf),
        1 => Just(Widening::From),
        1 => Just(Widening::Range),
        1 => Just(Widening::Anything),
    ];
    vec(one, 0..4)
}

/// The scope of a call, with its arguments widened; of the call alone where that can't be meant.
pub(super) fn scope_of(call: &Call, widenings: &[Widening]) -> Scope {
    let mut scope = Scope::tool(call.tool());
    let all = widenings.iter().copied().chain(std::iter::repeat(Widening::Exactly));
    for ((name, value), widening) in call.args().object().iter().zip(all) {
        scope = scope.arg(name, widened(value, widening));
    }
    if let Some(resource) = call.resource() {
        scope = scope.resource(eq(resource.resource_type()), eq(resource.id()));
        for (name, value) in resource.attributes().iter() {
            scope = scope.resource_attr(name, eq(value.clone()));
        }
    }
    if scope.check().is_ok() { scope } else { Scope::tool(call.tool()).any_args().any_resource() }
}

fn widened(value: &Value, widening: Widening) -> Constraint {
    let wider = match (widening, value) {
        (Widening::Exactly, _) => eq(value.clone()),
        (Widening::OneOf, _) => one_of([value.clone(), Value::from("other")]),
        (Widening::From, Value::Number(number)) => max(*number),
        (Widening::From, Value::Text(text)) => match text.char_indices().nth(3) {
            Some((end, _)) => prefix(text.get(..end).unwrap_or(text)),
            None => prefix(text),
        },
        (Widening::Range, Value::Number(number)) => min(0).and(max(*number)),
        (Widening::From | Widening::Range | Widening::Anything, _) => anything(),
    };
    if wider.check().is_ok() { wider } else { anything() }
}
