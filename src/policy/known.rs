//! What a request knows of the parts of the question that rules compare with (`same_as`, `ref`).
//!
//! Who, why and context are known; of the call, what the scope leaves no choice about. A scope that leaves a
//! few values is asked once for each.

use std::borrow::Cow;

use super::wanted::Wanted;
use crate::scope::{
    Condition, Constraint, Fact, Facts, Node, Place, Readings, Stance, Truth, absent, any, any_of,
    cover_admits_an_empty_list, eq, not,
};
use crate::value::{Object, Value};

/// How many ways to leave the call are asked for one condition. Of a scope that leaves more, the part with
/// the most values is taken for open.
const MOST_WAYS: usize = 16;

/// One value for each part of the call that is compared with and that the scope pins.
pub(super) type Pins<'q> = Vec<(Fact, &'q Value)>;

/// A question whose call is as pinned; what is not pinned is not known.
#[derive(Clone, Copy)]
struct Pinned<'w, 'q> {
    wanted: &'w Wanted<'q>,
    pins: &'w Pins<'q>,
}

impl<'q> Facts<'q> for Pinned<'_, 'q> {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        pinned(self.pins, fact).or_else(|| self.wanted.fact(fact))
    }

    fn readings(self) -> Option<&'q Readings<'q>> {
        self.wanted.readings()
    }
}

fn pinned<'q>(pins: &Pins<'q>, fact: &Fact) -> Option<&'q Value> {
    pins.iter().find(|(own, _)| own == fact).map(|(_, value)| *value)
}

