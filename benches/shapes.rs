//! What a decision costs for rules of each shape that people write, with 10, 1,000 and 100,000 of them: permits
//! of which one is met, and forbids of which none is. Questions differ from one to the next, so that they do
//! not all find the same part of the index in the cache.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::policy::Decision;
use hallpass::prelude::*;
use hallpass::scope::{
    any, any_of, cidr, eq, glob, has_any, max, min, prefix, regex, suffix, under,
};
use hallpass::value::{Object, Value};

const SIZES: [usize; 3] = [10, 1000, 100_000];

/// How many questions are asked in turn.
const QUESTIONS: usize = 64;

/// Rules of one shape: what the rule of a number says, and a question that it alone is about.
struct Shape {
    name: &'static str,
    rule: fn(Rule, usize) -> Rule,
    question: fn(&Broker, usize) -> Question,
}

struct Question {
    who: Identity,
    call: Call,
    context: Context,
}

fn shapes() -> Vec<Shape> {
    let shape = |name, rule, question| Shape { name, rule, question };
    vec![
        shape("arg-eq", |r, n| on(r).arg("x", eq(text(n))), |b, n| arg(b, text(n))),
        shape("tool-prefix", |r, n| r.tool_like(prefix(&format!("t{n}."))), of_tool),
        shape("tool-glob", |r, n| r.tool_like(glob(&format!("t{n}.*"))), of_tool),
        shape("who-prefix", |r, n| on(r).who_id(prefix(&format!("agent/{n}/"))), of_agent),
        shape("who-glob", |r, n| on(r).who_id(glob(&format!("agent/{n}/*"))), of_agent),
        shape("groups", |r, n| on(r).who_groups(has_any([format!("g{n}")])), of_groups),
        shape(
            "arg-prefix",
            |r, n| on(r).arg("x", prefix(&format!("k{n}-"))),
            |b, n| arg(b, format!("k{n}-a")),
        ),
        shape(
            "arg-glob",
            |r, n| on(r).arg("x", glob(&format!("/srv/{n}/*.csv"))),
            |b, n| arg(b, format!("/srv/{n}/a.csv")),
        ),
        shape(
            "arg-under",
            |r, n| on(r).arg("x", under(&format!("/data/{n}"))),
            |b, n| arg(b, format!("/data/{n}/a.csv")),
        ),
        shape(
            "arg-regex",
            |r, n| on(r).arg("x", regex(&format!("inv-{n}-[a-z]+"))),
            |b, n| arg(b, format!("inv-{n}-abc")),
        ),
        shape(
            "arg-any-of",
            |r, n| on(r).arg("x", any_of([eq(text(n)), prefix(&format!("k{n}-"))])),
            |b, n| arg(b, format!("k{n}-a")),
        ),
        shape(
            "arg-range",
            |r, n| on(r).arg("x", min(10 * n as u64).and(max(10 * n as u64 + 5))),
            |b, n| arg(b, 10 * n as u64 + 3),
        ),
        shape(
            "arg-cidr",
            |r, n| on(r).arg("x", cidr([&*format!("10.{}.{}.0/29", n / 256 % 256, n % 256)])),
            |b, n| arg(b, format!("10.{}.{}.3", n / 256 % 256, n % 256)),
        ),
        shape(
            "arg-name",
            |r, n| on(r).arg(&format!("x{n}"), eq("a")),
            |b, n| question(b, "t", Object::from_pairs([(format!("x{n}"), "a")]).unwrap()),
        ),
        shape(
            "arg-name-suffix",
            |r, n| on(r).arg(&format!("x{n}"), suffix("a")),
            |b, n| question(b, "t", Object::from_pairs([(format!("x{n}"), "a")]).unwrap()),
        ),
    ]
}

/// Shapes of permits alone: a forbid acts where the context does not say.
fn shapes_of_permits() -> Vec<Shape> {
    let shape = |name, rule, question| Shape { name, rule, question };
    vec![
        shape(
            "context-name",
            |r, n| on(r).when(&format!("c{n}"), eq("a")),
            |b, n| {
                let context = Context::new().with(format!("c{n}"), "a");
                Question { context, ..question(b, "t", Object::new()) }
            },
        ),
        shape(
            "who-attr-name",
            |r, n| on(r).who_attr(&format!("c{n}"), any()),
            |b, n| {
                let who = Assertion::agent("agent").attr(format!("c{n}"), "a");
                Question { who: b.assert_identity(who).unwrap(), ..question(b, "t", Object::new()) }
            },
        ),
    ]
}

/// Rules that select nothing: each is asked.
fn linear() -> Vec<Shape> {
    let shape = |name, rule, question| Shape { name, rule, question };
    vec![
        shape(
            "arg-suffix",
            |r, n| on(r).arg("x", suffix(&format!("-{n}"))),
            |b, n| arg(b, format!("a-{n}")),
        ),
        shape(
            "arg-regex-no-head",
            |r, n| on(r).arg("x", regex(&format!("[ab]-{n}"))),
            |b, n| arg(b, format!("a-{n}")),
        ),
    ]
}

fn on(rule: Rule) -> Rule {
    rule.tool("t")
}

fn text(n: usize) -> String {
    format!("text{n}")
}

fn question(broker: &Broker, tool: &str, args: Object) -> Question {
    let who = broker.assert_identity("agent").unwrap();
    Question { who, call: Call::new(tool, args).unwrap(), context: Context::new() }
}

