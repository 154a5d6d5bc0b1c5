//! Constraints by orders of levels: their words in Rust, and what they say once a policy's orders are known.

use super::constraint::{Constraint, Node};
use super::kind::Set;
use super::order::{Levels, OrderRef, Orders};
use super::relation::Relation;
use super::words::{any_of, not};

impl Constraint {
    /// Puts the policy's orders in the place of their names, and makes bounds that stand next to each other one.
    ///
    /// # Errors
    /// An order that the policy does not have, and a level that an order does not have.
    pub(crate) fn resolve_orders(&mut self, orders: &Orders) -> Result<(), String> {
        match &mut self.0 {
            Node::Levels(own) => own.resolve(orders),
            Node::Compared(own) => match &mut own.order {
                Some(order) => order.resolve(orders),
                None => Ok(()),
            },
            Node::All(parts) => {
                parts.iter_mut().try_for_each(|part| part.resolve_orders(orders))?;
                join_levels(parts);
                if parts.len() == 1
                    && let Some(only) = parts.pop()
                {
                    *self = only;
                }
                Ok(())
            }
            Node::AnyOf(parts) => parts.iter_mut().try_for_each(|part| part.resolve_orders(orders)),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
                inner.resolve_orders(orders)
            }
            Node::Items(items) => items.iter_mut().try_for_each(|one| one.resolve_orders(orders)),
            Node::Fields(fields) => {
                fields.iter_mut().try_for_each(|one| one.resolve_orders(orders))
            }
            _ => Ok(()),
        }
    }
}

impl Constraint {
    /// Says in words that a scope has what it says by orders: of the same values it is true, or under an odd number of
    /// `not`s false.
    pub(crate) fn name_levels(&mut self, negated: bool) {
        match &mut self.0 {
            Node::Levels(own) => {
                let Some(meant) = Set::new(own.meant().to_vec()) else { return };
                let meant = Constraint(Node::Is(meant));
                let all = Set::new(own.order().to_vec()).filter(|_| negated);
                // What is no level is not excluded.
                *self = match all {
                    Some(all) => any_of([meant, not(Constraint(Node::Is(all)))]),
                    None => meant,
                };
            }
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter_mut().for_each(|part| part.name_levels(negated));
            }
            Node::Not(inner) => inner.name_levels(!negated),
            Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => inner.name_levels(negated),
            Node::Items(items) => items.iter_mut().for_each(|one| one.name_levels(negated)),
            Node::Fields(fields) => fields.iter_mut().for_each(|one| one.name_levels(negated)),
            _ => {}
        }
    }
}

/// Bounds by one order that stand next to each other are one, as bounds of numbers are.
fn join_levels(parts: &mut Vec<Constraint>) {
    let mut joined: Vec<Constraint> = Vec::new();
    for part in std::mem::take(parts) {
        let known = joined.iter_mut().find_map(|own| match (&mut own.0, &part.0) {
            (Node::Levels(own), Node::Levels(other)) if own.order() == other.order() => {
                Some((own, other))
            }
            _ => None,
        });
        match known {
            Some((own, other)) => own.meet(other),
            None => joined.push(part),
        }
    }
    *parts = joined;
}

/// At least this level of an order that the policy has under this name: see [`max_in`].
pub fn min_in(order: &str, level: &str) -> Constraint {
    written(Relation::Min, order, level)
}

/// At most this level of an order that the policy has under this name. Of a text that is no level of the order it is
/// unknown. For policies only: a scope names the levels, with [`one_of`](super::one_of).
///
/// ```
/// use hallpass::policy::{Policy, Rule};
/// use hallpass::scope::{max_in, reference};
///
/// let cleared = reference("who.attrs.clearance").in_order("level").as_max();
/// let policy = Policy::builder()
///     .order("level", ["public", "internal", "secret"])
///     .rule(Rule::permit("all-read").tool("doc.read").arg("level", max_in("level", "public")))
///     .rule(Rule::permit("cleared-read").tool("doc.read").arg("level", cleared))
///     .build()?;
/// # assert_eq!(policy.len(), 2);
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
pub fn max_in(order: &str, level: &str) -> Constraint {
    written(Relation::Max, order, level)
}

/// Above this level of an order that the policy has under this name: see [`max_in`].
pub fn above_in(order: &str, level: &str) -> Constraint {
    written(Relation::Above, order, level)
}

/// Below this level of an order that the policy has under this name: see [`max_in`].
pub fn below_in(order: &str, level: &str) -> Constraint {
    written(Relation::Below, order, level)
}

fn written(relation: Relation, order: &str, level: &str) -> Constraint {
    bounded(relation, OrderRef::Named(order.into()), level)
}

/// A bound by an order.
pub(super) fn bounded(relation: Relation, order: OrderRef, level: &str) -> Constraint {
    let own = Levels::Written { relation, level: level.into(), order };
    Constraint(Node::Levels(Box::new(own)))
}

#[cfg(test)]
mod tests;
