//! Every operation, with its steps spent at every point: it answers as if they lasted, or says that they did not.

use std::cell::RefCell;
use std::fmt::Debug;
use std::time::Duration;

use super::prices::Arguments;
use super::{Meter, counted, limited};
use crate::audit::{BrokenGlass, Event, MemoryLog};
use crate::clock::{Clock, ManualClock, Timestamp};
use crate::key::KeyRing;
use crate::policy::{ApprovalTerms, BreakGlassTerms, LintOptions, Moment, Per, Reviewers, Warning};
use crate::prelude::*;
use crate::scope::{
    Algebra, Constraint, Difference, Fact, Stance, Truth, ValueType, absent, all_of, any, any_of,
    cidr, contains, each, eq, fields, glob, has_all, has_any, json, min, not, of_type, one_of,
    prefix, some, suffix, under,
};
use crate::token::{Verifier, VerifierError};
use crate::value::{Object, Value};

/// Numbers of steps that are fewer than `taken`: some all over, and the last, with which all but the end is paid for.
pub(super) fn points(taken: u64) -> impl Iterator<Item = u64> {
    (0..taken).filter(move |steps| steps % (1 + taken / 60) == 0 || taken - steps <= 40)
}

/// Asks with every number of steps up to what it takes, and checks what comes of fewer: `None` for an answer that
/// says the steps were spent.
pub(super) fn at_every_point<R: PartialEq + Debug>(name: &str, ask: impl Fn() -> Option<R>) {
    let ((taken, _), full) = counted(|| limited(u64::MAX, &ask));
    assert!(full.is_some() && taken > 0, "{name} takes {taken} steps");
    let mut spent = 0;
    for steps in points(taken) {
        match limited(steps, &ask) {
            None => spent += 1,
            answer => assert_eq!(answer, full, "{name}, with {steps} of {taken} steps"),
        }
    }
    assert!(spent > 0, "{name} is never spent");
}

/// What is asked of a broker.
pub(super) type Asked<'a, T> = &'a dyn Fn() -> Result<T, Denial>;

/// The answer, as a text; `None` if it was too costly. A denial is an answer, too.
fn told<T: Debug>(ask: Asked<'_, T>) -> Option<String> {
    match ask() {
        Ok(answer) => Some(format!("{answer:?}")),
        Err(denial) if denial.reason() == Reason::TooCostly => {
            assert_eq!(denial.code(), Code::BadRequest);
            None
        }
        Err(denial) => Some(format!("{:?}", denial.reason())),
    }
}

pub(super) struct World {
    pub(super) broker: Broker,
    pub(super) agent: Identity,
    pub(super) other: Identity,
    pub(super) task: Task,
    pub(super) context: Context,
    log: MemoryLog,
}

const EVERYWHERE: [Moment; 3] = [Moment::Request, Moment::Call, Moment::Delegate];

