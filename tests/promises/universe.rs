//! A small universe: few tools, arguments and values, so that what is random meets often.

use std::collections::BTreeMap;
use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::identity::{Assertion, Kind};
use hallpass::policy::{ApprovalTerms, Effect, Moment, Per, Policy, Reviewers, Rule, Tool};
use hallpass::scope::{self, Constraint, Scope};
use hallpass::value::{Number, Value};
use hallpass::{Call, Context, Purpose, Resource};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const TOOLS: [&str; 3] = ["db.read", "db.write", "mail.send"];
pub(crate) const OUTSIDE: &str = "shell";
pub(crate) const ARGS: [&str; 3] = ["x", "y", "n"];
pub(crate) const START: i64 = 1_800_000_000_000;

/// How many cases to try, unless `PROPTEST_CASES` says: few enough that all promises take a minute.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases, ..usual },
    }
}

/// A value. Numbers count halves, so that decimals are among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum V {
    Null,
    Bool(bool),
    Halves(i64),
    Text(String),
    List(Vec<V>),
    Object(BTreeMap<String, V>),
}

/// A constraint, as policies write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum C {
    Any,
    Present(bool),
    Eq(V),
    OneOf(Vec<V>),
    SameAs(String),
    Min(i64),
    Max(i64),
    Above(i64),
    Below(i64),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Glob(String),
    Len(u64, u64),
    Fields(BTreeMap<String, C>, bool),
    Each(Box<C>),
    Some(Box<C>),
    Count(u64, u64),
    SubsetOf(Vec<V>),
    HasAny(Vec<V>),
    HasAll(Vec<V>),
    All(Vec<C>),
    AnyOf(Vec<C>),
    Not(Box<C>),
}

