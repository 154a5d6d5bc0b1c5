//! Constraints that compare one part of the question with another: `same_as`.

use std::borrow::Cow;

use super::constraint::{Constraint, Node};
use super::fact::Fact;

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

    /// The constraint with each `same_as` replaced by what `by` has for its fact, standing under an odd
    /// number of `not`s or not.
    pub(crate) fn replace_same_as(
        &self,
        negated: bool,
        by: &dyn Fn(&Fact, bool) -> Option<Constraint>,
    ) -> Cow<'_, Constraint> {
        if !self.compares() {
            return Cow::Borrowed(self);
        }
        let inner = |inner: &Constraint| inner.replace_same_as(negated, by).into_owned();
        let each = |parts: &[Constraint]| parts.iter().map(inner).collect();
        Cow::Owned(match &self.0 {
            Node::SameAs(fact) => by(fact, negated).unwrap_or_else(|| self.clone()),
            Node::All(parts) => Constraint(Node::All(each(parts))),
            Node::AnyOf(parts) => Constraint(Node::AnyOf(each(parts))),
            Node::Not(one) => {
                Constraint(Node::Not(Box::new(one.replace_same_as(!negated, by).into_owned())))
            }
            Node::Each(one) => Constraint(Node::Each(Box::new(inner(one)))),
            Node::Some(one) => Constraint(Node::Some(Box::new(inner(one)))),
            Node::Json(one) => Constraint(Node::Json(Box::new(inner(one)))),
            Node::Fields(fields) => Constraint(Node::Fields(fields.map(inner))),
            _ => self.clone(),
        })
    }

    pub(super) fn compares(&self) -> bool {
        self.compares_with(&|_| true)
    }

    /// Whether a `same_as` inside is of such a fact.
    pub(crate) fn compares_with(&self, such: &dyn Fn(&Fact) -> bool) -> bool {
        match &self.0 {
            Node::SameAs(fact) => such(fact),
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().any(|part| part.compares_with(such))
            }
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.compares_with(such)
            }
            Node::Fields(fields) => fields.iter().any(|(_, field)| field.compares_with(such)),
            _ => false,
        }
    }
}
