//! Is one constraint within another; can both hold?
//!
//! Answered from structure: finite sets by asking each value, intervals by their bounds, the rest by
//! identity. What can't be shown is "not contained" and "may overlap", so that doubt denies.

use std::borrow::Cow;

use super::constraint::{Constraint, Node};
use super::cover::{Condition, Openness, ResourceOpenness, names_argument};
use super::evaluate::{Facts, Stance};
use super::fact::Fact;
use super::kind::{Count, Fields, Range, Set};
use super::truth::Truth;
use crate::value::Value;

impl Constraint {
    /// Whether every value of which `self` is true is one of which `wider` is true.
    ///
    /// `false` also where it can't be shown.
    pub(crate) fn is_within(&self, wider: &Constraint) -> bool {
        if self == wider {
            return true;
        }
        match (&self.0, &wider.0) {
            (Node::Is(set), _) => set.iter().all(|value| wider.is_true_of(value)),
            (Node::AnyOf(parts), _) => parts.iter().all(|part| part.is_within(wider)),
            (_, Node::All(parts)) => parts.iter().all(|part| self.is_within(part)),
            (_, Node::Any) => self.admits_absence() == Truth::False,
            (Node::All(parts), _) => {
                let together = Range::of_all(parts);
                parts.iter().any(|part| part.is_within(wider))
                    || matches!(&wider.0, Node::Range(range) if range_within(&together, range))
                    || matches!(&wider.0, Node::AnyOf(any) if any.iter().any(|one| self.is_within(one)))
            }
            (_, Node::AnyOf(parts)) => parts.iter().any(|part| self.is_within(part)),
            (Node::Range(narrow), Node::Range(wide)) => range_within(narrow, wide),
            (Node::Prefix(narrow), Node::Prefix(wide)) => narrow.starts_with(&**wide),
            (Node::Suffix(narrow), Node::Suffix(wide)) => narrow.ends_with(&**wide),
            (Node::Len(narrow), Node::Len(wide)) => count_within(narrow, wide),
            (Node::Count(narrow), Node::Count(wide)) => count_within(narrow, wide),
            (Node::Fields(narrow), Node::Fields(wide)) => fields_within(narrow, wide),
            (Node::Each(narrow), Node::Each(wide)) => narrow.is_within(wide),
            (Node::Each(narrow), Node::Some(wide)) | (Node::Some(narrow), Node::Some(wide)) => {
                narrow.is_within(wide)
            }
            (Node::SubsetOf(narrow), Node::SubsetOf(wide)) => narrow.is_subset(wide),
            (Node::HasAny(narrow), Node::HasAny(wide)) => narrow.is_subset(wide),
            (Node::HasAll(narrow), Node::HasAll(wide)) => wide.is_subset(narrow),
            (Node::HasAll(narrow), Node::HasAny(wide)) => share(narrow, wide),
            _ => false,
        }
    }

    /// Whether some value may satisfy both. `true` also where it can't be told.
    pub(crate) fn may_overlap(&self, other: &Constraint) -> bool {
        match (&self.0, &other.0) {
            (Node::Is(set), _) => set.iter().any(|value| other.may_be_true_of(value)),
            (_, Node::Is(set)) => set.iter().any(|value| self.may_be_true_of(value)),
            (Node::Range(one), Node::Range(two)) => !one.intersect(*two).is_empty(),
            (Node::All(parts), _) => parts.iter().all(|part| part.may_overlap(other)),
            (_, Node::All(parts)) => parts.iter().all(|part| self.may_overlap(part)),
            (Node::AnyOf(parts), _) => parts.iter().any(|part| part.may_overlap(other)),
            (_, Node::AnyOf(parts)) => parts.iter().any(|part| self.may_overlap(part)),
            (Node::Prefix(one), Node::Prefix(two)) => {
                one.starts_with(&**two) || two.starts_with(&**one)
            }
            _ => true,
        }
    }

    /// Whether the constraint is true of an argument that is not there.
    pub(crate) fn admits_absence(&self) -> Truth {
        self.holds(&Fact::arg(PLACEHOLDER), Stance::Cover, &Only(None))
    }

    fn is_true_of(&self, value: &Value) -> bool {
        self.holds(&Fact::arg(PLACEHOLDER), Stance::Cover, &Only(Some(value))) == Truth::True
    }

    fn may_be_true_of(&self, value: &Value) -> bool {
        // The value may also stand as an element of a list, of which a guard asks the same.
        self.holds(&Fact::arg(PLACEHOLDER), Stance::Guard, &Only(Some(value))).may_hold()
    }

