//! A capability: one tool, and what its arguments and resource must be.

use super::cover::{Condition, Cover, Openness, Outside, ResourceOpenness};
use super::evaluate::Facts;
use super::fact::Fact;
use super::truth::Truth;
use crate::meter::Meter;
use crate::tool::ToolName;
use crate::value::{Object, Value};
use crate::word::is_same;

/// A capability as its byte form sees it.
pub(super) struct Part<'p> {
    pub(super) tool: &'p str,
    pub(super) cover: Cover<'p>,
}

/// A capability that can be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capability {
    pub(crate) tool: ToolName,
    pub(crate) conditions: Box<[Condition]>,
    pub(crate) openness: Openness,
}

impl Capability {
    pub(super) fn part(&self) -> Part<'_> {
        Part { tool: self.tool.as_str(), cover: self.cover() }
    }

    /// What it says of a call of its tool.
    pub(crate) fn cover(&self) -> Cover<'_> {
        Cover { conditions: &self.conditions, openness: &self.openness }
    }

    /// The values that it leaves to a part of the call, if they are finitely many.
    pub(crate) fn values_of(&self, fact: &Fact) -> Option<Vec<&Value>> {
        let (first, path) = match fact {
            Fact::Arg(path) => path.split_first().map(|(first, path)| (Fact::arg(first), path))?,
            other => (other.clone(), &[][..]),
        };
        let mut own = self.conditions.iter().filter(|own| own.fact == first);
        own.find_map(|own| own.constraint.values_at(path))
    }

    /// What both this and another cover of the same tool cover; `None` where one needs an argument that
    /// the other is closed to.
    pub(crate) fn meet(&self, other: Cover<'_>, meter: &Meter) -> Option<Capability> {
        let mut all = self.conditions.to_vec();
        for condition in other.conditions {
            Condition::add(&mut all, condition.fact.clone(), condition.constraint.clone());
        }
        let closed = |condition: &Condition| {
            let open = |Cover { conditions, openness }: Cover<'_>| {
                openness.other_args || conditions.iter().any(|own| own.fact == condition.fact)
            };
            matches!(condition.fact, Fact::Arg(_)) && !(open(self.cover()) && open(other))
        };
        // An argument that one side is closed to must not be there, not as null either: what says
        // nothing of it says so, if the other side can do without it.
        let (left_out, conditions): (Vec<_>, Vec<_>) = all.into_iter().partition(closed);
        let spared =
            |condition: &Condition| condition.constraint.admits_absence(meter) == Truth::True;
        left_out.iter().all(spared).then(|| Capability {
            tool: self.tool.clone(),
            conditions: conditions.into_boxed_slice(),
            openness: self.openness.meet(other.openness),
        })
    }

    /// The same in words that a scope has: levels of orders by name.
    pub(crate) fn with_levels_named(mut self) -> Capability {
        self.conditions.iter_mut().for_each(|own| own.constraint.name_levels(false));
        self
    }

    /// The place of the first of `capabilities` that covers the call.
    #[inline]
    pub(crate) fn first_covering<'c, 'q>(
        capabilities: impl IntoIterator<Item = &'c Capability>,
        (tool, args, has_resource): (&str, &'q Object, bool),
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Option<usize> {
        capabilities.into_iter().position(|own| {
            is_same(own.tool.as_str(), tool)
                && own.cover().outside(args, has_resource, facts, meter).is_none()
        })
    }

    /// What of the call lies outside of that one of `capabilities` that leaves the least of it outside;
    /// `None` where none is of its tool.
    pub(crate) fn nearest_outside<'c, 'q>(
        capabilities: impl IntoIterator<Item = &'c Capability>,
        (tool, args, has_resource): (&str, &Object, bool),
        facts: impl Facts<'q>,
        meter: &Meter,
    ) -> Option<Vec<Outside<'c>>> {
        let of_the_tool = capabilities.into_iter().filter(|own| own.tool.as_str() == tool);
        of_the_tool
            .map(|own| own.cover().all_outside(args, has_resource, facts, meter).collect())
            .min_by_key(Vec::<Outside<'_>>::len)
    }

    /// As [`Scope::size`](super::Scope::size).
    pub(crate) fn size(&self) -> usize {
        self.conditions.iter().map(Condition::size).sum()
    }

    /// Whether it asks a resource to be so where none may be: it covers no call then.
    pub(crate) fn is_of_no_resource(&self) -> bool {
        self.openness.resource == ResourceOpenness::None
            && self.conditions.iter().any(|own| own.fact.is_of_the_resource())
    }

    pub(crate) fn to_value(&self) -> Value {
        self.part().to_value()
    }
}

impl Part<'_> {
    /// In the shape of a policy's `what` table. One that needs a resource, and says nothing of it,
    /// has an empty table there, which can't be written: it must not look like one that allows none.
    pub(super) fn to_value(&self) -> Value {
        let Cover { conditions, openness } = self.cover;
        let mut args = Object::new();
        let mut resource = Object::new();
        let mut attrs = Object::new();
        for Condition { fact, constraint } in conditions {
            let value = constraint.to_value();
            // There is one condition on each fact (`Condition::add`), so no key is there already.
            let _ = match fact {
                Fact::Arg(path) => args.insert(path.join("."), value),
                Fact::ResourceType => resource.insert("type", value),
                Fact::ResourceId => resource.insert("id", value),
                Fact::ResourceAttr(name) => attrs.insert(name.to_string(), value),
                _ => Ok(()),
            };
        }
        let mut out = Object::new();
        let mut put = |key: &'static str, value: Value| {
            // Each key is written once below.
            let _ = out.insert(key, value);
        };
        put("tool", Value::from(self.tool));
        if args.is_empty() && openness.other_args {
            put("args", Value::from("any"));
        } else {
            if openness.other_args {
                put("other_args", Value::from("any"));
            }
            put("args", Value::Object(args));
        }
        if openness.resource == ResourceOpenness::Any {
            put("resource", Value::from("any"));
        } else if openness.resource == ResourceOpenness::Named
            || !resource.is_empty()
            || !attrs.is_empty()
        {
            if !attrs.is_empty() {
                let _ = resource.insert("attrs", Value::Object(attrs));
            }
            put("resource", Value::Object(resource));
        }
        Value::Object(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::scope::model::scalars;
    use crate::scope::{Constraint, absent, any, below, eq, max, min, not, optional, prefix};

    #[test]
    fn a_cover_that_needs_a_resource_does_not_look_like_one_without() {
        let resource = |openness| {
            let openness = Openness { other_args: false, resource: openness };
            let cover = Cover { conditions: &[], openness: &openness };
            let value = Part { tool: "t", cover }.to_value();
            value.as_object().and_then(|cover| cover.get("resource").cloned())
        };
        assert_eq!(resource(ResourceOpenness::None), None);
        assert_eq!(resource(ResourceOpenness::Named), Some(Value::Object(Object::new())));
        assert_eq!(resource(ResourceOpenness::Any), Some(Value::from("any")));
    }

    fn constraints() -> impl Strategy<Value = Constraint> {
        prop_oneof![
            (0..3).prop_map(eq),
            (0..3).prop_map(min),
            (0..3).prop_map(below),
            (0..3).prop_map(|n| not(eq(n))),
            (0..3).prop_map(|n| optional(max(n))),
            Just(any()),
            Just(absent()),
            "[ab]{1,2}".prop_map(|text| prefix(&text)),
        ]
    }

    fn capabilities() -> impl Strategy<Value = Capability> {
        let resource = prop_oneof![
            3 => Just((ResourceOpenness::None, None)),
            1 => Just((ResourceOpenness::Any, None)),
            1 => constraints().prop_map(|own| (ResourceOpenness::Named, Some(own))),
        ];
        (vec(("[xyz]", constraints()), 0..4), proptest::bool::weighted(0.3), resource).prop_map(
            |(named, other_args, (resource, id))| {
                let mut conditions = Vec::new();
                for (name, own) in named {
                    Condition::add(&mut conditions, Fact::arg(&name), own);
                }
                conditions.extend(id.map(|own| Condition::new(Fact::ResourceId, own)));
                let openness = Openness { other_args, resource };
                let tool = ToolName::new("t").unwrap();
                Capability { tool, conditions: conditions.into(), openness }
            },
        )
    }

    struct Alone<'a>(&'a Object, Option<&'a Value>);

    impl<'q> Facts<'q> for &Alone<'q> {
        fn fact(self, fact: &Fact) -> Option<&'q Value> {
            match fact {
                Fact::Arg(path) => self.0.get(path.first()?),
                _ => self.1,
            }
        }
    }

    proptest! {
        /// P3: a trimmed part is never more than the permit or the wish, and no call of both is lost.
        #[test]
        fn a_meet_covers_the_calls_that_both_cover(
            own in capabilities(),
            other in capabilities(),
            calls in vec((btree_map("[wxyz]", scalars(), 0..4), option::of(scalars())), 1..20),
        ) {
            let both = own.meet(other.cover(), &Meter::ample());
            let of_no_resource = both.as_ref().is_some_and(Capability::is_of_no_resource);
            for (args, id) in calls {
                let args = Object::from_pairs(args).unwrap();
                let covers = |one: &Capability| {
                    {
                        let facts = Alone(&args, id.as_ref());
                        let meter = Meter::ample();
                        one.cover().outside(&args, id.is_some(), &facts, &meter).is_none()
                    }
                };
                let met = both.as_ref().is_some_and(|both| !of_no_resource && covers(both));
                prop_assert_eq!(met, covers(&own) && covers(&other), "{:?}: {:?} {:?}", both, args, id);
            }
        }
    }
}
