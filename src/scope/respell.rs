//! The values that a constraint compares with, in another spelling.

use super::constraint::{Constraint, Node};
use super::kind::Set;
use crate::value::Value;

impl Constraint {
    /// The constraint with each value that it names as `respell` spells it: those of `eq` and `one_of`,
    /// and of the sets that lists are compared with. Patterns stay as they are, and so does what
    /// stands inside `fields` and `json`, which speak of other values.
    ///
    /// # Errors
    /// The first error of `respell`.
    pub(crate) fn respell<E>(
        &self,
        respell: &mut impl FnMut(&Value) -> Result<Value, E>,
    ) -> Result<Constraint, E> {
        Ok(Constraint(match &self.0 {
            Node::Is(own) => Node::Is(set(own, respell)?),
            Node::SubsetOf(own) => Node::SubsetOf(set(own, respell)?),
            Node::HasAny(own) => Node::HasAny(set(own, respell)?),
            Node::HasAll(own) => Node::HasAll(set(own, respell)?),
            Node::All(parts) => Node::All(all(parts, respell)?),
            Node::AnyOf(parts) => Node::AnyOf(all(parts, respell)?),
            Node::Not(inner) => Node::Not(Box::new(inner.respell(respell)?)),
            Node::Items(items) => {
                Node::Items(Box::new(items.try_map(|item| item.respell(respell))?))
            }
            Node::Each(inner) => Node::Each(Box::new(inner.respell(respell)?)),
            Node::Some(inner) => Node::Some(Box::new(inner.respell(respell)?)),
            other => other.clone(),
        }))
    }
}

fn set<E>(own: &Set, respell: &mut impl FnMut(&Value) -> Result<Value, E>) -> Result<Set, E> {
    let values = own.iter().map(respell).collect::<Result<Vec<_>, E>>()?;
    // As many as before or fewer, and never none.
    Ok(Set::new(values).unwrap_or_else(|| own.clone()))
}

fn all<E>(
    parts: &[Constraint],
    respell: &mut impl FnMut(&Value) -> Result<Value, E>,
) -> Result<Vec<Constraint>, E> {
    parts.iter().map(|part| part.respell(respell)).collect()
}
