//! Orders of texts that a policy says: levels, from the lowest to the highest.

use std::sync::Arc;

use super::constraint_error::ConstraintError;
use super::relation::Relation;
use super::truth::Truth;
use crate::document::did_you_mean;
use crate::meter::{Meter, Work};
use crate::value::Value;
use crate::visible::{Shown, is_hidden};

/// How many levels an order may have: each bound looks through all of them.
const MOST_LEVELS: usize = 128;

/// How long a level may be, in bytes.
const MOST_BYTES: usize = 128;

/// Levels, from the lowest to the highest, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Order(Box<[Value]>);

/// An order where a constraint names one: by the policy's name for it until the policy is built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OrderRef {
    Named(Box<str>),
    Known(Arc<Order>),
}

/// `min`, `max`, `above` and `below` by an order: from which level to which.
///
/// It is unknown of a text that is no level of the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Levels {
    /// One bound as it was written.
    Written { relation: Relation, level: Box<str>, order: OrderRef },
    /// The first level that is meant, and the first behind it that is not.
    Known { order: Arc<Order>, from: usize, until: usize },
}

impl Order {
    /// # Errors
    /// What can't be meant: fewer than two levels or more than 128, one that is empty, too long, has characters that can't be
    /// seen, or stands there twice.
    pub(crate) fn new<'l>(levels: impl IntoIterator<Item = &'l str>) -> Result<Self, String> {
        let mut own: Vec<&str> = Vec::new();
        for level in levels {
            let shown = Shown(level);
            if level.is_empty() || level.len() > MOST_BYTES || level.chars().any(is_hidden) {
                return Err(format!(
                    "{shown} is not a level: expected 1 to {MOST_BYTES} bytes of text without hidden characters"
                ));
            }
            if own.contains(&level) {
                return Err(format!("the level {shown} stands there twice"));
            }
            own.push(level);
            if own.len() > MOST_LEVELS {
                return Err(format!("expected at most {MOST_LEVELS} levels"));
            }
        }
        match own.len() {
            0 | 1 => Err("expected two levels or more, from the lowest to the highest".to_owned()),
            _ => Ok(Order(own.into_iter().map(Value::from).collect())),
        }
    }

    pub(crate) fn levels(&self) -> &[Value] {
        &self.0
    }

    fn rank(&self, text: &str) -> Option<usize> {
        self.0.iter().position(|own| own.as_text() == Some(text))
    }

    /// The levels that stand so to this one; `None` where it is none of the order.
    fn bound(self: &Arc<Self>, relation: Relation, level: &str) -> Option<Levels> {
        let (rank, all) = (self.rank(level)?, self.0.len());
        let (from, until) = match relation {
            Relation::Min => (rank, all),
            Relation::Above => (rank + 1, all),
            Relation::Max => (0, rank + 1),
            Relation::Below => (0, rank),
            _ => return None,
        };
        Some(Levels::Known { order: self.clone(), from, until })
    }
}

impl OrderRef {
    /// What stands behind the word `order`: the order itself, so that what a rule says stands there in full.
    pub(super) fn to_value(&self) -> Value {
        match self {
            OrderRef::Named(name) => Value::Text(name.clone()),
            OrderRef::Known(order) => Value::List(order.0.to_vec()),
        }
    }

    /// The levels that stand so to this one, if they are known.
    pub(super) fn bound(&self, relation: Relation, level: &str) -> Option<Levels> {
        match self {
            OrderRef::Named(_) => None,
            OrderRef::Known(order) => order.bound(relation, level),
        }
    }

    /// # Errors
    /// The name, if it is none of the policy's orders.
    pub(super) fn resolve(&mut self, orders: &Orders) -> Result<(), String> {
        if let OrderRef::Named(name) = self {
            let order = orders.find(name)?;
            *self = OrderRef::Known(order);
        }
        Ok(())
    }
}

impl Levels {
    pub(super) fn holds_of(&self, text: &str, meter: &Meter) -> Truth {
        let Levels::Known { order, from, until } = self else { return Truth::Unknown };
        if !meter.charge(1 + order.0.len() / 4, Work::Comparing) {
            return Truth::Unknown;
        }
        match order.rank(text) {
            Some(rank) => Truth::of((*from..*until).contains(&rank)),
            None => Truth::Unknown,
        }
    }

