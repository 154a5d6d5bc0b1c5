//! Rules that name an order of the policy's.

use super::error::{PolicyError, place_of};
use super::rule::{Rule, Tools};
use crate::scope::{Condition, Fact, Orders};

/// Puts the policy's orders where a rule names them.
///
/// # Errors
/// An order that the policy does not have, and a level that an order does not have.
pub(super) fn put_orders(rule: &mut Rule, orders: &Orders) -> Result<(), PolicyError> {
    let id = rule.id.clone();
    let wrong = |at: &str, problem| PolicyError::of_rule(&id, at, problem);
    if let Tools::Like(constraint) = &mut rule.tools {
        constraint.resolve_orders(orders).map_err(|problem| wrong("what.tool", problem))?;
    }
    rule.conditions.try_for_each_mut(|Condition { fact, constraint }| {
        constraint.resolve_orders(orders).map_err(|problem| wrong(&place_of(fact), problem))
    })?;
    for Condition { fact, constraint } in
        rule.exceptions.iter_mut().flat_map(|own| &mut own.conditions)
    {
        let at = |fact: &Fact| format!("unless.{}", place_of(fact));
        constraint.resolve_orders(orders).map_err(|problem| wrong(&at(fact), problem))?;
    }
    let mut fault = None;
    let mut of_reviewers = |own: &mut Condition| {
        if let Err(problem) = own.constraint.resolve_orders(orders) {
            fault.get_or_insert(problem);
        }
    };
    if let Some(terms) = &mut rule.approval {
        terms.for_each_condition(&mut of_reviewers);
    }
    if let Some(terms) = &mut rule.break_glass {
        terms.review.for_each_condition(&mut of_reviewers);
    }
    fault.map_or(Ok(()), |problem| Err(wrong("approval.review", problem)))
}
