//! Questions made to be dear: arguments and scopes whose product is large though each is within its bounds.
//!
//! What each takes is counted next to the meter; here is what agents and operators see of it.

#[cfg(feature = "url")]
use hallpass::policy::Tool;
use hallpass::prelude::*;
use hallpass::scope::{all_of, any, any_of, contains, eq, glob, has_all, not, prefix};
use hallpass::value::{Object, Value};

struct World {
    broker: Broker,
    gate: Gate,
    agent: Identity,
    task: Task,
    context: Context,
}

impl World {
    fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let broker = Broker::new(policy(rules)).unwrap();
        let agent = broker.assert_identity("agent").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        World { gate: broker.gate(), broker, agent, task, context: Context::new() }
    }

    fn granted(&self, constraint: hallpass::scope::Constraint) -> Grant {
        self.task.request(Scope::tool("t").arg("x", constraint), &self.context).unwrap()
    }

    fn ask(&self, grant: &Grant, argument: Value) -> Result<(), Denial> {
        let args = Args::try_from(Object::from_pairs([("x", argument)]).unwrap()).unwrap();
        let call = Call::new("t", args).unwrap();
        self.gate.authorize(grant.token(), &self.agent, call, &self.context).map(drop)
    }
}

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

fn permit() -> Rule {
    Rule::permit("any").tool("t").any_args()
}

fn list(count: usize, value: impl Into<Value>) -> Value {
    let value = value.into();
    Value::List((0..count).map(|_| value.clone()).collect())
}

fn stars(nth: usize) -> hallpass::scope::Constraint {
    glob(&format!("{}b{nth}", "*a".repeat(31)))
}

fn different_characters(count: u32) -> String {
    (0..count).filter_map(|n| char::from_u32(0x4e00 + n)).collect()
}

/// attack 189: the agent learns that what it sent is bad, and operators what was dear
#[test]
fn what_takes_too_many_steps_is_denied_and_says_what_was_dear() {
    let texts = || list(256, "a".repeat(4000));
    let lists = || Value::List((0..20_000).map(|n| list(2, n)).collect());
    let pairs = (0..200).map(|n| has_all([n, n + 1]));
    let never = Rule::forbid("never").tool("t").arg("x", hallpass::scope::each(not(any_of(pairs))));
    for (rules, scope, argument, dear) in [
        (vec![permit()], any_of((0..60).map(stars)), texts(), "matching texts with patterns"),
        (vec![permit(), never], any(), lists(), "comparing values with sets of values"),
    ] {
        let world = World::new(rules);
        let grant = world.granted(scope);
        let denial = world.ask(&grant, argument).unwrap_err();
        assert_eq!(denial.reason(), Reason::TooCostly);
        assert_eq!(denial.code(), Code::BadRequest);
        assert_eq!(denial.to_string(), "denied: bad_request");
        let told = denial.explain().to_string();
        assert!(told.contains("too_costly") && told.contains(dear), "{told}");
        // Nothing is left of it: the next call is decided as ever.
        let _ = world.ask(&grant, "a".into());
        let log = world.broker.log().unwrap();
        let lines = log.lines();
        assert!(lines.iter().any(|line| line.contains("too_costly")));
    }
}

/// attack 189: what is compared with sets, however long both are, is answered
#[test]
fn long_lists_against_large_sets_are_answered() {
    let numbers = |count: i64| Value::List((0..count).map(Value::from).collect());
    for (scope, permitted) in [
        (any_of((0..6000).map(|n| eq(n * 10))), false),
        (hallpass::scope::all_of((0..6000).map(|n| not(eq(n + 60_000)))), true),
        (has_all((0..10_000).map(|n| n * 6)), true),
        (has_all((0..10_000).map(|n| n * 7)), false),
        (hallpass::scope::subset_of(0..20_000), false),
    ] {
        let world = World::new([permit()]);
        let grant = world.granted(scope);
        let answer = world.ask(&grant, numbers(60_000)).map_err(|denial| denial.reason());
        assert_eq!(answer, if permitted { Ok(()) } else { Err(Reason::OutOfScope) });
    }
}

/// attack 189: rules that have nothing to do with a call don't make it dear
#[test]
fn other_rules_never_make_an_honest_call_too_costly() {
    let others = (0..20_000).map(|n| {
        let pattern = format!("/srv/{n}/*/x");
        Rule::forbid(format!("f{n}")).tool("t").arg("x", glob(&pattern)).when("env", eq("prod"))
    });
    let mut world = World::new(others.chain([permit()]));
    world.context = Context::new().with("env", "prod");
    let grant = world.granted(any());
    assert!(world.ask(&grant, "/data/a/b".into()).is_ok());
    // A long text, too, of a length that rules look through.
    assert!(world.ask(&grant, "word ".repeat(800).into()).is_ok());
}

/// attack 190
#[test]
fn a_request_of_many_different_characters_is_bounded_before_anything_is_built() {
    let world = World::new([Rule::permit("p").tool("t").arg("x", prefix("inv-"))]);
    let ask = |constraint| {
        let scope = Scope::tool("t").arg("x", constraint);
        world.task.request(scope, &world.context).map(drop).map_err(|denial| denial.reason())
    };
    let text = different_characters(16_000);
    assert_eq!(ask(eq(text.as_str())), Err(Reason::NotCovered));
    assert_eq!(ask(eq(format!("inv-{text}"))), Ok(()), "one that lies within is not compared");
    let excluded = (0..2000).map(|n| eq(format!("inv-{}", different_characters(n % 60))));
    let denied = ask(not(any_of(excluded)));
    assert!(matches!(denied, Err(Reason::NotCovered | Reason::TooCostly)), "{denied:?}");
    // Several short ones that each lie within are as good as ever.
    assert_eq!(ask(any_of(["inv-1", "inv-2", "inv-é"].map(eq))), Ok(()));
    assert_eq!(ask(all_beginning("inv-", "2026")), Ok(()));
}