    /// The constraint with every `same_as` of a known fact replaced by `eq` of what it is.
    pub(crate) fn resolve<F: Facts>(&self, known: &F) -> Cow<'_, Constraint> {
        if !self.compares() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(match &self.0 {
            Node::SameAs(fact) if !fact.is_of_the_call() => match known.fact(fact) {
                Some(value) => Constraint(Node::Is(Set::one(value.clone()))),
                None => self.clone(),
            },
            Node::All(parts) => Constraint(Node::All(resolve_all(parts, known))),
            Node::AnyOf(parts) => Constraint(Node::AnyOf(resolve_all(parts, known))),
            Node::Not(inner) => Constraint(Node::Not(Box::new(inner.resolve(known).into_owned()))),
            Node::Each(inner) => {
                Constraint(Node::Each(Box::new(inner.resolve(known).into_owned())))
            }
            Node::Some(inner) => {
                Constraint(Node::Some(Box::new(inner.resolve(known).into_owned())))
            }
            Node::Fields(fields) => {
                Constraint(Node::Fields(fields.map(|field| field.resolve(known).into_owned())))
            }
            _ => self.clone(),
        })
    }

    fn compares(&self) -> bool {
        match &self.0 {
            Node::SameAs(_) => true,
            Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(Constraint::compares),
            Node::Not(inner) | Node::Each(inner) | Node::Some(inner) => inner.compares(),
            Node::Fields(fields) => fields.iter().any(|(_, field)| field.compares()),
            _ => false,
        }
    }

    /// The values this is limited to, if they are finitely many and known.
    pub(crate) fn finite(&self) -> Option<&Set> {
        match &self.0 {
            Node::Is(set) => Some(set),
            Node::All(parts) => parts.iter().find_map(Constraint::finite),
            _ => None,
        }
    }
}

/// Whether calls covered by `conditions` and `openness` all satisfy `wider`, a condition on the call.
pub(crate) fn condition_within(
    conditions: &[Condition],
    openness: &Openness,
    wider: &Condition,
) -> bool {
    let own: Vec<&Constraint> =
        conditions.iter().filter(|own| own.fact == wider.fact).map(|own| &own.constraint).collect();
    match (own.as_slice(), &wider.fact) {
        // Not named: with a closed cover that argument is never there.
        ([], Fact::Arg(path)) if !openness.other_args => match &**path {
            [_] => wider.constraint.admits_absence() == Truth::True,
            _ => false,
        },
        ([], _) => false,
        ([only], _) => only.is_within(&wider.constraint),
        (several, _) => Constraint(Node::All(several.iter().map(|c| (*c).clone()).collect()))
            .is_within(&wider.constraint),
    }
}

/// Whether a call covered by `conditions` and `openness` may satisfy `other`, a condition on the call.
pub(crate) fn condition_may_overlap(
    conditions: &[Condition],
    openness: &Openness,
    other: &Condition,
) -> bool {
    let mut own = conditions.iter().filter(|own| own.fact == other.fact).peekable();
    if own.peek().is_none()
        && let Fact::Arg(path) = &other.fact
        && !openness.other_args
        && path.len() == 1
    {
        return other.constraint.admits_absence().may_hold();
    }
    own.all(|own| own.constraint.may_overlap(&other.constraint))
}

/// Whether nothing that `narrow` leaves open is closed in `wide`.
pub(crate) fn openness_within(
    (narrow_conditions, narrow): (&[Condition], &Openness),
    (wide_conditions, wide): (&[Condition], &Openness),
) -> bool {
    let resource = matches!(
        (narrow.resource, wide.resource),
        (_, ResourceOpenness::Any)
            | (ResourceOpenness::None, ResourceOpenness::None)
            | (ResourceOpenness::Named, ResourceOpenness::Named)
    );
    let args = wide.other_args
        || (!narrow.other_args
            && narrow_conditions.iter().all(|condition| match &condition.fact {
                Fact::Arg(path) => match &**path {
                    [name] => names_argument(wide_conditions, name),
                    _ => true,
                },
                _ => true,
            }));
    resource && args
}

/// The name under which a value alone is asked about. No argument has the empty name, so no `same_as`
/// reaches it.
const PLACEHOLDER: &str = "";

/// A question in which one value stands wherever it is asked for.
struct Only<'a>(Option<&'a Value>);

impl Facts for Only<'_> {
    fn fact(&self, fact: &Fact) -> Option<&Value> {
        // Only the placeholder is known: a `same_as` finds nothing and stays unknown.
        matches!(fact, Fact::Arg(path) if matches!(&**path, [only] if &**only == PLACEHOLDER))
            .then_some(self.0)
            .flatten()
    }
}

fn resolve_all<F: Facts>(parts: &[Constraint], known: &F) -> Vec<Constraint> {
    parts.iter().map(|part| part.resolve(known).into_owned()).collect()
}

fn range_within(narrow: &Range, wide: &Range) -> bool {
    narrow.is_empty() || narrow.intersect(*wide) == *narrow
}

fn count_within(narrow: &Count, wide: &Count) -> bool {
    narrow.min >= wide.min
        && match (narrow.max, wide.max) {
            (_, None) => true,
            (Some(narrow), Some(wide)) => narrow <= wide,
            (None, Some(_)) => false,
        }
}

fn fields_within(narrow: &Fields, wide: &Fields) -> bool {
    let named = wide.iter().all(|(name, wide_field)| match narrow.get(name) {
        Some(field) => field.is_within(wide_field),
        None => !narrow.open && wide_field.admits_absence() == Truth::True,
    });
    let unnamed =
        wide.open || (!narrow.open && narrow.iter().all(|(name, _)| wide.get(name).is_some()));
    named && unnamed
}

fn share(one: &Set, two: &Set) -> bool {
    one.iter().any(|value| two.contains(value))
}
