//! Asking for one call.

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
