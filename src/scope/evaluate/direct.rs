//! The constraints that most conditions are, asked without a walk.

use super::super::constraint::{Constraint, Node};
use super::super::membership::{has_any, is_one_of};
use super::super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::Value;
use crate::word::is_same;

impl Constraint {
    /// Whether a value is as the constraint says, for what takes no more than a look: the same answer
    /// for the same steps as [`ask`](super::Evaluation::ask), which is for all else.
    #[inline]
    pub(super) fn ask_directly(&self, value: &Value, meter: &Meter) -> Option<Truth> {
        Some(match (&self.0, value) {
            (Node::Is(set), Value::Text(text)) => match set.as_slice() {
                // As nearly all are: of one kind, so it is known.
                [Value::Text(own)] => {
                    match meter.charge(1 + set.steps_to_find(value), Work::Comparing) {
                        true => Truth::of(is_same(own, text)),
                        false => Truth::Unknown,
                    }
                }
                _ => is_one_of(set, value, 1, meter),
            },
            (Node::Is(set), Value::Number(_) | Value::Bool(_)) => is_one_of(set, value, 1, meter),
            (Node::Range(range), Value::Number(number)) => match meter.charge(1, Work::Visiting) {
                true => Truth::of(range.contains(*number)),
                false => Truth::Unknown,
            },
            (Node::HasAny(set), Value::List(elements)) => match meter.charge(1, Work::Visiting) {
                true => has_any(set, elements, meter),
                false => Truth::Unknown,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::scope::Stance;
    use crate::scope::evaluate::{Evaluation, Nothing, Subject};
    use crate::scope::fact::Absence;
    use crate::scope::model::{mixed_constraints, scalars, values};
    use crate::scope::words::{eq, has_any, max, one_of};

    /// Mostly of the kinds that are asked directly.
    fn constraints() -> impl Strategy<Value = Constraint> {
        prop_oneof![
            1 => mixed_constraints(),
            2 => scalars().prop_map(eq),
            1 => vec(scalars(), 1..12).prop_map(one_of),
            1 => vec(scalars(), 1..12).prop_map(has_any),
            1 => (-1..3_i64).prop_map(max),
        ]
    }

    fn subjects() -> impl Strategy<Value = Value> {
        prop_oneof![
            1 => values(),
            2 => scalars(),
            1 => vec(scalars(), 0..12).prop_map(Value::List),
        ]
    }

    proptest! {
        /// Nor for more or fewer steps, which would deny what another way of asking permits.
        #[test]
        fn what_is_asked_directly_has_the_answer_and_the_price_of_the_walk(
            constraint in constraints(), value in subjects(), steps in 0_u64..60, of_rule in any::<bool>(),
        ) {
            let (direct, walked) = (Meter::of(steps), Meter::of(steps));
            let answer = direct.for_rule(of_rule, || constraint.ask_directly(&value, &direct));
            let evaluation = Evaluation {
                stance: Stance::Cover,
                facts: Nothing,
                absence: Absence::Argument,
                meter: &walked,
                readings: None,
                in_list: false,
            };
            let by_walk = walked
                .for_rule(of_rule, || evaluation.ask(&constraint, Subject::There(&value), false));
            if let Some(answer) = answer {
                prop_assert_eq!(answer, by_walk);
                prop_assert_eq!(direct.taken(), walked.taken());
                prop_assert_eq!(direct.is_spent(), walked.is_spent());
            }
        }
    }
}
