//! What a scope says of what lies inside of an argument.

use super::constraint::{Constraint, Node};
use super::cover::Cover;
use super::fact::Fact;
use crate::value::Value;

/// What calls may have at a place inside of an argument. It may also be that nothing is there: what is said of an
/// object is said of a list of such, too, which has no fields.
pub(super) enum Inside<'c> {
    /// Nothing: the argument is not there, or has no such field.
    Absent,
    /// One of these; nothing where the argument has no such field.
    Values(Vec<Option<&'c Value>>),
    As(&'c Constraint),
    Open,
}

impl<'c> Cover<'c> {
    /// What calls of this cover may have there.
    pub(super) fn inside(self, path: &[Box<str>]) -> Inside<'c> {
        let [name, path @ ..] = path else { return Inside::Open };
        let is_argument = |fact: &Fact| fact.as_argument() == Some(name);
        let mut named = self.conditions.iter().filter(|own| is_argument(&own.fact)).peekable();
        if named.peek().is_none() {
            return if self.openness.other_args { Inside::Open } else { Inside::Absent };
        }
        // Each says some of it, and one is enough to know what there may not be.
        let told = named.map(|own| own.constraint.inside(path));
        told.into_iter().find(|own| !matches!(own, Inside::Open)).unwrap_or(Inside::Open)
    }
}

impl Constraint {
    fn inside(&self, path: &[Box<str>]) -> Inside<'_> {
        let Some((name, rest)) = path.split_first() else { return Inside::As(self) };
        match &self.0 {
            Node::Is(set) => {
                let lies_in = |value| {
                    path.iter().try_fold(value, |value: &Value, name| value.as_object()?.get(name))
                };
                Inside::Values(set.iter().map(lies_in).collect())
            }
            Node::Fields(fields) => match fields.get(name) {
                Some(field) => field.inside(rest),
                None if fields.open => Inside::Open,
                None => Inside::Absent,
            },
            Node::All(parts) => {
                let told = parts.iter().map(|part| part.inside(path));
                told.into_iter().find(|own| !matches!(own, Inside::Open)).unwrap_or(Inside::Open)
            }
            _ => Inside::Open,
        }
    }
}
