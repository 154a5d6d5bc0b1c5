//! The universe at random: what is likely to meet is likely.

use hallpass::identity::Kind;
use hallpass::policy::{Effect, Moment};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::random_constraints::{constraints, scalars, values};
use crate::universe::*;

const IDS: [&str; 3] = ["agent/a", "agent/b", "robot"];
const GROUPS: [&str; 3] = ["g0", "g1", "g2"];
const PURPOSES: [&str; 2] = ["reporting", "incident"];
pub(crate) const LABELS: [&str; 2] = ["egress", "private"];

/// A condition on who, why or when; mostly one that can hold.
fn conditions_on_setting() -> BoxedStrategy<(F, C)> {
    let any_fact = prop_oneof![
        Just(F::WhoId),
        Just(F::WhoKind),
        Just(F::WhoGroups),
        Just(F::WhoActsFor),
        Just(F::WhoAttr("team".into())),
        Just(F::Purpose),
        Just(F::Ticket),
        one_name(&["env", "risk"]).prop_map(F::When),
    ];
    prop_oneof![
        2 => sets_of(&IDS).prop_map(|set| (F::WhoId, C::OneOf(set))),
        1 => one_name(&["agent/", "r"]).prop_map(|p| (F::WhoId, C::Prefix(p))),
        3 => sets_of(&GROUPS).prop_map(|set| (F::WhoGroups, C::HasAny(set))),
        1 => sets_of(&GROUPS).prop_map(|set| (F::WhoGroups, C::HasAll(set))),
        1 => sets_of(&GROUPS).prop_map(|set| (F::WhoGroups, C::SubsetOf(set))),
        1 => Just((F::WhoKind, C::Eq(V::Text("agent".into())))),
        2 => sets_of(&PURPOSES).prop_map(|set| (F::Purpose, C::OneOf(set))),
        1 => any::<bool>().prop_map(|there| (F::Ticket, C::Present(there))),
        2 => scalars().prop_map(|v| (F::When("env".into()), C::Eq(v))),
        2 => (0..5i64).prop_map(|n| (F::When("risk".into()), C::Below(n))),
        3 => (any_fact, constraints()),
    ]
    .boxed()
}

fn conditions_on_call() -> BoxedStrategy<(F, C)> {
    prop_oneof![
        10 => (one_name(&ARGS).prop_map(F::Arg), constraints()),
        4 => (one_name(&ARGS).prop_map(F::Arg), scalars().prop_map(C::Eq)),
        1 => (Just(F::ResourceType), select(vec!["T", "U"]))
            .prop_map(|(fact, kind)| (fact, C::Eq(V::Text(kind.into())))),
        1 => (Just(F::ResourceId), constraints()),
        1 => (Just(F::ResourceAttr("owner".into())), constraints()),
    ]
    .boxed()
}

fn conditions_on_labels() -> BoxedStrategy<(F, C)> {
    (prop_oneof![Just(F::Seen), Just(F::Labels)], sets_of(&LABELS), 0..3)
        .prop_map(|(fact, set, kind)| {
            let c = match kind {
                0 => C::HasAny(set),
                1 => C::HasAll(set),
                _ => C::Not(Box::new(C::HasAny(set))),
            };
            (fact, c)
        })
        .boxed()
}

fn tools_said(effect: Effect) -> BoxedStrategy<ToolsSaid> {
    let named = || vec(one_name(&TOOLS), 1..3).prop_map(ToolsSaid::Named);
    let like = prop_oneof![Just("db."), Just("mail"), Just("s")]
        .prop_map(|p| ToolsSaid::Like(C::Prefix(p.into())));
    if effect == Effect::Permit {
        prop_oneof![5 => named(), 2 => Just(ToolsSaid::Any), 1 => like].boxed()
    } else {
        prop_oneof![4 => named(), 1 => Just(ToolsSaid::Any), 2 => Just(ToolsSaid::Unsaid), 1 => like]
            .boxed()
    }
}

fn moments(effect: Effect) -> BoxedStrategy<Vec<Moment>> {
    use Moment::{BreakGlass, Call, Delegate, Request};
    let usual =
        if effect == Effect::Permit { vec![Request, Call] } else { vec![Request, Call, Delegate] };
    prop_oneof![
        12 => Just(usual),
        1 => Just(vec![Request]),
        2 => Just(vec![Call]),
        1 => Just(vec![Delegate]),
        // Never speaks at any of these.
        1 => Just(vec![BreakGlass]),
    ]
    .boxed()
}

