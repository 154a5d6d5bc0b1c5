//! What a permit or a capability covers: conditions on one call's arguments and resource.

use super::constraint::Constraint;
use super::evaluate::{Facts, Stance};
use super::fact::Fact;
use super::truth::Truth;
use crate::meter::Meter;
use crate::value::{Object, Value};
use crate::visible::Shown;
use crate::word::is_same;

/// One part of the question, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

    /// As [`Scope::size`](super::Scope::size).
    pub(super) fn size(&self) -> usize {
        self.constraint.size()
    }

    #[inline]
    pub(crate) fn holds<'q>(&self, stance: Stance, facts: impl Facts<'q>, meter: &Meter) -> Truth {
        self.constraint.holds(&self.fact, stance, facts, meter)
    }

    /// As [`holds`](Self::holds), of a fact that has been looked up.
    #[inline]
    fn holds_at<'q>(
        &self,
        value: Option<&'q Value>,
        stance: Stance,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Truth {
        self.constraint.holds_at(value, &self.fact, stance, facts, meter)
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
    pub(crate) fn outside<'q>(
        self,
        args: &'q Object,
        has_resource: bool,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Option<Outside<'c>> {
        self.outside_with(&[], args, has_resource, facts, meter)
    }

    /// As [`outside`](Self::outside), with conditions behind its own that are on no argument.
    pub(crate) fn outside_with<'q>(
        self,
        more: &'c [Condition],
        args: &'q Object,
        has_resource: bool,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Option<Outside<'c>> {
        let mut named = Named::default();
        for condition in self.conditions {
            let value = match condition.fact.as_argument() {
                Some(name) => named.find(name, args),
                None => facts.fact(&condition.fact),
            };
            let truth = condition.holds_at(value, Stance::Cover, facts, meter);
            if truth != Truth::True {
                return Some(Outside::Condition(condition, truth));
            }
        }
        for condition in more {
            let truth = condition.holds(Stance::Cover, facts, meter);
            if truth != Truth::True {
                return Some(Outside::Condition(condition, truth));
            }
        }
        if named.are_all_of(args) && self.openness.resource.fits(has_resource) {
            return None;
        }
        self.uncovered(args, has_resource).map(Outside::Uncovered)
    }

    /// Everything that keeps it from covering the call at hand: each condition that is not true, and then
    /// what of the call nothing speaks of.
    pub(crate) fn all_outside<'q>(
        self,
        args: &Object,
        has_resource: bool,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> impl Iterator<Item = Outside<'c>> {
        self.all_outside_with(&[], args, has_resource, facts, meter)
    }

    /// As [`all_outside`](Self::all_outside), with conditions behind its own that are on no argument.
    pub(crate) fn all_outside_with<'q>(
        self,
        more: &'c [Condition],
        args: &Object,
        has_resource: bool,
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> impl Iterator<Item = Outside<'c>> {
        let truth = move |own: &Condition| own.holds(Stance::Cover, facts, meter);
        let truths = self.conditions.iter().chain(more).map(move |own| (own, truth(own)));
        let failed = truths
            .filter(|(_, truth)| *truth != Truth::True)
            .map(|(own, truth)| Outside::Condition(own, truth));
        let resource = (!self.openness.resource.fits(has_resource)).then_some(Uncovered::Resource);
        let args = (!self.openness.other_args).then(|| args.keys()).into_iter().flatten();
        let unnamed = args.filter(move |name| !self.names_argument(name));
        let unnamed = unnamed.map(|name| Uncovered::Argument(name.into()));
        failed.chain(resource.into_iter().chain(unnamed).map(Outside::Uncovered))
    }

    /// What of the call nothing speaks of.
    pub(super) fn uncovered(self, args: &Object, has_resource: bool) -> Option<Uncovered> {
        if !self.openness.resource.fits(has_resource) {
            return Some(Uncovered::Resource);
        }
        if self.openness.other_args {
            return None;
        }
        args.keys().find(|key| !self.names_argument(key)).map(|key| Uncovered::Argument(key.into()))
    }

    pub(crate) fn names_argument(self, name: &str) -> bool {
        let names = |own: &Condition| own.fact.as_argument().is_some_and(|own| is_same(own, name));
        self.conditions.iter().any(names)
    }
}

/// The arguments of a call that are named, by their places: so none is looked for twice, and one that is
/// named twice counts once.
#[derive(Default)]
pub(super) struct Named(u64);

impl Named {
    /// The argument of this name, which is named now.
    #[inline]
    pub(super) fn find<'a>(&mut self, name: &str, args: &'a Object) -> Option<&'a Value> {
        let (at, value) = args.find(name)?;
        self.0 |= 1_u64.checked_shl(at as u32).unwrap_or_default();
        Some(value)
    }

    /// Whether there are few enough to be told apart.
    pub(super) fn can_count(&self, args: &Object) -> bool {
        args.len() <= 64
    }

    /// Whether these are all there are; of more than a word has bits, never.
    #[inline]
    pub(super) fn are_all_of(&self, args: &Object) -> bool {
        self.0.count_ones() as usize == args.len()
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
}

impl Uncovered {
    /// What is outside of `whose` cover, for people.
    pub(crate) fn said_of(&self, whose: &str) -> String {
        match self {
            Uncovered::Argument(name) => {
                format!("argument {} is not named by {whose}", Shown(name))
            }
            Uncovered::Resource => format!("the call's resource is not what {whose} speaks of"),
        }
    }
}

