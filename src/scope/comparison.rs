//! Constraints that compare one part of the question with another: `same_as`, and `ref` in other kinds.

use std::borrow::Cow;
use std::convert::Infallible;

use super::constraint::{Constraint, Node};
use super::fact::Fact;
use crate::value::Value;

/// Where a comparison stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Under an odd number of `not`s.
    pub(crate) negated: bool,
    /// In a kind that asks what lies in the value: elements, fields, what a text says.
    pub(crate) inside: bool,
}

impl Place {
    /// The same place under one more `not`.
    pub(crate) fn opposite(self) -> Place {
        Place { negated: !self.negated, ..self }
    }
}

impl Constraint {
    /// Whether it hangs on what a `same_as` compares with if a list is asked element by element.
    pub(crate) fn takes_lists_as_known(&self) -> bool {
        match &self.0 {
            Node::SameAs(_) => true,
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().any(Constraint::takes_lists_as_known)
            }
            Node::Not(inner) => inner.takes_lists_as_known(),
            _ => false,
        }
    }

    /// The constraint with each comparison (a leaf that [`Node::facts`] names something of) replaced by what
    /// `by` has for it where it stands.
    pub(crate) fn replace_comparisons(
        &self,
        place: Place,
        by: &dyn Fn(&Node, Place) -> Option<Constraint>,
    ) -> Cow<'_, Constraint> {
        if !self.compares() {
            return Cow::Borrowed(self);
        }
        let inner = |inner: &Constraint| {
            inner.replace_comparisons(Place { inside: true, ..place }, by).into_owned()
        };
        let each = |parts: &[Constraint]| {
            parts.iter().map(|part| part.replace_comparisons(place, by).into_owned()).collect()
        };
        Cow::Owned(match &self.0 {
            leaf @ (Node::SameAs(_) | Node::Compared(_)) => {
                by(leaf, place).unwrap_or_else(|| self.clone())
            }
            Node::All(parts) => Constraint(Node::All(each(parts))),
            Node::AnyOf(parts) => Constraint(Node::AnyOf(each(parts))),
            Node::Not(one) => Constraint(Node::Not(Box::new(
                one.replace_comparisons(place.opposite(), by).into_owned(),
            ))),
            Node::Items(items) => {
                let Ok(items) = items.try_map(|one| Ok::<_, Infallible>(inner(one)));
                Constraint(Node::Items(Box::new(items)))
            }
            Node::Each(one) => Constraint(Node::Each(Box::new(inner(one)))),
            Node::Some(one) => Constraint(Node::Some(Box::new(inner(one)))),
            Node::Json(one) => Constraint(Node::Json(Box::new(inner(one)))),
            Node::Fields(fields) => Constraint(Node::Fields(fields.map(inner))),
            _ => self.clone(),
        })
    }

    /// Every fact that it compares with.
    pub(crate) fn for_each_fact<'c>(&'c self, visit: &mut impl FnMut(&'c Fact)) {
        self.for_each_leaf(&mut |leaf| leaf.facts().for_each(&mut *visit));
    }

    /// What it compares with that is not an argument of the call, nor inside one.
    pub(crate) fn beyond_arguments(&self) -> Option<&Fact> {
        let mut found = None;
        self.for_each_fact(&mut |fact| {
            if !matches!(fact, Fact::Arg(_)) {
                found.get_or_insert(fact);
            }
        });
        found
    }

    /// The values that the constraint leaves to what lies at `path` inside, if they are finitely many.
    pub(super) fn values_at(&self, path: &[Box<str>]) -> Option<Vec<&Value>> {
        match (&self.0, path) {
            (Node::Is(set), _) => {
                let inside = |value| {
                    path.iter().try_fold(value, |value: &Value, name| value.as_object()?.get(name))
                };
                set.iter().map(inside).collect()
            }
            (Node::All(parts), _) => parts.iter().find_map(|part| part.values_at(path)),
            (Node::Fields(fields), [name, path @ ..]) => fields.get(name)?.values_at(path),
            _ => None,
        }
    }

    /// Whether a kind inside compares by more than being the same: what is not filled in may be such.
    pub(super) fn relates(&self) -> bool {
        let mut relates = false;
        self.for_each_leaf(&mut |leaf| relates |= matches!(leaf, Node::Compared(_)));
        relates
    }

    pub(super) fn compares(&self) -> bool {
        self.compares_with(&|_| true)
    }

    /// Whether it compares with such a fact.
    pub(crate) fn compares_with(&self, such: &dyn Fn(&Fact) -> bool) -> bool {
        match &self.0 {
            Node::SameAs(fact) => such(fact),
            Node::Compared(own) => own.facts().any(such),
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().any(|part| part.compares_with(such))
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.compares_with(such)
            }
            Node::Items(items) => items.iter().any(|item| item.compares_with(such)),
            Node::Fields(fields) => fields.iter().any(|(_, field)| field.compares_with(such)),
            _ => false,
        }
    }
}

impl Node {
    /// The parts of the question that this leaf compares with.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Fact> {
        let (same, compared) = match self {
            Node::SameAs(fact) => (Some(fact), None),
            Node::Compared(own) => (None, Some(own.facts())),
            _ => (None, None),
        };
        same.into_iter().chain(compared.into_iter().flatten())
    }
}
