//! Asking for one call.

use hallpass::policy::{ArgType, Moment};
use hallpass::prelude::*;
use serde_json::{Value, json};

#[test]
fn what_is_asked_for_exactly_covers_that_call_and_no_other() {
    let rule = Rule::permit("all").tool("t").any_args().any_resource();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let context = Context::new();
    let plain = |args: &Value| Call::new("t", args).unwrap();
    let on = |args: &Value, id: &str| plain(args).on(Resource::new("account", id));
    let args = json!({
        "n": 1, "d": 99.95, "text": "any", "none": null, "list": [1, "a"], "empty": [], "o": { "k": [] },
    });
    let grant = task.request(Scope::exactly(&on(&args, "main")), &context).unwrap();
    let denied = |call: Call| match broker.gate().check(grant.token(), &agent, &call, &context) {
        Ok(_) => None,
        Err(denial) => Some(denial.reason()),
    };

    assert_eq!(denied(on(&args, "main")), None);
    assert_eq!(denied(on(&args, "other")), Some(Reason::OutOfScope));
    assert_eq!(denied(plain(&args)), Some(Reason::OutOfScope), "without its resource");
    for (key, other) in [
        ("n", json!(2)),
        ("n", json!([1])),
        ("text", json!(["any"])),
        ("none", json!([null])),
        ("o", json!([{ "k": [] }])),
        ("d", json!(99.950_000_1)),
        ("text", json!("anything")),
        ("none", json!("")),
        ("list", json!([1])),
        ("empty", json!([1])),
        ("o", json!({ "k": [1] })),
        ("more", Value::Null),
    ] {
        let mut changed = args.clone();
        changed[key] = other;
        assert_eq!(denied(on(&changed, "main")), Some(Reason::OutOfScope), "{key} changed");
        if args.get(key).is_some() {
            changed.as_object_mut().unwrap().remove(key);
            assert_eq!(denied(on(&changed, "main")), Some(Reason::OutOfScope), "{key} left out");
        }
    }
}

#[test]
fn a_call_without_arguments_is_asked_for_exactly_without_any() {
    let rule = Rule::permit("all").tool("t").any_args().any_resource();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let context = Context::new();
    let grant =
        task.request(Scope::exactly(&Call::new("t", json!({})).unwrap()), &context).unwrap();
    let asked = |call: &Call| broker.gate().check(grant.token(), &agent, call, &context).is_ok();
    assert!(asked(&Call::new("t", json!({})).unwrap()));
    assert!(!asked(&Call::new("t", json!({ "n": 1 })).unwrap()));
    assert!(!asked(&Call::new("t", json!({})).unwrap().on(Resource::new("account", "main"))));
}

/// Of what is asked for as digested the log keeps tools and digest, given or refused, renewed or delegated.
#[test]
fn what_is_digested_is_in_no_record() {
    let rule = Rule::permit("all").tools(["t", "u"]).any_args();
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let path = hallpass::policy::Tool::new("u").arg("path", ArgType::Path);
    let policy = Policy::builder()
        .tool(hallpass::policy::Tool::new("t"))
        .tool(path)
        .rule(rule.on(everywhere))
        .build()
        .unwrap();
    let broker = Broker::new(policy).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let other = broker.assert_identity("agent-8").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let context = Context::new();
    let scope =
        |tool: &str, args: Value| Scope::exactly(&Call::new(tool, args).unwrap()).digested();
    let secret = || json!({ "path": "/between-us/./x" });

    let mut grant = task.request(scope("t", secret()), &context).unwrap();
    task.renew(&mut grant, &agent, &context).unwrap();
    let _ = task.delegate(&grant, &other, scope("t", secret()), &context).unwrap();
    let _ = task.request(scope("u", secret()), &context).unwrap();
    let (trimmed, _) = task.request_trimmed(scope("t", secret()), &context).unwrap();
    let both = Scope::tool("t").and(scope("u", secret()));
    let _ = task.request(both, &context).unwrap();
    let _ = task.request(scope("v", secret()), &context).unwrap_err();
    assert!(trimmed.scope().to_string().contains("between-us"), "the grant itself knows");

    let lines = broker.log().unwrap().lines();
    assert!(lines.iter().all(|line| !line.contains("between-us")), "{lines:#?}");
    let scopes: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["scope"].clone())
        .filter(|scope| !scope.is_null())
        .collect();
    assert_eq!(scopes.len(), 7);
    let tools: Vec<&Value> = scopes.iter().map(|scope| &scope["tools"]).collect();
    let (t, u, v) = (json!(["t"]), json!(["u"]), json!(["v"]));
    assert_eq!(tools, [&t, &t, &t, &u, &t, &json!(["t", "u"]), &v]);
    let digests: Vec<&str> = scopes.iter().map(|scope| scope["digest"].as_str().unwrap()).collect();
    assert!(digests[0] == digests[1] && digests[0] == digests[4], "the same of the same holder");
    assert!(digests[0] != digests[2], "another of another holder");
}