    /// All levels of its order, if that is known.
    pub(crate) fn order(&self) -> &[Value] {
        match self {
            Levels::Known { order, .. } => order.levels(),
            Levels::Written { .. } => &[],
        }
    }

    /// The levels of which it is true.
    pub(crate) fn meant(&self) -> &[Value] {
        match self {
            Levels::Known { order, from, until } => order.0.get(*from..*until).unwrap_or_default(),
            Levels::Written { .. } => &[],
        }
    }

    /// Leaves what is in the other, too, which is of the same order.
    pub(super) fn meet(&mut self, other: &Levels) {
        if let (Levels::Known { from, until, .. }, Levels::Known { from: low, until: high, .. }) =
            (self, other)
        {
            (*from, *until) = ((*from).max(*low), (*until).min(*high));
        }
    }

    pub(super) fn is_within(&self, wider: &Levels) -> bool {
        self.order() == wider.order() && self.meant().iter().all(|own| wider.meant().contains(own))
    }

    pub(super) fn check(&self) -> Result<(), ConstraintError> {
        match self {
            Levels::Known { order, .. } if self.meant().is_empty() => {
                let ends = [order.0.first(), order.0.last()].into_iter().flatten();
                let ends: Vec<&str> = ends.filter_map(Value::as_text).collect();
                let ends = ends.join("` to `");
                Err(ConstraintError::Impossible(format!("these bounds of an order from `{ends}`")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Levels::Written { relation, .. } => relation.as_str(),
            Levels::Known { from: 0, .. } => "max",
            Levels::Known { .. } => "min",
        }
    }

    /// Its keys as a policy writes them, without `order`, and the order.
    pub(super) fn told(&self) -> (Vec<(&'static str, Value)>, Value) {
        match self {
            Levels::Written { relation, level, order } => {
                (vec![(relation.as_str(), Value::Text(level.clone()))], order.to_value())
            }
            Levels::Known { order, from, until } => {
                let all = order.0.len();
                let level = |at: usize| order.0.get(at).cloned();
                let least = level(*from).filter(|_| *from > 0 || *until >= all);
                let most = until.checked_sub(1).and_then(level).filter(|_| *until < all);
                let none = if from >= until { level(0) } else { None };
                let keys = match none {
                    Some(lowest) => vec![("below", lowest)],
                    None => {
                        let both = [least.map(|own| ("min", own)), most.map(|own| ("max", own))];
                        both.into_iter().flatten().collect()
                    }
                };
                (keys, Value::List(order.0.to_vec()))
            }
        }
    }

    pub(super) fn resolve(&mut self, orders: &Orders) -> Result<(), String> {
        let Levels::Written { relation, level, order } = self else { return Ok(()) };
        order.resolve(orders)?;
        let OrderRef::Known(known) = order else { return Ok(()) };
        *self = known.bound(*relation, level).ok_or_else(|| {
            let levels: Vec<&str> = known.0.iter().filter_map(Value::as_text).collect();
            let guess = did_you_mean(level, levels.iter().copied());
            format!(
                "{} is not a level of that order, expected one of `{}`{}",
                Shown(level),
                levels.join("`, `"),
                guess.map_or(String::new(), |guess| format!(": {guess}"))
            )
        })?;
        Ok(())
    }

    pub(super) fn size(&self) -> usize {
        self.order().iter().map(Value::size).sum()
    }
}

/// The orders of a policy, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders(Vec<(Box<str>, Arc<Order>)>);

impl Orders {
    pub(crate) fn add(&mut self, name: &str, order: Order) {
        self.0.push((name.into(), Arc::new(order)));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| **own == *name)
    }

    fn find(&self, name: &str) -> Result<Arc<Order>, String> {
        if let Some((_, order)) = self.0.iter().find(|(own, _)| **own == *name) {
            return Ok(order.clone());
        }
        let shown = Shown(name);
        let known = self.0.iter().map(|(own, _)| &**own);
        Err(match did_you_mean(name, known) {
            Some(guess) => format!("the policy has no order {shown}: {guess}"),
            None => format!(
                "the policy has no order {shown}: add `[order]` with `{name} = [ … ]`, from the lowest level to the \
                 highest",
                name = name.escape_default()
            ),
        })
    }
}