impl ResourceOpenness {
    /// Whether a call with a resource, or one without, may be.
    pub(crate) fn fits(self, has_resource: bool) -> bool {
        match self {
            ResourceOpenness::None => !has_resource,
            ResourceOpenness::Named => has_resource,
            ResourceOpenness::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::scope::model::{mixed_constraints, values};
    use crate::scope::{any, max};

    /// Arguments alone.
    struct Alone<'a>(&'a Object);

    impl<'q> Facts<'q> for &Alone<'q> {
        fn fact(self, fact: &Fact) -> Option<&'q Value> {
            let Fact::Arg(path) = fact else { return None };
            self.0.get(path.first()?)
        }
    }

    fn outside(conditions: &[Condition], args: &Object) -> Option<Uncovered> {
        let openness = Openness::default();
        let cover = Cover { conditions, openness: &openness };
        match cover.outside(args, false, &Alone(args), &Meter::ample()) {
            None => None,
            Some(Outside::Uncovered(uncovered)) => Some(uncovered),
            Some(Outside::Condition(condition, _)) => panic!("{condition:?}"),
        }
    }

    fn unnamed(name: &str) -> Option<Uncovered> {
        Some(Uncovered::Argument(name.into()))
    }

    /// Bytes of a token can say so.
    #[test]
    fn an_argument_that_is_named_twice_names_no_other() {
        let twice = [any(), max(5)].map(|own| Condition::new(Fact::arg("a"), own));
        let args = Object::from_pairs([("a", 1), ("b", 1)]).unwrap();
        assert_eq!(outside(&twice, &args), unnamed("b"));
        assert_eq!(outside(&twice, &Object::from_pairs([("a", 1)]).unwrap()), None);
    }

    #[test]
    fn of_more_arguments_than_a_word_has_bits_none_is_overlooked() {
        for count in [63, 64, 65, 70, 128, 130] {
            let names: Vec<String> = (0..count).map(|n| format!("{n:03}")).collect();
            let args = Object::from_pairs(names.iter().map(|name| (name.clone(), 1))).unwrap();
            let mut named: Vec<_> =
                names.iter().map(|name| Condition::new(Fact::arg(name), any())).collect();
            assert_eq!(outside(&named, &args), None, "{count}");
            for at in [0, 1, count / 2, count - 1] {
                let left_out = named.remove(at);
                assert_eq!(outside(&named, &args), unnamed(&names[at]), "{count} {at}");
                named.insert(at, left_out);
            }
        }
    }

    #[test]
    fn a_resource_is_asked_for_beside_the_arguments() {
        let openness = Openness { other_args: false, resource: ResourceOpenness::Named };
        let named = [Condition::new(Fact::arg("a"), any())];
        let cover = Cover { conditions: &named, openness: &openness };
        let args = Object::from_pairs([("a", 1)]).unwrap();
        let without = cover.outside(&args, false, &Alone(&args), &Meter::ample());
        assert_eq!(without, Some(Outside::Uncovered(Uncovered::Resource)));
        assert_eq!(cover.outside(&args, true, &Alone(&args), &Meter::ample()), None);
    }

    /// What is inside of an argument does not name it.
    #[test]
    fn a_condition_on_a_field_names_no_argument() {
        let inner = Condition::new(Fact::parse("args.a.b").unwrap(), crate::scope::optional(any()));
        let args = Object::from_pairs([("a", 1)]).unwrap();
        assert_eq!(outside(&[inner], &args), unnamed("a"));
    }

    /// By the book: each condition, then each argument by its name.
    fn by_the_book<'c>(cover: Cover<'c>, args: &Object, has_resource: bool) -> Option<Outside<'c>> {
        let told =
            |own: &'c Condition| (own, own.holds(Stance::Cover, &Alone(args), &Meter::ample()));
        let failed = cover.conditions.iter().map(told).find(|(_, truth)| *truth != Truth::True);
        match failed {
            Some((own, truth)) => Some(Outside::Condition(own, truth)),
            None => cover.uncovered(args, has_resource).map(Outside::Uncovered),
        }
    }

    proptest! {
        #[test]
        fn what_is_outside_is_what_asking_name_by_name_finds(
            named in vec(("[a-d]", prop_oneof![Just(any()), mixed_constraints()]), 0..5),
            args in proptest::collection::btree_map("[a-e]", values(), 0..5),
            attributed in option::weighted(0.2, mixed_constraints()),
            other_args in proptest::bool::ANY,
            resource in prop_oneof![
                Just(ResourceOpenness::None), Just(ResourceOpenness::Named), Just(ResourceOpenness::Any),
            ],
            has_resource in proptest::bool::ANY,
        ) {
            let mut conditions: Vec<_> =
                named.into_iter().map(|(name, own)| Condition::new(Fact::arg(&name), own)).collect();
            conditions.extend(attributed.map(|own| Condition::new(Fact::ResourceId, own)));
            let args = Object::from_pairs(args).unwrap();
            let openness = Openness { other_args, resource };
            let cover = Cover { conditions: &conditions, openness: &openness };
            prop_assert_eq!(
                cover.outside(&args, has_resource, &Alone(&args), &Meter::ample()),
                by_the_book(cover, &args, has_resource)
            );
            let all: Vec<_> = cover.all_outside(&args, has_resource, &Alone(&args), &Meter::ample()).collect();
            prop_assert_eq!(all.first().cloned(), by_the_book(cover, &args, has_resource));
            let meter = Meter::ample();
            let failed =
                |own: &&Condition| own.holds(Stance::Cover, &Alone(&args), &meter) != Truth::True;
            let unnamed = args.keys().filter(|name| !other_args && !cover.names_argument(name));
            let others = unnamed.count() + usize::from(!resource.fits(has_resource));
            prop_assert_eq!(all.len(), conditions.iter().filter(failed).count() + others);
        }
    }
}