fn all_beginning(start: &str, part: &str) -> hallpass::scope::Constraint {
    hallpass::scope::all_of([prefix(start), contains(part)])
}

/// attack 191: a reload asks nothing dear of a grant, and what it could not tell the next use decides
#[test]
fn a_look_that_a_reload_cannot_pay_for_ends_nothing_and_gives_nothing() {
    // No text that is easy to name is one of these.
    let dear = |n| all_of([glob(&format!("*{n}*a*b*c*d*e*f*")), not(contains("aaa"))]);
    let many = |from: usize| any_of((from..from + 6).map(dear));
    let world = World::new([permit()]);
    let scope: Scope =
        (0..30).map(|n| Scope::tool("t").arg("x", many(n)).arg(&format!("n{n}"), any())).collect();
    let grant = world.task.request(scope, &world.context).unwrap();
    let strict = (0..40).map(|n| {
        Rule::permit(format!("p{n}")).tool("t").arg("x", glob(&format!("k*{n}*z*"))).other_args()
    });
    let drift = world.broker.reload(&policy(strict)).unwrap().finish();
    assert!(drift.grants.is_empty(), "{drift:?}");
    assert_eq!(world.broker.standing().grants.len(), 1, "it stands");
    let denial = world.ask(&grant, "k0z".into()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooCostly);
    // A policy of which it can be told that it gives this: the same grant is good again.
    world.broker.reload(&policy([permit()])).unwrap().finish();
    let args = Object::from_pairs([("x", "0abcdef"), ("n0", "1")]).unwrap();
    let call = Call::new("t", Args::try_from(args).unwrap()).unwrap();
    assert!(world.gate.authorize(grant.token(), &world.agent, call, &world.context).is_ok());
}

/// attack 191: what is dear is bounded under the task's lock
#[test]
fn an_end_comes_through_beside_dear_questions() {
    let world = World::new([permit()]);
    let grant = world.granted(any_of((0..60).map(stars)));
    let texts = list(256, "a".repeat(4000));
    let args = Args::try_from(Object::from_pairs([("x", texts)]).unwrap()).unwrap();
    let call = Call::new("t", args).unwrap();
    let World { gate, agent, task, context, broker } = world;
    let denials = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..4)
            .map(|_| {
                let (gate, agent, context) = (gate.clone(), &agent, &context);
                let (token, call) = (grant.token(), &call);
                scope.spawn(move || {
                    let ask = || gate.authorize(token, agent, call.clone(), context).map(drop);
                    // Dear, every time, until the task is over.
                    std::iter::repeat_with(ask)
                        .map(|answer| answer.unwrap_err().reason())
                        .take_while(|reason| *reason == Reason::TooCostly)
                        .count()
                })
            })
            .collect();
        task.complete();
        asks.into_iter().map(|ask| ask.join().unwrap()).sum::<usize>()
    });
    assert!(broker.standing().is_empty());
    assert!(denials < 1000, "the end waited for {denials} questions");
}

/// attack 189: without a catalogue and with one, a host longer than any name is refused before it is read
#[cfg(feature = "url")]
#[test]
fn a_host_longer_than_any_name_is_no_host() {
    use hallpass::policy::ArgType;
    use hallpass::scope::{UrlPattern, url};

    let tool = Tool::new("t").arg("x", ArgType::Url);
    let typed = Policy::builder().tool(tool).rule(permit()).build().unwrap();
    let broker = Broker::new(typed).unwrap();
    let agent = broker.assert_identity("agent").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let (gate, context) = (broker.gate(), Context::new());
    let grant = task.request(Scope::tool("t").arg("x", any()), &context).unwrap();
    let ask = |link: &str| {
        let call = Call::new("t", serde_json::json!({ "x": link })).unwrap();
        gate.authorize(grant.token(), &agent, call, &context).map(drop).map_err(|d| d.reason())
    };
    let name = |bytes: usize| {
        let labels = "abcdefg.".repeat(40);
        format!("{}test", &labels[labels.len() - (bytes - 4)..])
    };
    for (link, good) in [
        (format!("https://{}/", name(253)), true),
        (format!("https://{}/", name(254)), false),
        (format!("https:{}/", name(254)), false),
        (format!("https://{}/", "ü.".repeat(300_000)), false),
        (format!("HTTPS:\\\\{}/", "ü.".repeat(300_000)), false),
        (format!(" https://u:p@{}/", "%c3%bc.".repeat(100_000)), false),
        (format!("foo://{}/", "a".repeat(300)), false),
        (format!("https://acme.test/{}", "a".repeat(100_000)), true),
        (format!("https://acme.test/?{}", "a".repeat(100_000)), true),
        (format!("data:text/plain,{}", "a".repeat(100_000)), true),
    ] {
        let answer = ask(&link);
        let expected = if good { Ok(()) } else { Err(Reason::MalformedCall) };
        assert_eq!(answer, expected, "{}", &link[..40]);
    }

    // Untyped, it is not a URL to a rule either: a forbid acts on what it cannot read.
    let forbid = Rule::forbid("evil").tool("t").arg("x", url(UrlPattern::host("evil.test")));
    let world = World::new([permit(), forbid]);
    let grant = world.granted(any());
    let long = format!("https://{}/", "a.".repeat(100_000));
    assert_eq!(world.ask(&grant, long.into()).unwrap_err().reason(), Reason::Forbidden);
}