/// Two tools, of which each is permitted and guarded in part.
pub(super) fn world() -> World {
    let reviewers = || Reviewers::in_groups(has_any(["security"]));
    let terms = BreakGlassTerms::reviewed_by(reviewers());
    let glass = Rule::permit("glass")
        .on([Moment::BreakGlass])
        .break_glass(terms)
        .ttl(Duration::from_secs(900))
        .uses(9);
    let permit = |id: &str, tool: &str| {
        Rule::permit(id).on(EVERYWHERE).tool(tool).arg("x", prefix("/data/")).other_args()
    };
    let forbid = |id: &str, constraint: Constraint| {
        Rule::forbid(id).on(EVERYWHERE).tools(["t", "u"]).arg("x", constraint)
    };
    let ask = |id: &str, start: &str| {
        let terms = ApprovalTerms::per(Per::Task).review(reviewers());
        Rule::ask(id).tool("t").arg("x", prefix(start)).approval(terms)
    };
    let rules = [
        glass.tools(["t", "u"]).any_args(),
        permit("t", "t").depth(2),
        permit("u", "u").depth(2),
        forbid("keys", glob("/data/*/keys/*")),
        forbid("hidden", contains("/.")),
        ask("elsewhere", "/data/c/"),
        ask("people", "/data/b/"),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let log = MemoryLog::new();
    let builder = Broker::builder(policy).log(log.clone());
    let alerted = builder.break_glass_alert(|_| Ok(()), Duration::from_secs(60));
    let broker = alerted.build().unwrap();
    let agent = broker.assert_identity(Assertion::human("agent")).unwrap();
    let other = broker.assert_identity("other").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    World { broker, agent, other, task, context: Context::new(), log }
}

pub(super) fn scope(start: &str) -> Scope {
    Scope::tool("t").arg("x", prefix(start)).and_tool("u").arg("x", prefix(start))
}

/// attack 189: in place of an answer that nothing paid for, each question of a broker says so.
#[test]
fn a_question_that_is_spent_anywhere_is_denied_as_too_costly() {
    let World { broker, agent, other, task, context, .. } = &world();
    let (gate, names) = (broker.gate(), ["t", "u", "v"]);
    let grant = task.request(scope("/data/a/"), context).unwrap();
    let call = Call::new("t", serde_json::json!({ "x": "/data/a/b/c" })).unwrap();
    let questions: [(&str, Asked<'_, String>); 9] = [
        ("call", &|| gate.check(grant.token(), agent, &call, context).map(|_| String::new())),
        ("listing", &|| Ok(format!("{:?}", gate.tools(grant.token(), agent, context)?))),
        ("askable", &|| Ok(format!("{:?}", task.askable(names, context)?))),
        ("request", &|| Ok(revoked(task.request(scope("/data/a/"), context)?))),
        ("uncovered", &|| Ok(revoked(task.request(scope("/dat"), context)?))),
        ("forbidden", &|| Ok(revoked(task.request(scope("/data/a/.b"), context)?))),
        ("delegate", &|| {
            Ok(revoked(task.delegate(&grant, other, scope("/data/a/b/"), context)?))
        }),
        ("wider", &|| Ok(revoked(task.delegate(&grant, other, scope("/data/"), context)?))),
        ("trim", &|| {
            let wide = Scope::tool("t").any_args().and_tool("u").any_args();
            let (grant, cuts) = task.request_trimmed(wide, context)?;
            Ok(revoked(grant) + &format!("{cuts:?}"))
        }),
    ];
    for (name, ask) in questions {
        at_every_point(name, || told(ask));
    }
    // Each time, a review is owed: one broker each.
    let worlds = RefCell::new((0..240).map(|_| world()).collect::<Vec<_>>());
    let glass = |start: &str| {
        let World { task, context, log, .. } = worlds.borrow_mut().pop().unwrap();
        let grant = task.break_glass(scope(start), "it burns", &context)?;
        // Which asks were passed over is in the record.
        let passed = log.records().into_iter().find_map(|record| match record.event {
            Event::BrokenGlass(BrokenGlass { passed, .. }) => Some(passed),
            _ => None,
        });
        Ok(format!("{} {passed:?}", grant.scope().to_value().to_json()))
    };
    at_every_point("glass, one ask", || told(&|| glass("/data/b/")));
    at_every_point("glass, two asks", || told(&|| glass("/data/")));
}

/// What was given; it is given up again.
fn revoked(grant: Grant) -> String {
    let given = grant.scope().to_value().to_json();
    grant.revoke();
    given
}

/// What could be asked for is all only where all of it was looked at.
#[test]
fn what_could_be_asked_for_is_not_all_where_it_is_spent() {
    let World { task, context, .. } = &world();
    let ask = || {
        let found = task.could_request(context).unwrap();
        let scopes: Vec<String> = found.scopes().map(|own| own.to_value().to_json()).collect();
        (scopes, found.is_all())
    };
    let ((taken, _), (all, is_all)) = counted(|| limited(u64::MAX, ask));
    assert!(!all.is_empty() && is_all);
    for steps in points(taken) {
        let (scopes, is_all) = limited(steps, ask);
        assert!(scopes.iter().all(|own| all.contains(own)), "{scopes:?}");
        assert!(!is_all || scopes == all, "{scopes:?} with {steps} of {taken} steps");
    }
}

/// A verifier knows no rules: it compares the call with what the token carries.
#[test]
fn a_verification_that_is_spent_anywhere_is_refused_as_too_costly() {
    let clock = ManualClock::new(noon());
    let ring = KeyRing::generate().unwrap();
    let verifier = Verifier::new(ring.audience_secret("search").unwrap(), "hallpass");
    let policy = Policy::builder().rule(Rule::permit("all").any_tool().any_args()).build().unwrap();
    let broker = Broker::builder(policy).keys(ring).clock(clock.clone()).build().unwrap();
    let task = broker.open(&broker.assert_identity("a").unwrap(), Purpose::new("errand")).unwrap();
    let constraint = all_of([glob("*a*b"), contains("b"), not(contains("c"))]);
    let scope = Scope::tool("t").arg("x", constraint).embedded_for("search");
    let grant = task.request(scope, &Context::new()).unwrap();
    let token = grant.token_for("search").unwrap();
    let now = clock.read().unwrap().wall;
    for text in ["aabaabaabab", "aabcab", "aaa"] {
        let call = Call::new("t", serde_json::json!({ "x": [text, "aaaabb"] })).unwrap();
        at_every_point(text, || match verifier.verify(token, None, &call, now) {
            Err(VerifierError::TooCostly(_)) => None,
            answer => Some(answer.map(drop).map_err(|error| error.code())),
        });
    }
}

/// What cannot be paid for is "not within", "may overlap" and "can't be told": each of these denies.
#[test]
fn a_comparison_that_is_spent_anywhere_is_in_doubt() {
    let both = |one: Constraint, other: Constraint| (one, other);
    let pairs = [
        both(glob("*a*b"), any_of([suffix("b"), prefix("c")])),
        both(glob("a*b*"), glob("a*")),
        both(cidr(["10.0.0.0/8"]), not(cidr(["10.1.0.0/16"]))),
        both(fields([("a", eq(1)), ("b", min(1))]), not(fields([("a", eq(2))]))),
        both(one_of(0..40), not(one_of(40..80))),
        both(one_of(0..4), of_type(ValueType::Integer)),
        both(min(3), not(eq(1))),
        both(has_any([1, 2]), not(has_all([3, 4]))),
        both(each(eq(1)), some(min(1))),
        both(json(eq(1)), json(any_of([min(0), eq("a")]))),
        both(glob("a*b*c"), any_of([any(), eq(1)])),
        both(one_of(["a", "b"]), any_of([any(), eq(1)])),
        both(contains("a"), not(glob("b"))),
        both(under("/a"), all_of([under("/a"), not(under("/a/b"))])),
        both(all_of((0..40).map(|n| not(eq(n)))), any_of([any(), absent()])),
        both(any_of((0..40).map(eq).chain([absent()])), any()),
    ];
    for (one, other) in &pairs {
        let within = |meter: &Meter| one.is_within(other, meter);
        let apart = |meter: &Meter| !one.may_overlap(other, meter);
        let apart_from_not = |meter: &Meter| !one.may_overlap(&not(other.clone()), meter);
        let told = |meter: &Meter| one.difference(other, meter) != Difference::Undecided;
        let capabilities = |args: &[(&str, &Constraint)]| {
            let scope = args
                .iter()
                .fold(Scope::tool("t"), |scope, (name, own)| scope.arg(name, (*own).clone()));
            scope.capabilities().unwrap().remove(0)
        };
        let narrow = capabilities(&[("x", one), ("y", one)]);
        let wide = capabilities(&[("x", other), ("y", other)]);
        let of_calls = |meter: &Meter| {
            matches!(narrow.difference(&wide, meter), Difference::Empty | Difference::Witness(_))
        };
        type Comparison<'a> = &'a dyn Fn(&Meter) -> bool;
        let questions: [(&str, Comparison<'_>); 5] = [
            ("within", &within),
            ("apart", &apart),
            ("apart from what is not", &apart_from_not),
            ("told", &told),
            ("told of calls", &of_calls),
        ];
        // Neither a difference nor that there is none is told where more steps would tell the other.
        let empty = |meter: &Meter| one.difference(other, meter) == Difference::Empty;
        let shown = |meter: &Meter| matches!(one.difference(other, meter), Difference::Witness(_));
        let empty_of_calls = |meter: &Meter| narrow.difference(&wide, meter) == Difference::Empty;
        let shown_of_calls =
            |meter: &Meter| matches!(narrow.difference(&wide, meter), Difference::Witness(_));
        let more: [(&str, Comparison<'_>); 4] = [
            ("nothing beyond", &empty),
            ("something beyond", &shown),
            ("no call beyond", &empty_of_calls),
            ("a call beyond", &shown_of_calls),
        ];
        for (name, ask) in questions.into_iter().chain(more) {
            let ample = Meter::ample();
            let (full, taken) = (ask(&ample), ample.taken());
            // A search takes half of what there is.
            for steps in points(2 * taken + 20) {
                let answer = ask(&Meter::of(steps));
                assert!(full || !answer, "{one} and {other}: {name} with {steps} of {taken}");
            }
        }
    }
}

pub(super) fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap()
}

/// A policy of which lint has something to say of each kind that it proves.
fn remarkable() -> Policy {
    let permit = |id: &str| Rule::permit(id.to_owned()).tool("t");
    let forbid = |id: &str, constraint| Rule::forbid(id.to_owned()).tool("t").arg("x", constraint);
    let people = ApprovalTerms::per(Per::Call);
    let ask = |id: &str, constraint| {
        let terms = people.clone().review(Reviewers::in_groups(has_any(["owners"])));
        Rule::ask(id.to_owned()).tool("t").arg("x", constraint).approval(terms)
    };
    let rules = [
        permit("p").arg("x", glob("/a/*")),
        permit("within").arg("x", prefix("/a/b")).arg("x", glob("/a/*")),
        permit("dead").arg("x", all_of([glob("a*"), glob("*b"), eq("ac")])),
        permit("taken").arg("x", glob("/c/*d")),
        permit("others").who_groups(has_any(["nobody"])).arg("x", glob("/e/*")),
        permit("theirs").who_groups(has_any(["team"])).arg("x", glob("/f/*")),
        forbid("takes", prefix("/c/")),
        forbid("idle", glob("/z/*")),
        ask("unreached", glob("/c/*")),
        ask("reached", glob("/a/*q")),
    ];
    Policy::builder().rules(rules).build().unwrap()
}

/// Lint says nothing that it would not say with more steps.
#[test]
fn lint_that_is_spent_anywhere_proves_nothing_more() {
    // The forbid acts on what the permit gives, of which it takes steps to tell that it speaks of the tool.
    let names = any_of((0..300).map(|n| glob(&format!("{n}*x"))).chain([glob("*w")]));
    let like = [
        Rule::permit("like").tool_like(names).any_args(),
        Rule::forbid("at-like").tool("w").arg("x", prefix("/y/a")),
    ];
    let rules = remarkable().rules().cloned().chain(like).collect::<Vec<_>>();
    let policy = Policy::builder().rules(rules).build().unwrap();
    let broker = Broker::new(policy.clone()).unwrap();
    let people = [broker.assert_identity(Assertion::agent("a").group("team")).unwrap()];
    let lint = || {
        let options = LintOptions::at(noon()).people(&people).overlaps();
        let report = policy.lint_with(options);
        let told = |own: &Warning| format!("{:?} {:?}", own.code(), own.rule());
        report.warnings().map(told).collect::<Vec<_>>()
    };
    let ((taken, _), full) = counted(|| limited(u64::MAX, lint));
    for steps in (0..200).chain((200..taken.min(20_000)).step_by(250)) {
        let told = limited(steps, lint);
        assert!(told.iter().all(|own| full.contains(own)), "{told:?} of {full:?} with {steps}");
    }
}

/// A search for access, and a comparison of two policies, show nothing that more steps would not.
#[test]
fn a_search_that_is_spent_anywhere_shows_nothing_more() {
    let (policy, purpose, context) = (remarkable(), Purpose::new("errand"), Context::new());
    let broker = Broker::new(policy.clone()).unwrap();
    let agent = broker.assert_identity(Assertion::agent("a").group("team")).unwrap();
    let search = || {
        let found = policy.search(&purpose, &context, noon()).what_can(&agent).unwrap();
        let rules: Vec<String> = found.iter().map(|own| own.rule().to_owned()).collect();
        (rules, found.is_all())
    };
    let (full, is_all) = limited(u64::MAX, search);
    assert!(is_all && full.len() > 1, "{full:?}");
    let more = policy.rules().filter(|rule| rule.id() != "takes").cloned();
    let more = Policy::builder().rules(more).build().unwrap();
    assert!(!policy.diff(&more).wider().is_shown_empty());
    for steps in (0..200).chain((200..20_000).step_by(250)) {
        let (found, is_all) = limited(steps, search);
        assert!(found.iter().all(|own| full.contains(own)), "{found:?}");
        assert!(!is_all || found == full, "{found:?} with {steps}");
        let diff = limited(steps, || policy.diff(&more));
        assert!(!diff.wider().is_shown_empty(), "with {steps} steps");
    }
}

/// What can no longer be answered is not gone through to its end.
#[test]
fn what_is_spent_stops_where_it_stands() {
    let many = 5_000;
    let numbers = |from: i64| (from..from + many).map(Value::from);
    let (list, one) = (Value::List(numbers(0).collect()), Value::from("z"));
    for (name, constraint, value) in [
        ("has_any", has_any(numbers(many)), &list),
        ("has_any of few", has_any([many, many + 1]), &list),
        ("any of many", any_of((0..many).map(|n| prefix(&format!("v{n}")))), &one),
        ("all of many", all_of((0..many).map(|n| not(prefix(&format!("v{n}"))))), &one),
    ] {
        let args = Object::from_pairs([("x", value.clone())]).unwrap();
        let alone = || {
            let (args, meter) = (Arguments(args.clone()), Meter::of(100));
            constraint.holds(&Fact::arg("x"), Stance::Cover, &args, &meter)
        };
        let ((_, refused), answer) = counted(alone);
        assert!(answer != Truth::True && refused < 10, "{name}: {answer:?}, {refused}");
        let call = Call::new("t", Args::try_from(args).unwrap()).unwrap();
        let policy = Policy::builder().rule(Rule::permit("p").tool("t").arg("x", constraint));
        let (policy, agent) = (policy.build().unwrap(), world().agent);
        let ask = || policy.decide(&agent, &Purpose::new("p"), &call, &Context::new(), noon());
        let ((_, refused), answer) = counted(|| limited(100, || ask().map(drop)));
        assert_eq!(answer.unwrap_err().reason(), Reason::TooCostly, "{name}");
        assert!(refused < 10, "{name} asked {refused} times for what was not there");
    }
    let World { task, context, .. } = &world();
    let tools = (0..64).map(|n| format!("v{n}"));
    let scope =
        tools.fold(Scope::tool("t").any_args(), |scope, tool| scope.and_tool(&tool).any_args());
    let trim = || task.request_trimmed(scope.clone(), context).map(drop);
    let ((_, refused), answer) = counted(|| limited(1, trim));
    assert_eq!(answer.unwrap_err().reason(), Reason::TooCostly);
    assert!(refused < 10, "a request that is trimmed asked {refused} times for what was not there");
}
