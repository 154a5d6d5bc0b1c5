//! `order` next to `min`, `max`, `above` and `below`: levels instead of numbers.

use std::sync::Arc;

use super::compared::operand_of;
use crate::document::{Misfit, Table, Written, list, text};
use crate::scope::constraint::{Constraint, Node};
use crate::scope::describe::ORDER;
use crate::scope::levels::bounded;
use crate::scope::order::{Order, OrderRef};
use crate::scope::relation::Relation;
use crate::value::SpannedNode;

/// The words that an order is for.
pub(super) const BOUNDS: [(&str, Relation); 4] = [
    ("min", Relation::Min),
    ("max", Relation::Max),
    ("above", Relation::Above),
    ("below", Relation::Below),
];

/// The bounds of a table that has an `order`.
pub(super) fn bounds_in_order(table: &Table<'_>) -> Result<Vec<Constraint>, Misfit> {
    let Some(order) = table.read_at(ORDER, order)? else { return Ok(Vec::new()) };
    let mut bounds = Vec::new();
    for (word, relation) in BOUNDS {
        bounds.extend(table.read_at(word, |own| bound(own, relation, &order))?);
    }
    if bounds.is_empty() {
        let problem =
            "`order` says how `min`, `max`, `above` and `below` compare levels, and there are none";
        return Err(Misfit::new(table.at, problem));
    }
    Ok(bounds)
}

/// The name of one of the policy's orders, or the order itself.
fn order(written: &Written) -> Result<OrderRef, Misfit> {
    if let SpannedNode::Text(name) = &written.node {
        return Ok(OrderRef::Named(name.clone()));
    }
    let order = Order::new(read_levels(written)?);
    let order = order.map_err(|problem| Misfit::new(written.span.start, problem))?;
    Ok(OrderRef::Known(Arc::new(order)))
}

fn bound(written: &Written, relation: Relation, order: &OrderRef) -> Result<Constraint, Misfit> {
    let own = match operand_of(written)? {
        Some(reference) => reference.by_order(order.clone()).compared(relation),
        None => bounded(relation, order.clone(), text(written)?),
    };
    match own.0 {
        Node::Faulty(error) => Err(Misfit::new(written.span.start, error.to_string())),
        node => Ok(Constraint(node)),
    }
}

/// Levels, from the lowest to the highest.
pub(crate) fn read_levels(written: &Written) -> Result<Vec<&str>, Misfit> {
    let levels = list(written)?.iter().enumerate();
    levels.map(|(at, own)| text(own).map_err(|error| error.of_element(at))).collect()
}