fn limits() -> BoxedStrategy<LimitsSaid> {
    let limits = (
        option::weighted(0.3, select(vec![20u64, 60, 400])),
        option::weighted(0.2, select(vec![10u64, 40])),
        option::weighted(0.5, 1..4u64),
        option::weighted(0.3, (1..3u64, select(vec![10u64, 60]))),
        option::weighted(0.2, 1..9i64),
        windows(select(vec![10u64, 60]).boxed()),
    )
        .prop_map(|(ttl, idle, uses, rate, budget_halves, windows)| {
            let said = LimitsSaid { ttl, idle, uses, rate, budget_halves, ..LimitsSaid::default() };
            said.within(windows)
        });
    prop_oneof![3 => Just(LimitsSaid::default()), 2 => limits].boxed()
}

/// The windows of uses and of budgets, where they have any.
pub(crate) fn windows(
    lengths: BoxedStrategy<u64>,
) -> impl Strategy<Value = (Option<u64>, Option<u64>)> {
    (option::weighted(0.4, lengths.clone()), option::weighted(0.4, lengths))
}

impl LimitsSaid {
    /// The same within windows, where there are any.
    pub(crate) fn within(mut self, (uses, budget): (Option<u64>, Option<u64>)) -> Self {
        if let Some(window) = uses {
            self.uses_in = self.uses.take().map(|uses| (uses, window));
        }
        if let Some(window) = budget {
            self.budget_in = self.budget_halves.take().map(|most| (most, window));
        }
        self
    }
}

fn validity() -> BoxedStrategy<(Option<i64>, Option<i64>)> {
    prop_oneof![
        10 => Just((None, None)),
        1 => select(vec![0i64, 30, 100]).prop_map(|from| (Some(from), None)),
        1 => select(vec![0i64, 30, 100]).prop_map(|until| (None, Some(until))),
        1 => (0..60i64, 1..60i64).prop_map(|(from, length)| (Some(from), Some(from + length))),
    ]
    .boxed()
}

/// Exceptions, of one part of the question or several.
fn exceptions(narrow: usize) -> BoxedStrategy<Vec<Vec<(F, C)>>> {
    let said = prop_oneof![
        2 => vec(conditions_on_setting(), 1..narrow + 1),
        2 => vec(conditions_on_call(), 1..narrow + 1),
        1 => (conditions_on_setting(), conditions_on_call()).prop_map(|(one, two)| vec![one, two]),
    ];
    prop_oneof![
        3 => Just(Vec::new()),
        1 => vec(said, 1..3),
    ]
    .boxed()
}

/// A rule that a policy with a catalogue takes; its id is to be set.
pub(crate) fn rules_of(effect: Effect, narrow: usize) -> BoxedStrategy<RuleSaid> {
    let what = (
        tools_said(effect),
        vec(conditions_on_setting(), 0..narrow),
        vec(conditions_on_call(), 0..narrow + 1),
        option::weighted(0.15, conditions_on_labels()),
        // How open: `other_args`, `any_args`, `any_resource`.
        (any::<bool>(), any::<bool>(), any::<bool>()),
    );
    let alone = exceptions(narrow);
    (what, moments(effect), limits(), validity(), (any::<bool>(), alone))
        .prop_map(move |(what, moments, limits, (from, until), (per_task, unless))| {
            let (tools, mut conditions, on_call, on_labels, open) = what;
            conditions.extend(on_call);
            conditions.extend(on_labels);
            let permit = effect == Effect::Permit;
            let names_args = conditions.iter().any(|(fact, _)| matches!(fact, F::Arg(_)));
            let on_resource =
                |fact: &F| matches!(fact, F::ResourceType | F::ResourceId | F::ResourceAttr(_));
            let names_resource = conditions.iter().any(|(fact, _)| on_resource(fact));
            if permit && names_resource {
                for fact in [F::ResourceType, F::ResourceId] {
                    if !conditions.iter().any(|(own, _)| *own == fact) {
                        conditions.push((fact, C::Any));
                    }
                }
            }
            RuleSaid {
                id: "rule".into(),
                effect,
                moments,
                tools,
                other_args: permit && names_args && open.0,
                any_args: permit && !names_args && open.1,
                any_resource: permit && !names_resource && open.2,
                conditions,
                unless,
                per_task,
                form: None,
                limits: if permit { limits } else { LimitsSaid::default() },
                from,
                until,
            }
            .sound_exceptions()
        })
        .prop_filter("can be meant", RuleSaid::is_sound)
        .boxed()
}