impl<'q> Wanted<'q> {
    /// The ways in which the scope leaves the parts of the call that `constraint` compares with.
    pub(super) fn ways(&self, constraint: &Constraint) -> Vec<Pins<'q>> {
        let mut parts: Vec<(Fact, Vec<&'q Value>)> = Vec::new();
        constraint.for_each_fact(&mut |fact| {
            if fact.is_of_the_call()
                && !parts.iter().any(|(own, _)| own == fact)
                && let Some(values) = self.capability.values_of(fact)
            {
                parts.push((fact.clone(), values));
            }
        });
        parts.sort_by_key(|(_, values)| values.len());
        let mut ways = vec![Pins::new()];
        for (fact, values) in parts {
            if ways.len() * values.len() > MOST_WAYS {
                break;
            }
            let more = |way: &Pins<'q>, value| {
                way.iter().cloned().chain([(fact.clone(), value)]).collect::<Pins<'q>>()
            };
            ways = ways.iter().flat_map(|way| values.iter().map(|v| more(way, *v))).collect();
        }
        ways
    }

    /// The one way that the scope leaves, if there is no other.
    pub(super) fn only_way(&self, constraint: &Constraint) -> Pins<'q> {
        <[Pins<'q>; 1]>::try_from(self.ways(constraint)).map(|[way]| way).unwrap_or_default()
    }

    /// A constraint with every comparison with something known replaced by what is true of the same values.
    /// What is left to the calls may turn out to be any value there; what is compared with something of who, why or
    /// context that is not there is true of nothing.
    pub(super) fn known<'r>(
        &self,
        constraint: &'r Constraint,
        way: &Pins<'_>,
    ) -> Cow<'r, Constraint> {
        constraint.replace_comparisons(Place::default(), &|leaf, place| {
            if leaf.facts().any(|fact| self.leaves(fact)) {
                return Some(whatever(place));
            }
            let is_missing =
                |fact: &Fact| !fact.is_of_the_call() && self.value_of(fact, way).is_none();
            if leaf.facts().any(is_missing) {
                return Some(whatever_or_absent(place.opposite()));
            }
            let fact = match leaf {
                Node::SameAs(fact) => fact,
                Node::Compared(own) => {
                    return own.spelled_out(|fact| self.value_of(fact, way), self.meter());
                }
                _ => return None,
            };
            let value = self.value_of(fact, way)?;
            let nothing = nothing_like(value).filter(|_| place.negated);
            Some(any_or_only(std::iter::once(eq(value.clone())).chain(nothing)))
        })
    }

    /// A constraint with every comparison with something known replaced by what may hold at least wherever it may. Of what
    /// is to cover a call, nothing holds that is compared with what is not there.
    pub(super) fn widened<'r>(
        &self,
        condition: &'r Condition,
        way: &Pins<'_>,
        stance: Stance,
    ) -> Cow<'r, Constraint> {
        let may_be_empty = self.may_compare_nothing(condition);
        condition.constraint.replace_comparisons(Place::default(), &|leaf, place| {
            let is_missing = |fact: &Fact| {
                let is_open = fact.is_of_the_call() || self.leaves(fact);
                !is_open && self.value_of(fact, way).is_none()
            };
            if stance == Stance::Cover && leaf.facts().any(is_missing) {
                return Some(whatever_or_absent(place.opposite()));
            }
            let compared = match leaf {
                Node::SameAs(fact) => fact,
                Node::Compared(own) => {
                    let is_left = own.facts().any(|fact| self.leaves(fact));
                    if own.facts().any(|fact| self.may_be_a_list(fact)) {
                        return Some(whatever_or_absent(place));
                    }
                    let is_open = |fact: &Fact| {
                        fact.is_of_the_call()
                            && !self.never_has(fact)
                            && pinned(way, fact).is_none()
                    };
                    if !is_left && own.facts().any(is_open) {
                        return None;
                    }
                    let known = || own.spelled_out(|fact| self.value_of(fact, way), self.meter());
                    let known = if is_left { None } else { known() };
                    // What is there and nothing that it can be compared with leaves it unknown.
                    return Some(known.unwrap_or_else(|| whatever_or_absent(place)));
                }
                _ => return None,
            };
            let value = self.value_of(compared, way);
            let open = self.leaves(compared)
                || (value.is_none() && !compared.is_of_the_call())
                || self.may_be_a_list(compared);
            if open || (value.is_some() && (place.inside || may_be_empty)) {
                return Some(whatever_or_absent(place));
            }
            let value = value?;
            let nothing = nothing_like(value).into_iter().chain([absent()]);
            let nothing = nothing.filter(|_| !place.negated);
            Some(any_or_only(std::iter::once(eq(value.clone())).chain(nothing)))
        })
    }

    /// Whether a call may have a list of what the scope pins: a value is compared with that, and nothing can be
    /// told of one that is compared with the list.
    fn may_be_a_list(&self, fact: &Fact) -> bool {
        let Some(values) = self.capability.values_of(fact) else { return false };
        let said = self.capability.conditions.iter().find(|own| own.fact == *fact);
        match (fact, said) {
            (Fact::Arg(_) | Fact::ResourceAttr(_), Some(own)) => {
                own.constraint.admits_a_list_of(values, self.meter())
            }
            // A part of an object.
            (Fact::Arg(_), None) => true,
            _ => false,
        }
    }

    /// Whether a condition compares with what a call may have a list of, where the scope pins it.
    pub(super) fn may_compare_with_a_list(&self, condition: &Condition) -> bool {
        condition.constraint.compares_with(&|fact| self.may_be_a_list(fact))
    }

    /// Whether a condition compares, and a call may have an empty list of what it is of: of that a comparison tells
    /// nothing, whatever else is asked for.
    pub(super) fn may_compare_nothing(&self, Condition { fact, constraint }: &Condition) -> bool {
        constraint.compares_with(&|_| true)
            && cover_admits_an_empty_list(self.cover(), fact, self.meter())
    }

    /// What is known of a fact: something.
    fn value_of<'v>(&self, fact: &Fact, way: &Pins<'v>) -> Option<&'v Value>
    where
        'q: 'v,
    {
        let value = match fact.is_of_the_call() {
            true => pinned(way, fact),
            false => self.fact(fact),
        };
        value.filter(|value| !value.is_nothing())
    }

    /// Whether a condition on who, why or context is true of every call that the scope leaves.
    pub(super) fn is_true_at_all(&self, condition: &Condition) -> bool {
        let Condition { fact, constraint } = condition;
        let constraint = constraint.replace_comparisons(Place::default(), &|leaf, place| {
            leaf.facts().any(|fact| self.leaves(fact)).then(|| whatever(place))
        });
        self.at_every_way(condition, |facts| {
            constraint.holds(fact, Stance::Cover, facts, self.meter()) == Truth::True
        })
    }

    /// Whether a guard's condition on who, why or context may hold at every call that the scope leaves.
    pub(super) fn may_hold_at_all(&self, condition: &Condition) -> bool {
        self.at_every_way(condition, |facts| {
            // What is not pinned may turn out to be whatever makes it hold the least; what is never there is
            // known not to be.
            let is_open = |fact: &Fact| {
                fact.is_of_the_call() && !self.never_has(fact) && pinned(facts.pins, fact).is_none()
            };
            let least =
                condition.constraint.replace_comparisons(Place::default(), &|leaf, place| {
                    leaf.facts().any(is_open).then(|| whatever(place.opposite()))
                });
            least.holds(&condition.fact, Stance::Guard, facts, self.meter()).may_hold()
        })
    }

    /// Whether a guard's condition on who, why or context may hold at some call that the scope leaves.
    pub(super) fn may_hold_at_some(&self, condition: &Condition) -> bool {
        self.ways(&condition.constraint).iter().any(|pins| {
            let facts = Pinned { wanted: self, pins };
            facts.may_take_lists_otherwise(condition)
                || condition.constraint.compares_with(&|fact| self.may_be_a_list(fact))
                || condition.holds(Stance::Guard, facts, self.meter()).may_hold()
        })
    }

    /// Whether a condition on who, why or context may be true of some call that the scope leaves.
    pub(super) fn may_be_true_at_some(&self, condition: &Condition) -> bool {
        if let Some(settled) = self.settle(condition, Stance::Cover) {
            return settled.sometimes;
        }
        self.ways(&condition.constraint).iter().any(|pins| {
            let facts = Pinned { wanted: self, pins };
            let is_open = |fact: &Fact| {
                (fact.is_of_the_call() && pinned(pins, fact).is_none()) || self.may_be_a_list(fact)
            };
            condition.constraint.compares_with(&is_open)
                || condition.holds(Stance::Cover, facts, self.meter()) == Truth::True
        })
    }

    fn at_every_way(
        &self,
        condition: &Condition,
        mut ask: impl FnMut(Pinned<'_, 'q>) -> bool,
    ) -> bool {
        self.ways(&condition.constraint).iter().all(|pins| {
            let facts = Pinned { wanted: self, pins };
            !facts.may_take_lists_otherwise(condition) && ask(facts)
        })
    }
}

