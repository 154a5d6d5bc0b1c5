//! Rules of each shape that people write, and questions about them. Questions differ from one to the next, so that they
//! do not all find the same part of the index in the cache.

use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::policy::Decision;
use hallpass::prelude::*;
use hallpass::scope::{
    any, any_of, cidr, eq, glob, has_any, max, min, prefix, regex, suffix, under,
};
use hallpass::value::{Object, Value};

/// How many questions are asked in turn.
pub(crate) const QUESTIONS: usize = 64;

/// Rules of one shape: what the rule of a number says, and a question that it alone is about.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) rule: fn(Rule, usize) -> Rule,
    pub(crate) question: fn(&Broker, usize) -> Question,
}

pub(crate) struct Question {
    pub(crate) who: Identity,
    pub(crate) call: Call,
    pub(crate) context: Context,
}

pub(crate) fn shapes() -> Vec<Shape> {
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
pub(crate) fn shapes_of_permits() -> Vec<Shape> {
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
pub(crate) fn linear() -> Vec<Shape> {
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

pub(crate) fn on(rule: Rule) -> Rule {
    rule.tool("t")
}

pub(crate) fn text(n: usize) -> String {
    format!("text{n}")
}

pub(crate) fn question(broker: &Broker, tool: &str, args: Object) -> Question {
    let who = broker.assert_identity("agent").unwrap();
    Question { who, call: Call::new(tool, args).unwrap(), context: Context::new() }
}

pub(crate) fn arg(broker: &Broker, value: impl Into<Value>) -> Question {
    question(broker, "t", Object::from_pairs([("x", value)]).unwrap())
}

pub(crate) fn of_tool(broker: &Broker, n: usize) -> Question {
    question(broker, &format!("t{n}.read"), Object::new())
}

pub(crate) fn of_agent(broker: &Broker, n: usize) -> Question {
    let who = broker.assert_identity(Assertion::agent(format!("agent/{n}/a"))).unwrap();
    Question { who, ..question(broker, "t", Object::new()) }
}

pub(crate) fn of_groups(broker: &Broker, n: usize) -> Question {
    let who =
        Assertion::agent("agent").groups((0..8).map(|own| format!("g{}", n + own * 1_000_000)));
    Question { who: broker.assert_identity(who).unwrap(), ..question(broker, "t", Object::new()) }
}

pub(crate) fn now() -> Timestamp {
    SystemClock::new().read().unwrap().wall
}

#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) policy: Policy,
    pub(crate) why: Purpose,
    pub(crate) now: Timestamp,
}

impl Asking {
    pub(crate) fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        let policy = Policy::builder().rules(rules).build().unwrap();
        Asking { policy, why: Purpose::new("reporting"), now: now() }
    }

    pub(crate) fn broker(&self) -> Broker {
        Broker::new(Policy::builder().build().unwrap()).unwrap()
    }

    pub(crate) fn permits(&self, Question { who, call, context }: &Question) -> bool {
        let decision = self.policy.decide(who, &self.why, call, context, self.now);
        decision.as_ref().is_ok_and(Decision::is_permit)
    }
}

/// As many numbers as there are questions, spread over all rules.
pub(crate) fn spread(size: usize) -> impl Iterator<Item = usize> {
    (0..QUESTIONS).map(move |n| n * 7919 % size)
}

/// Rules, with questions that all have the same answer, which is asserted.
pub(crate) struct Case {
    pub(crate) name: String,
    asking: Asking,
    questions: Vec<Question>,
    permitted: bool,
}

impl Case {
    fn new(name: String, asking: &Asking, questions: Vec<Question>, permitted: bool) -> Self {
        assert!(questions.iter().all(|own| asking.permits(own) == permitted), "{name}");
        Case { name, asking: asking.clone(), questions, permitted }
    }

    /// Asks the question of this number.
    pub(crate) fn ask(&self, number: usize) -> bool {
        let question = &self.questions[number % self.questions.len()];
        self.asking.permits(std::hint::black_box(question)) == self.permitted
    }
}

/// Permits, of which each question meets one.
pub(crate) fn permits(shape: &Shape, size: usize) -> Case {
    let rules = (0..size).map(|n| (shape.rule)(Rule::permit(format!("p{n}")), n));
    let asking = Asking::of(rules);
    let broker = asking.broker();
    let questions = spread(size).map(|n| (shape.question)(&broker, n)).collect();
    Case::new(format!("shapes/permit/{}/{size}", shape.name), &asking, questions, true)
}

/// Forbids, of which each question meets one, or none.
pub(crate) fn forbids(shape: &Shape, size: usize) -> Vec<Case> {
    let open = Rule::permit("open").any_tool().any_args();
    let rules = (0..size).map(|n| (shape.rule)(Rule::forbid(format!("f{n}")), n));
    let asking = Asking::of(rules.chain([open]));
    let broker = asking.broker();
    let about = |n| (shape.question)(&broker, n);
    let name = format!("shapes/forbid/{}/{size}", shape.name);
    let met = spread(size).map(about).collect();
    let mut cases = vec![Case::new(format!("{name}/met"), &asking, met, false)];
    // As many addresses are told apart.
    if shape.name != "arg-cidr" || size < 65_536 {
        let others = spread(size).map(|n| about(size + 1 + n)).collect();
        cases.push(Case::new(format!("{name}/not-met"), &asking, others, true));
    }
    cases
}

/// What an agent leaves unknown: each forbid acts.
pub(crate) fn unknown(size: usize) -> Case {
    let rules =
        (0..size).map(|n| on(Rule::forbid(format!("f{n}"))).arg("x", under(&format!("/data/{n}"))));
    let asking = Asking::of(rules);
    let questions = vec![arg(&asking.broker(), "data/../x")];
    Case::new(format!("shapes/forbid/arg-under-unknown/{size}"), &asking, questions, false)
}

/// As many groups as the rule names, the last of which is the one that both have, or none.
pub(crate) fn many_groups(size: usize) -> [Case; 2] {
    let group = |n: usize| format!("group-{n:04}");
    let named = (0..size).map(|n| group(2 * n));
    let asking = Asking::of([on(Rule::permit("p")).who_groups(has_any(named))]);
    let case = |name, last: usize, permitted| {
        let odd = (0..size - 1).map(|n| group(2 * n + 1)).chain([group(last)]);
        let who = asking.broker().assert_identity(Assertion::agent("agent").groups(odd)).unwrap();
        let questions = vec![Question { who, ..question(&asking.broker(), "t", Object::new()) }];
        let name = format!("shapes/permit/{size}-groups-of-{size}/{name}");
        Case::new(name, &asking, questions, permitted)
    };
    [case("met", 2 * size - 2, true), case("not-met", 2 * size - 1, false)]
}
