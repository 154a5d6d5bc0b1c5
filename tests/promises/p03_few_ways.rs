//! P3: where a scope leaves only a few ways, rules say of the request what they say of its calls.

use std::time::Duration;

use hallpass::Broker;
use hallpass::clock::ManualClock;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, ValueType, absent, all_of, any as anything, any_of, count, each, eq, fields,
    has_any, items, max, not, of_type, one_of, optional, reference, same_as, some,
};
use hallpass::value::Value;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::universe::{at, config};

/// What an argument may be; the first is nothing at all.
fn values() -> Vec<Option<Value>> {
    let all = json!([
        null, 1, 2, "", "a", "b", true, [], [1], [2], [1, 2], ["a"], ["a", "b"], [[1]], [[]],
        { "k": 1 }, { "k": "a" }, { "k": [1] }, { "k": [] }, {}, [{ "k": 1 }]
    ]);
    let read = |own| Some(Value::try_from(own).unwrap());
    std::iter::once(None).chain(all.as_array().unwrap().iter().map(read)).collect()
}

fn value() -> BoxedStrategy<Value> {
    select(values().into_iter().flatten().collect::<Vec<_>>()).boxed()
}

fn type_of(value: &Value) -> ValueType {
    match value {
        Value::Null => ValueType::Null,
        Value::Bool(_) => ValueType::Bool,
        Value::Number(_) => ValueType::Number,
        Value::Text(_) => ValueType::Text,
        Value::List(_) => ValueType::List,
        Value::Object(_) => ValueType::Object,
    }
}

/// What a scope says of an argument: one value, a few of a type, or more than can be listed.
fn asked(is_typed: bool) -> BoxedStrategy<Constraint> {
    let few = (value(), value(), any::<bool>(), any::<bool>()).prop_map(
        move |(own, other, typed, both)| {
            let is_list = |value: &Value| matches!(value, Value::List(_));
            let said = match both && is_list(&own) == is_list(&other) {
                true => one_of([own.clone(), other]),
                false => eq(own.clone()),
            };
            if typed || is_typed { said.and(of_type(type_of(&own))) } else { said }
        },
    );
    if is_typed {
        return prop_oneof![12 => few, 1 => Just(anything())].boxed();
    }
    prop_oneof![
        12 => few,
        1 => value().prop_map(|own| eq(own).and(same_as("args.b"))),
        1 => value().prop_map(|own| eq(own).and(not(same_as("args.b")))),
        1 => Just(anything()),
        1 => value().prop_map(|own| optional(eq(own))),
    ]
    .boxed()
}

/// What a rule says of one argument, with `other` next to it.
fn said(other: &'static str) -> BoxedStrategy<Constraint> {
    let whole = move || same_as(&format!("args.{other}"));
    let inside = move || same_as(&format!("args.{other}.k"));
    let leaf = prop_oneof![
        value().prop_map(eq),
        select(vec![
            whole(),
            inside(),
            same_as("who.id"),
            max(1),
            absent(),
            anything(),
            of_type(ValueType::Text),
            of_type(ValueType::List),
            count(1..=1),
            has_any([1]),
            each(eq(1)),
            some(whole()),
            each(not(whole())),
            items([whole()]),
            fields([("k", eq(1))]),
            fields([("k", whole())]),
            reference(&format!("args.{other}")).as_one_of(),
        ]),
    ];
    leaf.prop_recursive(2, 5, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| all_of([one, other])),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| any_of([one, other])),
            inner.prop_map(optional),
        ]
    })
    .boxed()
}

/// What a rule is about: conditions on both arguments, or on one.
type Said = (Constraint, Option<Constraint>);

fn conditions() -> impl Strategy<Value = Said> {
    (said("b"), proptest::option::weighted(0.4, said("a")))
}

fn with((a, b): &Said, unless: &Option<Said>, rule: Rule) -> Rule {
    let rule = rule.tool("t").arg("a", a.clone());
    let rule = b.iter().fold(rule, |rule, b| rule.arg("b", b.clone()));
    unless.iter().fold(rule, |rule, (a, b)| {
        let a = ("args.a", a.clone());
        let b = b.iter().map(|b| ("args.b", b.clone()));
        rule.unless(std::iter::once(a).chain(b))
    })
}

