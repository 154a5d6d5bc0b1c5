//! Exceptions of what lies inside of an argument: what may be asked for where they may be met.

use hallpass::clock::Timestamp;
use hallpass::prelude::*;
use hallpass::scope::{Constraint, ValueType};
use hallpass::scope::{any, eq, fields, not, of_type, one_of, optional, present};
use hallpass::value::Value;

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

/// Pushes with any options, but for what the exception says of one of them.
fn policy(exception: Option<Constraint>) -> Policy {
    let rule = Rule::permit("push").tool("git.push").arg("branch", any());
    let rule = rule.arg("opts", optional(any()));
    let rule = match exception {
        Some(own) => rule.unless([("args.opts.force", own)]),
        None => rule,
    };
    Policy::builder().rule(rule).build().unwrap()
}

/// Scopes of the options, and what a scope leaves out of them is not there.
fn scopes() -> Vec<Option<Constraint>> {
    let values = |all: &[&str]| one_of(all.iter().map(|own| value(own)).collect::<Vec<_>>());
    vec![
        None,
        Some(any()),
        Some(optional(any())),
        Some(eq(value("{}"))),
        Some(values(&["{}", r#"{"depth":1}"#, r#"{"force":false}"#])),
        Some(values(&["{}", r#"{"force":true}"#])),
        Some(values(&[r#""x""#, "null"])),
        Some(fields([("force", eq(false))])),
        Some(fields([("force", optional(eq(false)))])),
        Some(fields([("force", eq(true))])),
        Some(fields([("force", one_of([false, true]))])),
        Some(fields([("depth", any())])),
        Some(fields([("depth", any())]).other_fields()),
        Some(fields([("force", eq(false))]).other_fields()),
        Some(fields([("force", present())]).and(of_type(ValueType::Object))),
    ]
}

fn exceptions() -> Vec<Constraint> {
    vec![
        eq(true),
        one_of([value("true"), value("1")]),
        not(eq(false)),
        present(),
        not(present()),
        of_type(ValueType::Bool),
    ]
}

const OPTIONS: [&str; 12] = [
    "{}",
    r#"{"force":true}"#,
    r#"{"force":false}"#,
    r#"{"force":1}"#,
    r#"{"force":null}"#,
    r#"{"force":{"x":true}}"#,
    r#"{"depth":1}"#,
    r#"{"depth":1,"force":true}"#,
    r#"{"depth":1,"force":false}"#,
    r#"[{"force":false}]"#,
    r#"[{"force":true}]"#,
    r#""x""#,
];

fn calls() -> Vec<Call> {
    let with = OPTIONS.iter().map(|own| format!(r#"{{"branch":"main","opts":{own}}}"#));
    let all = with.chain([r#"{"branch":"main"}"#.to_owned()]);
    all.map(|args| Call::from_json("git.push", &args).unwrap()).collect()
}

/// P3: a grant is given if no call of it is an exception, and never if one is.
#[test]
fn what_is_asked_for_is_given_where_the_exception_is_met_by_no_call_of_it() {
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let (why, here) = (Purpose::new("push"), Context::new());
    let (mut given, mut refused) = (0, 0);
    for exception in exceptions() {
        for asked in scopes() {
            let scope = Scope::tool("git.push").arg("branch", eq("main"));
            let scope = match &asked {
                Some(own) => scope.arg("opts", own.clone()),
                None => scope,
            };
            let told = format!("{scope} under `unless` {exception}");
            let open = Broker::new(policy(None)).unwrap();
            let who = open.assert_identity("agent-7").unwrap();
            let task = open.open(&who, why.clone()).unwrap();
            let grant = task.request(scope.clone(), &here).unwrap();
            let covers =
                |call: &Call| open.gate().authorize(&grant, &who, call.clone(), &here).is_ok();

            let excepting = policy(Some(exception.clone()));
            let met = calls()
                .into_iter()
                .filter(covers)
                .find(|call| !excepting.decide(&who, &why, call, &here, now).unwrap().is_permit());
            let broker = Broker::new(excepting).unwrap();
            let who = broker.assert_identity("agent-7").unwrap();
            let task = broker.open(&who, why.clone()).unwrap();
            let answer = task.request(scope, &here);
            assert!(answer.is_err() || met.is_none(), "{told}: {met:?}");
            // What is said of an object is said of a list of such, too: that a type excludes lists is not seen.
            let is_strict = asked.as_ref().is_some_and(|own| own.to_string().contains("type"));
            assert!(answer.is_ok() || met.is_some() || is_strict, "{told}: {answer:?}");
            *(if met.is_none() { &mut given } else { &mut refused }) += 1;
        }
    }
    assert!(given > 20 && refused > 20, "{given} given, {refused} refused");
}

/// A forbid with such an exception is not shown to refuse all of what may be one.
#[test]
fn a_guard_whose_exception_no_call_can_meet_refuses_the_request() {
    let forbid = Rule::forbid("no-main")
        .tool("git.push")
        .arg("branch", eq("main"))
        .unless([("args.opts.dry_run", eq(true))]);
    let permit = Rule::permit("push").tool("git.push").any_args();
    let broker = Broker::new(Policy::builder().rules([forbid, permit]).build().unwrap()).unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&who, Purpose::new("push")).unwrap();
    let asked = |opts: Option<Constraint>| {
        let scope = Scope::tool("git.push").arg("branch", eq("main"));
        let scope = opts.into_iter().fold(scope, |scope, own| scope.arg("opts", own));
        task.request(scope, &Context::new()).map_err(|denial| denial.reason())
    };
    assert_eq!(asked(None).unwrap_err(), Reason::Forbidden);
    assert_eq!(asked(Some(fields([("depth", any())]))).unwrap_err(), Reason::Forbidden);
    let dry = asked(Some(fields([("dry_run", eq(true))]))).unwrap();
    let call = |args| Call::from_json("git.push", args).unwrap();
    let gate = broker.gate();
    let dry_run = call(r#"{"branch":"main","opts":{"dry_run":true}}"#);
    assert!(gate.authorize(&dry, &who, dry_run, &Context::new()).is_ok());
    let open = asked(Some(any())).unwrap();
    let force = call(r#"{"branch":"main","opts":{"force":true}}"#);
    let denial = gate.authorize(&open, &who, force, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
}