/// One part of the question, as policies name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum F {
    WhoId,
    WhoKind,
    WhoGroups,
    WhoActsFor,
    WhoAttr(String),
    Purpose,
    Ticket,
    When(String),
    Seen,
    Labels,
    ResourceType,
    ResourceId,
    ResourceAttr(String),
    Arg(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToolsSaid {
    Unsaid,
    Any,
    Named(Vec<String>),
    Like(C),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitsSaid {
    pub(crate) ttl: Option<u64>,
    pub(crate) idle: Option<u64>,
    pub(crate) uses: Option<u64>,
    pub(crate) rate: Option<(u64, u64)>,
    pub(crate) budget_halves: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleSaid {
    pub(crate) id: String,
    pub(crate) effect: Effect,
    pub(crate) moments: Vec<Moment>,
    pub(crate) tools: ToolsSaid,
    pub(crate) conditions: Vec<(F, C)>,
    pub(crate) other_args: bool,
    pub(crate) any_args: bool,
    pub(crate) any_resource: bool,
    pub(crate) per_task: bool,
    pub(crate) limits: LimitsSaid,
    /// Seconds after [`START`].
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
}

/// The catalogue: labels by tool.
pub(crate) type Labels = BTreeMap<String, Vec<String>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct PolicySaid {
    pub(crate) catalogue: Option<Labels>,
    pub(crate) rules: Vec<RuleSaid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhoSaid {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) groups: Vec<String>,
    pub(crate) attrs: BTreeMap<String, V>,
    pub(crate) acts_for: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WhySaid {
    pub(crate) name: String,
    pub(crate) ticket: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceSaid {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) attrs: BTreeMap<String, V>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallSaid {
    pub(crate) tool: String,
    pub(crate) args: BTreeMap<String, V>,
    pub(crate) resource: Option<ResourceSaid>,
}

pub(crate) type ContextSaid = BTreeMap<String, V>;

/// One capability of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CapabilitySaid {
    pub(crate) tool: String,
    pub(crate) args: Vec<(String, C)>,
    pub(crate) other_args: bool,
    /// `None`: calls without a resource only. Otherwise what type, id and `owner` must be.
    pub(crate) resource: Option<(C, C, Option<C>)>,
    pub(crate) any_resource: bool,
}

impl V {
    pub(crate) fn value(&self) -> Value {
        match self {
            V::Null => Value::Null,
            V::Bool(b) => Value::Bool(*b),
            V::Halves(n) => Value::Number(halves(*n)),
            V::Text(text) => Value::from(text.as_str()),
            V::List(list) => Value::List(list.iter().map(V::value).collect()),
            V::Object(fields) => Value::Object(object(fields)),
        }
    }
}

pub(crate) fn halves(n: i64) -> Number {
    let sign = if n < 0 { "-" } else { "" };
    let half = if n % 2 == 0 { "" } else { ".5" };
    Number::parse(&format!("{sign}{}{half}", (n / 2).abs())).unwrap()
}

pub(crate) fn object(fields: &BTreeMap<String, V>) -> hallpass::value::Object {
    hallpass::value::Object::from_pairs(fields.iter().map(|(k, v)| (k.as_str(), v.value())))
        .unwrap()
}

impl C {
    pub(crate) fn constraint(&self) -> Constraint {
        let values = |set: &[V]| set.iter().map(V::value).collect::<Vec<_>>();
        let all = |parts: &[C]| parts.iter().map(C::constraint).collect::<Vec<_>>();
        match self {
            C::Any => scope::any(),
            C::Present(true) => scope::present(),
            C::Present(false) => scope::absent(),
            C::Eq(value) => scope::eq(value.value()),
            C::OneOf(set) => scope::one_of(values(set)),
            C::SameAs(fact) => scope::same_as(fact),
            C::Min(n) => scope::min(halves(*n)),
            C::Max(n) => scope::max(halves(*n)),
            C::Above(n) => scope::above(halves(*n)),
            C::Below(n) => scope::below(halves(*n)),
            C::Prefix(text) => scope::prefix(text),
            C::Suffix(text) => scope::suffix(text),
            C::Contains(text) => scope::contains(text),
            C::Glob(pattern) => scope::glob(pattern),
            C::Len(low, high) => scope::len(*low..=*high),
            C::Fields(named, open) => {
                let named = named.iter().map(|(name, c)| (name.as_str(), c.constraint()));
                let closed = scope::fields(named);
                if *open { closed.other_fields() } else { closed }
            }
            C::Each(inner) => scope::each(inner.constraint()),
            C::Some(inner) => scope::some(inner.constraint()),
            C::Count(low, high) => scope::count(*low..=*high),
            C::SubsetOf(set) => scope::subset_of(values(set)),
            C::HasAny(set) => scope::has_any(values(set)),
            C::HasAll(set) => scope::has_all(values(set)),
            C::All(parts) => scope::all_of(all(parts)),
            C::AnyOf(parts) => scope::any_of(all(parts)),
            C::Not(inner) => scope::not(inner.constraint()),
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.constraint().check().is_ok()
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

impl RuleSaid {
    pub(crate) fn rule(&self) -> Rule {
        let id = self.id.as_str();
        let mut rule = match self.effect {
            Effect::Permit => Rule::permit(id),
            Effect::Ask => Rule::ask(id).approval(
                ApprovalTerms::per(if self.per_task { Per::Task } else { Per::Call })
                    .review(Reviewers::in_groups(scope::has_any(["owners"]))),
            ),
            Effect::Forbid => Rule::forbid(id),
        };
        rule = rule.on(self.moments.iter().copied());
        rule = match &self.tools {
            ToolsSaid::Unsaid => rule,
            ToolsSaid::Any => rule.any_tool(),
            ToolsSaid::Named(names) => rule.tools(names.iter().map(String::as_str)),
            ToolsSaid::Like(c) => rule.tool_like(c.constraint()),
        };
        for (fact, c) in &self.conditions {
            let c = c.constraint();
            rule = match fact {
                F::WhoId => rule.who_id(c),
                F::WhoKind => rule.who_kind(c),
                F::WhoGroups => rule.who_groups(c),
                F::WhoActsFor => rule.who_acts_for(c),
                F::WhoAttr(name) => rule.who_attr(name, c),
                F::Purpose => rule.purpose(c),
                F::Ticket => rule.ticket(c),
                F::When(name) => rule.when(name, c),
                F::Seen => rule.seen(c),
                F::Labels => rule.labels(c),
                F::ResourceType => rule.resource_type(c),
                F::ResourceId => rule.resource_id(c),
                F::ResourceAttr(name) => rule.resource_attr(name, c),
                F::Arg(name) => rule.arg(name, c),
            };
        }
        if self.other_args {
            rule = rule.other_args();
        }
        if self.any_args {
            rule = rule.any_args();
        }
        if self.any_resource {
            rule = rule.any_resource();
        }
        if let Some(from) = self.from {
            rule = rule.valid_from(at(from));
        }
        if let Some(until) = self.until {
            rule = rule.valid_until(at(until));
        }
        let LimitsSaid { ttl, idle, uses, rate, budget_halves } = self.limits;
        let seconds = Duration::from_secs;
        if let Some(ttl) = ttl {
            rule = rule.ttl(seconds(ttl));
        }
        if let Some(idle) = idle {
            rule = rule.idle(seconds(idle));
        }
        if let Some(uses) = uses {
            rule = rule.uses(uses);
        }
        if let Some((calls, window)) = rate {
            rule = rule.rate(calls, seconds(window));
        }
        if let Some(most) = budget_halves {
            rule = rule.budget("args.n", halves(most));
        }
        rule
    }

    /// Whether a policy would take it.
    pub(crate) fn is_sound(&self) -> bool {
        let said = PolicySaid { catalogue: Some(Labels::new()), rules: vec![self.clone()] };
        let tool = Tool::new(TOOLS[0]);
        Policy::builder().tool(tool).rules(said.rules.iter().map(RuleSaid::rule)).build().is_ok()
    }

    pub(crate) fn looks_at_labels(&self) -> bool {
        self.conditions.iter().any(|(fact, _)| matches!(fact, F::Seen | F::Labels))
    }
}

impl PolicySaid {
    pub(crate) fn policy(&self) -> Policy {
        let tools = self
            .catalogue
            .iter()
            .flatten()
            .map(|(name, labels)| Tool::new(name).labels(labels.iter().map(String::as_str)));
        tools
            .fold(Policy::builder(), |builder, tool| builder.tool(tool))
            .rules(self.rules.iter().map(RuleSaid::rule))
            .build()
            .unwrap()
    }
}

impl WhoSaid {
    pub(crate) fn assertion(&self) -> Assertion {
        let id = self.id.as_str();
        let mut who = match self.kind {
            Kind::Agent => Assertion::agent(id),
            Kind::Workload => Assertion::workload(id),
            Kind::Human => Assertion::human(id),
        };
        who = who.groups(self.groups.iter().map(String::as_str));
        for (name, value) in &self.attrs {
            who = who.attr(name.as_str(), value.value());
        }
        match &self.acts_for {
            Some(id) => who.acts_for(id.as_str(), Kind::Human),
            None => who,
        }
    }
}

impl WhySaid {
    pub(crate) fn purpose(&self) -> Purpose {
        let purpose = Purpose::new(self.name.as_str());
        match &self.ticket {
            Some(ticket) => purpose.ticket(ticket.as_str()),
            None => purpose,
        }
    }
}

impl CallSaid {
    pub(crate) fn call(&self) -> Call {
        let call = Call::new(&self.tool, object(&self.args)).unwrap();
        match &self.resource {
            None => call,
            Some(said) => {
                let resource = Resource::new(said.kind.as_str(), said.id.as_str());
                call.on(said
                    .attrs
                    .iter()
                    .fold(resource, |r, (name, value)| r.attr(name.as_str(), value.value())))
            }
        }
    }
}

pub(crate) fn context(said: &ContextSaid) -> Context {
    said.iter().fold(Context::new(), |c, (name, value)| c.with(name.as_str(), value.value()))
}

impl CapabilitySaid {
    pub(crate) fn add_to(&self, scope: Scope) -> Scope {
        let mut scope = scope.and_tool(&self.tool);
        for (name, c) in &self.args {
            scope = scope.arg(name, c.constraint());
        }
        if self.other_args {
            scope = scope.other_args();
        }
        if self.any_resource {
            scope = scope.any_resource();
        } else if let Some((kind, id, owner)) = &self.resource {
            scope = scope.resource(kind.constraint(), id.constraint());
            if let Some(owner) = owner {
                scope = scope.resource_attr("owner", owner.constraint());
            }
        }
        scope
    }
}

pub(crate) fn scope_of(said: &[CapabilitySaid]) -> Scope {
    said.iter().fold(Scope::default(), |scope, capability| capability.add_to(scope))
}

/// A caller of whom nothing is known but its id.
pub(crate) fn robot() -> WhoSaid {
    WhoSaid {
        id: "robot".into(),
        kind: Kind::Agent,
        groups: Vec::new(),
        attrs: BTreeMap::new(),
        acts_for: None,
    }
}

// ---- strategies ----

fn text() -> impl Strategy<Value = String> + Clone {
    select(vec!["", "a", "b", "ab", "a/b", "ba", "é"]).prop_map(str::to_owned)
}

pub(crate) fn scalars() -> impl Strategy<Value = V> + Clone {
    prop_oneof![
        1 => Just(V::Null),
        1 => any::<bool>().prop_map(V::Bool),
        3 => (-1..5i64).prop_map(V::Halves),
        5 => text().prop_map(V::Text),
    ]
}

pub(crate) fn values() -> impl Strategy<Value = V> + Clone {
    let flat = prop_oneof![
        6 => scalars().boxed(),
        2 => vec(scalars(), 0..3).prop_map(V::List).boxed(),
        1 => object_of(scalars().boxed()),
    ];
    prop_oneof![
        8 => flat.clone().boxed(),
        1 => vec(flat.clone(), 1..3).prop_map(V::List).boxed(),
        1 => object_of(flat.boxed()),
    ]
}

fn object_of(inner: BoxedStrategy<V>) -> BoxedStrategy<V> {
    proptest::collection::btree_map("[pq]", inner, 0..3).prop_map(V::Object).boxed()
}

const FACTS: [&str; 8] = [
    "who.id",
    "who.attrs.team",
    "who.groups",
    "why.ticket",
    "when.env",
    "args.y",
    "args.x",
    "resource.attrs.owner",
];

fn leaves() -> BoxedStrategy<C> {
    let some_text = || select(vec!["a", "b", "ab", "/", "é"]).prop_map(str::to_owned);
    let set = || vec(scalars(), 1..4);
    prop_oneof![
        2 => Just(C::Any),
        2 => any::<bool>().prop_map(C::Present),
        5 => values().prop_map(C::Eq),
        5 => set().prop_map(C::OneOf),
        1 => vec(vec(scalars(), 0..3).prop_map(V::List), 1..3).prop_map(C::OneOf),
        2 => select(FACTS.to_vec()).prop_map(|fact| C::SameAs(fact.into())),
        1 => (-1..5i64).prop_map(C::Min),
        2 => (-1..5i64).prop_map(C::Max),
        1 => (-1..5i64).prop_map(C::Above),
        1 => (-1..5i64).prop_map(C::Below),
        2 => some_text().prop_map(C::Prefix),
        1 => some_text().prop_map(C::Suffix),
        1 => some_text().prop_map(C::Contains),
        2 => select(vec!["*", "a*", "**", "a/*", "?", "**/b", "*b", "a", "a/**"])
            .prop_map(|p| C::Glob(p.into())),
        1 => (0..3u64, 0..2u64).prop_map(|(low, more)| C::Len(low, low + more)),
        1 => (0..3u64, 0..2u64).prop_map(|(low, more)| C::Count(low, low + more)),
        1 => set().prop_map(C::SubsetOf),
        3 => set().prop_map(C::HasAny),
        2 => set().prop_map(C::HasAll),
    ]
    .boxed()
}

/// Constraints that can be meant.
pub(crate) fn constraints() -> BoxedStrategy<C> {
    leaves()
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                2 => vec(inner.clone(), 1..3).prop_map(C::All),
                2 => vec(inner.clone(), 1..3).prop_map(C::AnyOf),
                2 => inner.clone().prop_map(|c| C::Not(Box::new(c))),
                1 => inner.clone().prop_map(|c| C::Each(Box::new(c))),
                1 => inner.clone().prop_map(|c| C::Some(Box::new(c))),
                1 => (proptest::collection::btree_map("[pq]", inner, 1..3), any::<bool>())
                    .prop_map(|(named, open)| C::Fields(named, open)),
            ]
        })
        .prop_map(|c| if c.is_sound() { c } else { C::Any })
        .boxed()
}

fn names(of: &[&'static str]) -> BoxedStrategy<String> {
    select(of.to_vec()).prop_map(str::to_owned).boxed()
}

fn sets_of(names: &[&str]) -> BoxedStrategy<Vec<V>> {
    let names: Vec<V> = names.iter().map(|n| V::Text((*n).into())).collect();
    vec(select(names), 1..3).boxed()
}

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
        names(&["env", "risk"]).prop_map(F::When),
    ];
    prop_oneof![
        2 => sets_of(&IDS).prop_map(|set| (F::WhoId, C::OneOf(set))),
        1 => names(&["agent/", "r"]).prop_map(|p| (F::WhoId, C::Prefix(p))),
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
        10 => (names(&ARGS).prop_map(F::Arg), constraints()),
        4 => (names(&ARGS).prop_map(F::Arg), scalars().prop_map(C::Eq)),
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
    let named = || vec(names(&TOOLS), 1..3).prop_map(ToolsSaid::Named);
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
    use Moment::{Call, Delegate, Request};
    let usual =
        if effect == Effect::Permit { vec![Request, Call] } else { vec![Request, Call, Delegate] };
    prop_oneof![
        12 => Just(usual),
        1 => Just(vec![Request]),
        2 => Just(vec![Call]),
        1 => Just(vec![Delegate]),
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
    )
        .prop_map(|(ttl, idle, uses, rate, budget_halves)| LimitsSaid {
            ttl,
            idle,
            uses,
            rate,
            budget_halves,
        });
    prop_oneof![3 => Just(LimitsSaid::default()), 2 => limits].boxed()
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
    (what, moments(effect), limits(), validity(), any::<bool>())
        .prop_map(move |(what, moments, limits, (from, until), per_task)| {
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
                per_task,
                limits: if permit { limits } else { LimitsSaid::default() },
                from,
                until,
            }
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
    vec(vec(names(&LABELS), 0..2), 3)
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
    (names(&IDS), kind, vec(names(&GROUPS), 0..3), attrs, option::of(Just("ada".to_owned())))
        .prop_map(|(id, kind, mut groups, attrs, acts_for)| {
            groups.sort();
            groups.dedup();
            WhoSaid { id, kind, groups, attrs, acts_for }
        })
        .boxed()
}

pub(crate) fn whys() -> BoxedStrategy<WhySaid> {
    (names(&PURPOSES), option::of(names(&["a", "INV-1"])))
        .prop_map(|(name, ticket)| WhySaid { name, ticket })
        .boxed()
}

pub(crate) fn contexts() -> BoxedStrategy<ContextSaid> {
    proptest::collection::btree_map(names(&["env", "risk"]), values(), 0..3).boxed()
}

pub(crate) fn resources() -> BoxedStrategy<Option<ResourceSaid>> {
    let attrs = proptest::collection::btree_map(Just("owner".to_owned()), values(), 0..2);
    option::weighted(
        0.3,
        (names(&["T", "U"]), names(&["a", "1"]), attrs)
            .prop_map(|(kind, id, attrs)| ResourceSaid { kind, id, attrs }),
    )
    .boxed()
}

pub(crate) fn calls() -> BoxedStrategy<CallSaid> {
    let tool = prop_oneof![9 => names(&TOOLS), 1 => Just(OUTSIDE.to_owned())];
    let args = proptest::collection::btree_map(names(&["x", "y", "n", "extra"]), values(), 0..4);
    (tool, args, resources())
        .prop_map(|(tool, args, resource)| CallSaid { tool, args, resource })
        .boxed()
}

pub(crate) fn capabilities() -> BoxedStrategy<CapabilitySaid> {
    let c = || prop_oneof![2 => constraints(), 1 => Just(C::Any), 2 => scalars().prop_map(C::Eq)];
    let resource = option::weighted(
        0.3,
        (
            prop_oneof![Just(C::Any), Just(C::Eq(V::Text("T".into())))],
            c(),
            option::weighted(0.3, c()),
        ),
    );
    let args = proptest::collection::btree_map(names(&ARGS), c(), 0..3);
    (names(&TOOLS), args, any::<bool>(), resource, proptest::bool::weighted(0.2))
        .prop_map(|(tool, args, other_args, resource, any_resource)| CapabilitySaid {
            tool,
            args: args.into_iter().collect(),
            other_args,
            resource: if any_resource { None } else { resource },
            any_resource,
        })
        .boxed()
}