fn broker(rules: impl IntoIterator<Item = Rule>) -> Option<Broker> {
    let policy = Policy::builder().rules(rules).build().ok()?;
    let clock = ManualClock::new(at(0));
    Some(Broker::builder(policy).clock(clock).build().unwrap())
}

fn everything() -> Rule {
    Rule::permit("all").tool("t").any_args().ttl(Duration::from_secs(60))
}

/// What comes of every call of a scope, or of what is left of it; the reason where nothing is given.
fn calls_of(broker: &Broker, scope: &Scope, trimmed: bool) -> Result<Vec<Option<Reason>>, Reason> {
    let who = broker.assert_identity("a").unwrap();
    let task = broker.open(&who, Purpose::new("errand")).unwrap();
    let (scope, here) = (scope.clone(), Context::new());
    let grant = match trimmed {
        false => task.request(scope, &here),
        true => task.request_trimmed(scope, &here).map(|(grant, _)| grant),
    };
    let grant = grant.map_err(|own| own.reason())?;
    let (gate, values) = (broker.gate(), values());
    let all = values.iter().flat_map(|a| values.iter().map(move |b| (a, b))).map(|(a, b)| {
        let args = [("a", a), ("b", b)].into_iter();
        let args = args.filter_map(|(name, own)| Some((name, own.clone()?)));
        let args = hallpass::value::Object::from_pairs(args).unwrap();
        let call = Call::new("t", Value::Object(args)).unwrap();
        gate.check(grant.token(), &who, &call, &here).err().map(|own| own.reason())
    });
    Ok(all.collect())
}

proptest! {
    #![proptest_config(config(60))]

    /// P3: what a permit gives at a request it gives at every call of the scope, where that leaves no lists of what it
    /// pins; and so it is of what is left of one that is trimmed.
    #[test]
    fn a_permit_gives_every_call_of_what_it_gives(
        a in asked(true), b in proptest::option::weighted(0.8, asked(true)), rule in conditions(),
        unless in proptest::option::weighted(0.4, conditions()),
    ) {
        let scope = scope(a, b);
        let open = broker([everything()]).unwrap();
        let Ok(inside) = calls_of(&open, &scope, false) else { return Ok(()) };
        let permit = with(&rule, &unless, Rule::permit("p")).other_args();
        let Some(broker) = broker([permit]) else { return Ok(()) };
        if let Ok(calls) = calls_of(&broker, &scope, false) {
            prop_assert_eq!(differing(&calls, &inside), None);
        }
        if let Ok(calls) = calls_of(&broker, &scope, true) {
            let out = Some(Reason::OutOfScope);
            let expected: Vec<_> =
                calls.iter().map(|own| if *own == out { out } else { None }).collect();
            prop_assert_eq!(differing(&calls, &expected), None, "trimmed");
        }
    }

    /// P3, P5: a forbid that speaks at requests alone leaves no call that it would refuse.
    #[test]
    fn a_forbid_at_requests_leaves_no_call_that_it_would_refuse(
        a in asked(false), b in proptest::option::weighted(0.8, asked(false)), rule in conditions(),
        unless in proptest::option::weighted(0.4, conditions()),
    ) {
        let scope = scope(a, b);
        let forbid = |moment| {
            broker([everything(), with(&rule, &unless, Rule::forbid("f")).on([moment])])
        };
        let Some(early) = forbid(Moment::Request) else { return Ok(()) };
        if let Ok(inside) = calls_of(&early, &scope, false) {
            let late = calls_of(&forbid(Moment::Call).unwrap(), &scope, false).unwrap_or_default();
            prop_assert_eq!(differing(&late, &inside), None);
        }
    }
}

fn scope(a: Constraint, b: Option<Constraint>) -> Scope {
    b.into_iter().fold(Scope::tool("t").arg("a", a), |scope, b| scope.arg("b", b))
}

/// The first call of which two brokers don't say the same.
fn differing(own: &[Option<Reason>], other: &[Option<Reason>]) -> Option<String> {
    let at = (0..other.len()).find(|at| own.get(*at) != other.get(*at))?;
    let values = values();
    let (a, b) = (&values[at / values.len()], &values[at % values.len()]);
    Some(format!("{a:?} and {b:?}: {:?}, not {:?}", own.get(at), other[at]))
}
