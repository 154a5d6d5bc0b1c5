//! Regular expressions as a tree, and written out as the steps of an automaton.

use super::automaton::{Automaton, MAX_STEPS, Step, TooLarge, after, before};

/// A regular expression.
pub(super) enum Expression {
    One(Step),
    Sequence(Vec<Expression>),
    Alternatives(Vec<Expression>),
    Repeat { inner: Box<Expression>, least: u32, most: Option<u32> },
}

/// The automaton that matches it; refused as soon as it has too many steps.
pub(super) fn written_out(expression: &Expression) -> Result<Automaton, TooLarge> {
    let mut steps = Vec::new();
    emit(expression, &mut steps)?;
    steps.push(Step::End);
    Automaton::new(steps)
}

/// Writes an expression out as steps, no more than fit.
fn emit(expression: &Expression, steps: &mut Vec<Step>) -> Result<(), TooLarge> {
    if steps.len() > MAX_STEPS {
        return Err(TooLarge);
    }
    match expression {
        Expression::One(step) => steps.push(step.clone()),
        Expression::Sequence(parts) => {
            parts.iter().try_for_each(|part| emit(part, steps))?;
        }
        Expression::Alternatives(parts) => {
            let mut ends = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let last = at + 1 == parts.len();
                let split = steps.len();
                if !last {
                    steps.push(Step::Jump(0));
                }
                emit(part, steps)?;
                if !last {
                    ends.push(steps.len());
                    steps.push(Step::Jump(0));
                    skip(steps, split);
                }
            }
            let end = place(steps.len());
            ends.into_iter().for_each(|at| set(steps, at, Step::Jump(end)));
        }
        Expression::Repeat { inner, least, most } => {
            for _ in 0..*least {
                emit(inner, steps)?;
            }
            match most {
                None => {
                    let split = steps.len();
                    steps.push(Step::Jump(0));
                    emit(inner, steps)?;
                    steps.push(Step::Jump(place(split)));
                    skip(steps, split);
                }
                Some(most) => {
                    for _ in *least..*most {
                        let split = steps.len();
                        steps.push(Step::Jump(0));
                        emit(inner, steps)?;
                        skip(steps, split);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Beyond the bound the steps are refused as a whole, so where such a jump leads does not matter.
fn place(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Turns the step at `split` into the choice between what follows it and what follows all steps.
fn skip(steps: &mut [Step], split: usize) {
    let end = place(steps.len());
    set(steps, split, Step::Split(place(split + 1), end));
}

fn set(steps: &mut [Step], at: usize, step: Step) {
    if let Some(slot) = steps.get_mut(at) {
        *slot = step;
    }
}

/// Ascending and apart.
pub(super) fn merged(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.sort_unstable();
    let mut merged: Vec<(char, char)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some((_, end)) if low <= *end => *end = high.max(*end),
            _ => merged.push((low, high)),
        }
    }
    merged
}

/// All characters outside.
pub(super) fn opposite(ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    if ranges.is_empty() {
        return Vec::new();
    }
    let mut outside = Vec::new();
    let mut from = Some('\0');
    for (low, high) in merged(ranges) {
        if let (Some(start), Some(end)) = (from, before(low))
            && start <= end
        {
            outside.push((start, end));
        }
        from = after(high);
    }
    outside.extend(from.map(|start| (start, char::MAX)));
    outside
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_opposite_of_a_class_is_every_other_character(
            ranges in proptest::collection::vec(proptest::char::range('a', 'h'), 1..4),
            c in proptest::char::range('\0', '\u{FFFF}'),
        ) {
            let ranges: Vec<_> = ranges.iter().map(|c| (*c, *c)).collect();
            let inside = ranges.contains(&(c, c));
            let outside = opposite(ranges);
            prop_assert_eq!(crate::scope::automaton::in_class(&outside, c), !inside);
        }
    }
}