pub(crate) fn rules(narrow: usize) -> BoxedStrategy<RuleSaid> {
    prop_oneof![
        4 => rules_of(Effect::Permit, narrow),
        1 => rules_of(Effect::Ask, narrow),
        2 => rules_of(Effect::Forbid, narrow),
    ]
    .boxed()
}

pub(crate) fn catalogue() -> BoxedStrategy<Labels> {
    vec(vec(one_name(&LABELS), 0..2), 3)
        .prop_map(|labels| TOOLS.iter().map(|t| (*t).to_owned()).zip(labels).collect())
        .boxed()
}

/// A policy, its rules called `{prefix}0`, `{prefix}1`, …
pub(crate) fn policies(
    prefix: &'static str,
    narrow: usize,
    size: usize,
) -> BoxedStrategy<PolicySaid> {
    (option::of(catalogue()), vec(rules(narrow), 0..size))
        .prop_map(move |(catalogue, rules)| {
            let mut rules: Vec<RuleSaid> = rules
                .into_iter()
                .filter(|rule| catalogue.is_some() || !rule.looks_at_labels())
                .collect();
            for (at, rule) in rules.iter_mut().enumerate() {
                rule.id = format!("{prefix}{at}");
            }
            PolicySaid { catalogue, rules }
        })
        .boxed()
}

pub(crate) fn whos() -> BoxedStrategy<WhoSaid> {
    let attrs = proptest::collection::btree_map(Just("team".to_owned()), values(), 0..2);
    let kind = select(vec![Kind::Agent, Kind::Workload, Kind::Human]);
    (one_name(&IDS), kind, vec(one_name(&GROUPS), 0..3), attrs, option::of(Just("ada".to_owned())))
        .prop_map(|(id, kind, mut groups, attrs, acts_for)| {
            groups.sort();
            groups.dedup();
            WhoSaid { id, kind, groups, attrs, acts_for }
        })
        .boxed()
}

pub(crate) fn whys() -> BoxedStrategy<WhySaid> {
    (one_name(&PURPOSES), option::of(one_name(&["a", "INV-1"])))
        .prop_map(|(name, ticket)| WhySaid { name, ticket })
        .boxed()
}

pub(crate) fn contexts() -> BoxedStrategy<ContextSaid> {
    proptest::collection::btree_map(one_name(&["env", "risk"]), values(), 0..3).boxed()
}

pub(crate) fn resources() -> BoxedStrategy<Option<ResourceSaid>> {
    let attrs = proptest::collection::btree_map(Just("owner".to_owned()), values(), 0..2);
    option::weighted(
        0.3,
        (one_name(&["T", "U"]), one_name(&["a", "1"]), attrs)
            .prop_map(|(kind, id, attrs)| ResourceSaid { kind, id, attrs }),
    )
    .boxed()
}

pub(crate) fn calls() -> BoxedStrategy<CallSaid> {
    let tool = prop_oneof![9 => one_name(&TOOLS), 1 => Just(OUTSIDE.to_owned())];
    let args = proptest::collection::btree_map(one_name(&["x", "y", "n", "extra"]), values(), 0..4);
    (tool, args, resources())
        .prop_map(|(tool, args, resource)| CallSaid { tool, args, resource })
        .boxed()
}

pub(crate) fn capabilities() -> BoxedStrategy<CapabilitySaid> {
    // A scope may not make a broker compile anything.
    let plain = || constraints().prop_map(|c| if c.is_of_policies() { C::Any } else { c });
    let c = || prop_oneof![2 => plain(), 1 => Just(C::Any), 2 => scalars().prop_map(C::Eq)];
    let resource = option::weighted(
        0.3,
        (
            prop_oneof![Just(C::Any), Just(C::Eq(V::Text("T".into())))],
            c(),
            option::weighted(0.3, c()),
        ),
    );
    let args = proptest::collection::btree_map(one_name(&ARGS), c(), 0..3);
    (one_name(&TOOLS), args, any::<bool>(), resource, proptest::bool::weighted(0.2))
        .prop_map(|(tool, args, other_args, resource, any_resource)| CapabilitySaid {
            tool,
            args: args.into_iter().collect(),
            other_args,
            resource: if any_resource { None } else { resource },
            any_resource,
        })
        .boxed()
}