impl Pinned<'_, '_> {
    /// Whether it hangs on what is not pinned if the list that a condition is asked of is asked element by
    /// element.
    fn may_take_lists_otherwise(self, Condition { fact, constraint }: &Condition) -> bool {
        let is_open = |own: &Fact| own.is_of_the_call() && pinned(self.pins, own).is_none();
        constraint.takes_lists_as_known()
            && constraint.compares_with(&is_open)
            && matches!(self.fact(fact), Some(Value::List(_)))
    }
}

/// What is true where it stands, whatever it is asked of.
fn whatever(place: Place) -> Constraint {
    if place.negated { not(any()) } else { any() }
}

/// What is true where it stands, and of what is absent, too: compared with that, nothing can be told, and a
/// guard acts.
fn whatever_or_absent(place: Place) -> Constraint {
    let all = any_of([any(), absent()]);
    if place.negated { not(all) } else { all }
}

/// What of the same kind of value is compared with nothing.
fn nothing_like(value: &Value) -> Option<Constraint> {
    match value {
        Value::Text(_) => Some(absent()),
        Value::List(_) => Some(eq(Value::List(Vec::new()))),
        Value::Object(_) => Some(eq(Object::new())),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn any_or_only(parts: impl Iterator<Item = Constraint>) -> Constraint {
    let parts: Vec<Constraint> = parts.collect();
    match <[Constraint; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => any_of(parts),
    }
}