fn arg(broker: &Broker, value: impl Into<Value>) -> Question {
    question(broker, "t", Object::from_pairs([("x", value)]).unwrap())
}

fn of_tool(broker: &Broker, n: usize) -> Question {
    question(broker, &format!("t{n}.read"), Object::new())
}

fn of_agent(broker: &Broker, n: usize) -> Question {
    let who = broker.assert_identity(Assertion::agent(format!("agent/{n}/a"))).unwrap();
    Question { who, ..question(broker, "t", Object::new()) }
}

fn of_groups(broker: &Broker, n: usize) -> Question {
    let who =
        Assertion::agent("agent").groups((0..8).map(|own| format!("g{}", n + own * 1_000_000)));
    Question { who: broker.assert_identity(who).unwrap(), ..question(broker, "t", Object::new()) }
}

fn main() {
    let mut c = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(150))
        .without_plots()
        .configure_from_args();
    for shape in shapes().iter().chain(&shapes_of_permits()) {
        SIZES.iter().for_each(|size| permits(&mut c, shape, *size));
    }
    for shape in &shapes() {
        SIZES.iter().for_each(|size| forbids(&mut c, shape, *size));
    }
    for shape in &linear() {
        SIZES[..2].iter().for_each(|size| permits(&mut c, shape, *size));
    }
    for size in SIZES {
        unknown(&mut c, size);
    }
    for size in [8, 500, 1000] {
        many_groups(&mut c, size);
    }
    c.final_summary();
}

fn now() -> Timestamp {
    SystemClock::new().read().unwrap().wall
}

struct Asking {
    policy: Policy,
    why: Purpose,
    now: Timestamp,
}

impl Asking {
    fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        let policy = Policy::builder().rules(rules).build().unwrap();
        Asking { policy, why: Purpose::new("reporting"), now: now() }
    }

    fn broker(&self) -> Broker {
        Broker::new(Policy::builder().build().unwrap()).unwrap()
    }

    fn permits(&self, Question { who, call, context }: &Question) -> bool {
        let decision = self.policy.decide(who, &self.why, call, context, self.now);
        decision.as_ref().is_ok_and(Decision::is_permit)
    }

    fn bench(&self, c: &mut Criterion, name: &str, questions: &[Question], permitted: bool) {
        assert!(questions.iter().all(|own| self.permits(own) == permitted), "{name}");
        let mut at = 0;
        c.bench_function(name, |b| {
            b.iter(|| {
                at = (at + 1) % questions.len();
                self.permits(black_box(&questions[at]))
            });
        });
    }
}

/// As many numbers as there are questions, spread over all rules.
fn spread(size: usize) -> impl Iterator<Item = usize> {
    (0..QUESTIONS).map(move |n| n * 7919 % size)
}

fn permits(c: &mut Criterion, shape: &Shape, size: usize) {
    let rules = (0..size).map(|n| (shape.rule)(Rule::permit(format!("p{n}")), n));
    let asking = Asking::of(rules);
    let broker = asking.broker();
    let questions: Vec<_> = spread(size).map(|n| (shape.question)(&broker, n)).collect();
    asking.bench(c, &format!("shapes/permit/{}/{size}", shape.name), &questions, true);
}

fn forbids(c: &mut Criterion, shape: &Shape, size: usize) {
    let open = Rule::permit("open").any_tool().any_args();
    let rules = (0..size).map(|n| (shape.rule)(Rule::forbid(format!("f{n}")), n));
    let asking = Asking::of(rules.chain([open]));
    let broker = asking.broker();
    let met: Vec<_> = spread(size).map(|n| (shape.question)(&broker, n)).collect();
    let name = format!("shapes/forbid/{}/{size}", shape.name);
    asking.bench(c, &format!("{name}/met"), &met, false);
    // As many addresses are told apart.
    if shape.name != "arg-cidr" || size < 65_536 {
        let others: Vec<_> =
            spread(size).map(|n| (shape.question)(&broker, size + 1 + n)).collect();
        asking.bench(c, &format!("{name}/not-met"), &others, true);
    }
}

/// What an agent leaves unknown: each forbid acts.
fn unknown(c: &mut Criterion, size: usize) {
    let rules =
        (0..size).map(|n| on(Rule::forbid(format!("f{n}"))).arg("x", under(&format!("/data/{n}"))));
    let asking = Asking::of(rules);
    let questions = [arg(&asking.broker(), "data/../x")];
    asking.bench(c, &format!("shapes/forbid/arg-under-unknown/{size}"), &questions, false);
}

/// As many groups as the rule names, the last of which is the one that both have.
fn many_groups(c: &mut Criterion, size: usize) {
    let group = |n: usize| format!("group-{n:04}");
    let named = (0..size).map(|n| group(2 * n));
    let rule = on(Rule::permit("p")).who_groups(has_any(named.clone()));
    let asking = Asking::of([rule]);
    let who = |last: usize| {
        let odd = (0..size - 1).map(|n| group(2 * n + 1)).chain([group(last)]);
        let who = asking.broker().assert_identity(Assertion::agent("agent").groups(odd)).unwrap();
        Question { who, ..question(&asking.broker(), "t", Object::new()) }
    };
    let (inside, outside) = (who(2 * size - 2), who(2 * size - 1));
    asking.bench(c, &format!("shapes/permit/{size}-groups-of-{size}/met"), &[inside], true);
    asking.bench(c, &format!("shapes/permit/{size}-groups-of-{size}/not-met"), &[outside], false);
}
