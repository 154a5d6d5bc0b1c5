//! Of values that would do, the one next to what was asked for.

use super::changed::Changes;
use crate::scope::{Constraint, Fact, Node};
use crate::value::{Number, Value};

/// How many numbers that rules speak of are tried for one part.
const MOST_TRIED: usize = 64;

/// Brings each number that is changed as near to what it was as the bounds in `constraints` let it be; `confirm` says
/// whether a change would do.
pub(super) fn nearer<'c>(
    changes: &mut Changes,
    was: &dyn Fn(&Fact) -> Option<Value>,
    constraints: &dyn Fn(&Fact) -> Vec<&'c Constraint>,
    confirm: &dyn Fn(&Changes) -> bool,
) {
    let facts: Vec<Fact> = changes.keys().cloned().collect();
    for fact in facts {
        let (Some(Value::Number(was)), Some(Some(Value::Number(is)))) =
            (was(&fact), changes.get(&fact).cloned())
        else {
            continue;
        };
        let mut tried: Vec<Number> =
            constraints(&fact).into_iter().flat_map(numbers).take(MOST_TRIED).collect();
        // On the same side of what was asked for, and nearer than what was found.
        match is < was {
            true => {
                tried.retain(|own| *own > is && *own < was);
                tried.sort_unstable_by(|one, other| other.cmp(one));
            }
            false => {
                tried.retain(|own| *own < is && *own > was);
                tried.sort_unstable();
            }
        }
        tried.dedup();
        for own in tried {
            let found = changes.insert(fact.clone(), Some(Value::Number(own)));
            if confirm(changes) {
                break;
            }
            if let Some(found) = found {
                changes.insert(fact.clone(), found);
            }
        }
    }
}

/// The numbers that a constraint names, and their neighbours: a bound may be excluded.
fn numbers(constraint: &Constraint) -> Vec<Number> {
    let mut all = Vec::new();
    constraint.for_each_leaf(&mut |leaf| match leaf {
        Node::Range(range) => {
            let range = range.range();
            all.extend([range.lower, range.upper].into_iter().flatten().map(|own| own.number));
        }
        Node::Is(set) => all.extend(set.iter().filter_map(|own| match own {
            Value::Number(own) => Some(*own),
            _ => None,
        })),
        _ => {}
    });
    let one = Number::from(1_u64);
    let around = |own: &Number| [own.checked_add(one), own.checked_sub(one), Some(*own)];
    all.iter().flat_map(around).flatten().collect()
}
