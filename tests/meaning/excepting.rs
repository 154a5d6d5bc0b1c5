//! Exceptions: `unless = { … }`.

use hallpass::clock::Timestamp;
use hallpass::policy::{Effect, Policy, Rule};
use hallpass::prelude::*;
use hallpass::scope::{any, count, eq, fields, has_any, not, prefix, same_as};
use serde_json::{Value, json};

use crate::situation::Situation;

fn open(rule: Rule) -> Policy {
    Policy::builder().rule(rule).build().unwrap()
}

/// Whether each call of `t` with these arguments is permitted by the rules alone.
fn permits(policy: &Policy, context: &Context, calls: &[Value]) -> Vec<bool> {
    let attestor = Broker::new(policy.clone()).unwrap();
    let who = attestor.assert_identity(Assertion::agent("ana").group("staff")).unwrap();
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let decide = |args: &Value| {
        let call = Call::new("t", args.clone()).unwrap();
        let decision = policy.decide(&who, &Purpose::new("p"), &call, context, now).unwrap();
        decision.effect() == Some(Effect::Permit)
    };
    calls.iter().map(decide).collect()
}

/// A forbid of everything but what its exceptions leave, next to a permit of everything.
fn forbidding(exceptions: &[Vec<(&'static str, hallpass::scope::Constraint)>]) -> Policy {
    let forbid = exceptions.iter().cloned().fold(Rule::forbid("f").tool("t"), Rule::unless);
    Policy::builder().rules([Rule::permit("p").tool("t").any_args(), forbid]).build().unwrap()
}

fn permitting(exceptions: &[Vec<(&'static str, hallpass::scope::Constraint)>]) -> Policy {
    let permit = Rule::permit("p").tool("t").any_args();
    open(exceptions.iter().cloned().fold(permit, Rule::unless))
}

#[test]
fn an_exception_is_where_all_of_it_is_so_and_several_are_each_enough() {
    let exceptions = [vec![("args.x", eq(1)), ("args.y", eq(1))], vec![("args.x", eq(5))]];
    let calls = [
        json!({"x": 1, "y": 1}),
        json!({"x": 1, "y": 2}),
        json!({"x": 5, "y": 2}),
        json!({"x": 2, "y": 1}),
    ];
    let here = Context::new();
    assert_eq!(permits(&permitting(&exceptions), &here, &calls), [false, true, false, true]);
    assert_eq!(permits(&forbidding(&exceptions), &here, &calls), [true, false, true, false]);
}

/// What can't be told is an exception of a permit and none of a forbid.
#[test]
fn what_cannot_be_told_is_never_in_favour_of_the_call() {
    let calls = [json!({})];
    let maintenance = [vec![("when.mode", eq("maintenance"))]];
    for (mode, permitted, forbidden) in
        [(Some("maintenance"), false, false), (Some("usual"), true, true), (None, false, true)]
    {
        let here = mode.map_or_else(Context::new, |mode| Context::new().with("mode", mode));
        assert_eq!(permits(&permitting(&maintenance), &here, &calls), [permitted], "{mode:?}");
        assert_eq!(permits(&forbidding(&maintenance), &here, &calls), [!forbidden], "{mode:?}");
    }
}

/// Of a list, one element is enough to be an exception of a permit, and all are needed for one of a forbid. An
/// argument that is left out is none of those that an exception names.
#[test]
fn lists_objects_and_what_is_left_out_are_taken_as_a_rule_of_the_other_side_takes_them() {
    let here = Context::new();
    let lists = [vec![("args.to", prefix("ext:"))]];
    let calls = [
        json!({"to": ["a", "b"]}),
        json!({"to": ["a", "ext:b"]}),
        json!({"to": ["ext:a", "ext:b"]}),
        json!({"to": []}),
        json!({}),
        json!({"to": 7}),
    ];
    assert_eq!(
        permits(&permitting(&lists), &here, &calls),
        [true, false, false, true, true, false]
    );
    assert_eq!(
        permits(&forbidding(&lists), &here, &calls),
        [false, false, true, false, false, false]
    );
    let objects = [vec![("args.opts", fields([("dry", eq(true))]))]];
    let calls = [json!({"opts": {"dry": true}}), json!({"opts": {"dry": true, "more": 1}})];
    assert_eq!(permits(&permitting(&objects), &here, &calls), [false, false]);
    assert_eq!(permits(&forbidding(&objects), &here, &calls), [true, false]);
    // An element's kind and a list's own.
    let counted = [vec![("args.to", count(2))]];
    let calls = [json!({"to": ["a", "b"]}), json!({"to": ["a"]})];
    assert_eq!(permits(&permitting(&counted), &here, &calls), [false, true]);
}

fn rule(effect: &str, more: &str) -> String {
    format!("[[rule]]\nid = \"{effect}\"\neffect = \"{effect}\"\nwhat.tool = \"t\"\n{more}\n")
}

#[test]
fn a_permit_gives_what_lies_outside_of_its_exceptions() {
    let policy = rule(
        "permit",
        "what.args = { x = \"any\", y = \"any\" }\nunless.what.args.x = { min = 10 }",
    );
    let here = Situation::new(&policy);
    let asked = |x: Value| json!([{ "tool": "t", "args": { "x": x, "y": "any" } }]);
    assert!(here.granted(&asked(json!({ "below": 10 }))));
    assert!(here.granted(&asked(json!(3))));
    for x in [json!("any"), json!({ "max": 10 }), json!(10), json!({ "one_of": [1, 11] })] {
        assert!(!here.granted(&asked(x.clone())), "{x}");
    }
    // Of two conditions one that is never so is enough.
    let both = "unless.what.args = { x = { min = 10 }, y = \"gold\" }";
    let here = Situation::new(&rule(
        "permit",
        &format!("what.args = {{ x = \"any\", y = \"any\" }}\n{both}"),
    ));
    let asked = |x: Value, y: Value| json!([{ "tool": "t", "args": { "x": x, "y": y } }]);
    assert!(here.granted(&asked(json!("any"), json!("lead"))));
    assert!(here.granted(&asked(json!({ "below": 10 }), json!("any"))));
    assert!(!here.granted(&asked(json!("any"), json!({ "one_of": ["lead", "gold"] }))));
}

#[test]
fn a_forbid_denies_a_request_only_where_no_call_of_it_is_an_exception() {
    let policy = |unless: &str| {
        format!("{}{}", rule("permit", "what.args = \"any\""), rule("forbid", unless))
    };
    let here = Situation::new(&policy("unless.what.args.dry = true"));
    let asked = |args: Value| json!([{ "tool": "t", "args": args }]);
    assert!(here.granted(&asked(json!({ "dry": true }))));
    assert!(!here.granted(&asked(json!({ "dry": false }))));
    // Some calls are exceptions: they are told apart when they are made.
    let grant = here.request(&asked(json!({ "dry": "any" }))).unwrap();
    let call = |args: Value| here.call(&grant, &json!({ "tool": "t", "args": args }));
    assert_eq!(call(json!({ "dry": true })), Ok(()));
    assert_eq!(call(json!({ "dry": false })), Err(Reason::Forbidden));
    assert_eq!(call(json!({ "dry": [true, false] })), Err(Reason::Forbidden));
    // Of who asks it is known at once.
    let staff = "unless.who.groups = { has_any = [\"staff\"] }";
    assert!(Situation::new(&policy(staff)).granted(&asked(json!({}))));
    let others = Situation::of(&policy(staff), Assertion::agent("eve"));
    assert!(!others.granted(&asked(json!({}))));
    // A forbid that speaks at requests alone leaves nothing to the calls.
    let early = format!("on = [\"request\"]\n{staff}");
    assert!(Situation::new(&policy(&early)).granted(&asked(json!({}))));
    let early = "on = [\"request\"]\nunless.what.args.dry = true";
    assert!(!Situation::new(&policy(early)).granted(&asked(json!({ "dry": "any" }))));
    assert!(Situation::new(&policy(early)).granted(&asked(json!({ "dry": true }))));
}

#[test]
fn an_ask_before_the_grant_is_not_asked_where_all_of_it_is_an_exception() {
    let approval =
        "approval = { review = [{ groups = { has_any = [\"leads\"] } }], per = \"task\" }";
    let ask = rule("ask", &format!("unless.what.args.x = {{ max = 5 }}\n{approval}"));
    let policy = format!("{}{ask}", rule("permit", "what.args = { x = \"any\" }"));
    let here = Situation::new(&policy);
    let asked = |x: Value| here.request(&json!([{ "tool": "t", "args": { "x": x } }]));
    assert!(asked(json!({ "max": 5 })).is_ok());
    assert_eq!(asked(json!({ "max": 6 })).unwrap_err().reason(), Reason::ApprovalRequired);
}

#[test]
fn a_tool_may_be_an_exception() {
    let all =
        "[[rule]]\nid = \"all\"\neffect = \"permit\"\nwhat = { tool = \"any\", args = \"any\" }\n";
    let forbid = "[[rule]]\nid = \"closed\"\neffect = \"forbid\"\nunless.what.tool = { prefix = \"clock.\" }\n";
    let few = Situation::new(&format!("{all}{forbid}"));
    let but_few =
        Situation::new(&format!("{all}unless.what.tool = {{ one_of = [\"t\", \"u\"] }}\n"));
    for (tool, of_few, of_others) in
        [("clock.now", true, true), ("clock", false, true), ("t", false, false), ("v", false, true)]
    {
        let asked = json!([{ "tool": tool, "args": "any" }]);
        assert_eq!(few.granted(&asked), of_few, "{tool}");
        assert_eq!(but_few.granted(&asked), of_others, "{tool}");
        let one = json!({ "tool": tool });
        if of_few && of_others {
            for here in [&few, &but_few] {
                assert_eq!(here.call(&here.request(&asked).unwrap(), &one), Ok(()));
            }
        }
    }
}

#[test]
fn exceptions_compare_with_other_parts_of_the_question() {
    let own = [vec![("args.owner", not(same_as("who.id")))]];
    let calls = [json!({"owner": "ana"}), json!({"owner": "ben"}), json!({})];
    assert_eq!(permits(&permitting(&own), &Context::new(), &calls), [true, false, false]);
}

/// What a denial tells operators.
#[test]
fn an_exception_is_named_where_it_is_why() {
    let policy = permitting(&[vec![("who.groups", has_any(["staff"])), ("args.x", any())]]);
    let broker = Broker::new(policy).unwrap();
    let who = broker.assert_identity(Assertion::agent("ana").group("staff")).unwrap();
    let task = broker.open(&who, Purpose::new("p")).unwrap();
    let denial = task.request(Scope::tool("t").any_args(), &Context::new()).unwrap_err();
    let told = denial.explain().to_string();
    assert!(told.contains("`unless`: `who.groups` is [\"staff\"]"), "{told}");
    assert!(told.contains("`args.x` of some of what is asked for may be \"any\""), "{told}");
    // What is left is what has no such argument.
    assert!(task.request(Scope::tool("t").arg("y", any()), &Context::new()).is_ok());
}

#[test]
fn text_and_rust_say_the_same() {
    let text = Policy::from_toml(
        r#"
        version = 1
        [[rule]]
        id = "f"
        effect = "forbid"
        what.tool = "t"
        unless = [{ when = { env = "dev" }, what = { args = { dry = true } } }, { who.id = "ana" }]
        "#,
    )
    .unwrap();
    let forbid = Rule::forbid("f").tool("t");
    let one = |rule: Rule| rule.unless([("args.dry", eq(true)), ("when.env", eq("dev"))]);
    let two = |rule: Rule| rule.unless([("who.id", eq("ana"))]);
    assert_eq!(open(one(two(forbid.clone()))).digest(), text.digest());
    assert_eq!(open(two(one(forbid.clone()))).digest(), text.digest());
    assert_ne!(open(two(forbid.clone())).digest(), text.digest());
    assert_ne!(open(two(forbid.clone())).digest(), open(forbid).digest());
}
