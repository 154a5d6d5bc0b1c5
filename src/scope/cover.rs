//! What a permit or a capability covers: conditions on one call's arguments and resource.

use super::constraint::Constraint;
use super::evaluate::{Facts, Stance};
use super::fact::Fact;
use super::truth::Truth;
use crate::text::is_same;
use crate::value::{Object, Value};

/// One part of the question, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) fact: Fact,
    pub(crate) constraint: Constraint,
}

impl Condition {
    pub(crate) fn new(fact: Fact, constraint: Constraint) -> Self {
        Condition { fact, constraint }
    }

    /// Adds a condition. Two on one fact are one conjunction, as the keys of one table are: of a list,
    /// both are asked of the same element.
    pub(crate) fn add(conditions: &mut Vec<Condition>, fact: Fact, constraint: Constraint) {
        match conditions.iter_mut().find(|condition| condition.fact == fact) {
            Some(first) => first.constraint = first.constraint.clone().and(constraint),
            None => conditions.push(Condition::new(fact, constraint)),
        }
    }

    pub(crate) fn holds<F: Facts>(&self, stance: Stance, facts: &F) -> Truth {
        self.constraint.holds(&self.fact, stance, facts)
    }

    /// As [`holds`](Self::holds), of a fact that has been looked up.
    fn holds_at<F: Facts>(&self, value: Option<&Value>, stance: Stance, facts: &F) -> Truth {
        self.constraint.holds_at(value, self.fact.absence(), stance, facts)
    }
}

/// How much of a call's arguments and resource conditions speak of: the closed world.
///
/// A cover without conditions and with nothing opened covers only calls that have no arguments and
/// no resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Openness {
    /// Arguments that no condition names may be there.
    pub(crate) other_args: bool,
    /// Which resources may be there.
    pub(crate) resource: ResourceOpenness,
}

/// What may be said of the resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResourceOpenness {
    /// Only calls without a resource.
    #[default]
    None,
    /// Only calls with one: the conditions say which.
    Named,
    /// Calls with any resource, or none.
    Any,
}

/// Conditions on a call, and what they leave open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover<'c> {
    pub(crate) conditions: &'c [Condition],
    pub(crate) openness: &'c Openness,
}

/// Why a cover does not cover a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outside<'c> {
    Condition(&'c Condition, Truth),
    Uncovered(Uncovered),
}

/// Why a call is outside a cover although no condition failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uncovered {
    /// An argument that nothing names.
    Argument(Box<str>),
    /// A resource where none may be, or none where one must be.
    Resource,
}

impl<'c> Cover<'c> {
    /// What keeps it from covering the call at hand, whose arguments `facts` knows as well: the first
    /// condition that is not true, or else what of the call nothing speaks of.
    pub(crate) fn outside<F: Facts>(
        self,
        args: &Object,
        has_resource: bool,
        facts: &F,
    ) -> Option<Outside<'c>> {
        // The places of the arguments that are named, so that no name is looked for twice.
        let mut named = 0_u64;
        for condition in self.conditions {
            let value = match condition.fact.as_argument() {
                Some(name) => args.find(name).map(|(at, value)| {
                    named |= 1_u64.checked_shl(at as u32).unwrap_or_default();
                    value
                }),
                None => facts.fact(&condition.fact),
            };
            let truth = condition.holds_at(value, Stance::Cover, facts);
            if truth != Truth::True {
                return Some(Outside::Condition(condition, truth));
            }
        }
        if named.count_ones() as usize == args.len() && self.openness.resource.fits(has_resource) {
            return None;
        }
        self.openness.outside(self.conditions, args, has_resource).map(Outside::Uncovered)
    }
}

impl Openness {
    /// What both leave open.
    pub(crate) fn meet(&self, other: &Openness) -> Openness {
        use ResourceOpenness::{Any, Named, None};
        Openness {
            other_args: self.other_args && other.other_args,
            resource: match (self.resource, other.resource) {
                (Any, resource) | (resource, Any) => resource,
                (Named, Named) => Named,
                // No call has a resource and none: conditions on it are then never true.
                (None, _) | (_, None) => None,
            },
        }
    }

    /// What of the call lies outside, given the conditions that name its arguments.
    pub(crate) fn outside(
        &self,
        conditions: &[Condition],
        args: &Object,
        has_resource: bool,
    ) -> Option<Uncovered> {
        if !self.resource.fits(has_resource) {
            return Some(Uncovered::Resource);
        }
        if self.other_args {
            return None;
        }
        args.keys()
            .find(|key| !names_argument(conditions, key))
            .map(|key| Uncovered::Argument(key.into()))
    }
}

impl ResourceOpenness {
    /// Whether a call with a resource, or one without, may be.
    pub(super) fn fits(self, has_resource: bool) -> bool {
        match self {
            ResourceOpenness::None => !has_resource,
            ResourceOpenness::Named => has_resource,
            ResourceOpenness::Any => true,
        }
    }
}

pub(crate) fn names_argument(conditions: &[Condition], name: &str) -> bool {
    conditions.iter().any(|condition| match &condition.fact {
        Fact::Arg(path) => matches!(&**path, [only] if is_same(only, name)),
        _ => false,
    })
}
