//! What a question leaves in the log, whatever the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::Resource;
use hallpass::audit::{Event, Record, Stage};
use hallpass::context::TraceParent;
use hallpass::prelude::*;
use hallpass::scope::{eq, max, one_of, prefix};
use hallpass::value::Value;
use serde_json::json;

use crate::world::{EVERYWHERE, World, ping, pings, policy, seconds, to_ping};

/// Of documents, and of one environment alone.
fn readers() -> World {
    let read = Rule::permit("read")
        .tool("doc.read")
        .arg("page", max(10))
        .resource_type(eq("doc"))
        .resource_id(prefix("open/"))
        .when("env", eq("prod"));
    World::with(policy([read.on(EVERYWHERE)]), |builder| builder)
}

fn scope(id: &str) -> Scope {
    let scope = Scope::tool("doc.read").arg("page", max(10));
    scope.resource(eq("doc"), prefix(id))
}

fn call(id: &str) -> Call {
    Call::new("doc.read", json!({ "page": 3 })).unwrap().on(Resource::new("doc", id))
}

fn env(name: &'static str) -> Context {
    Context::new().with("env", name)
}

struct Denied {
    stage: Stage,
    resource: Option<(String, String)>,
    scope: Option<Value>,
    context: Option<String>,
    args: Option<String>,
}

fn denied(world: &World) -> Vec<Denied> {
    let records = world.log.records().into_iter();
    let kept = |record: Record| match record.event {
        Event::Denied { stage, resource_type, resource_id, scope, context, args, .. } => {
            let owned = |text: std::borrow::Cow<'static, str>| text.into_owned();
            let resource = resource_type.map(owned).zip(resource_id.map(owned));
            let scope = scope.map(std::borrow::Cow::into_owned);
            let (context, args) = (context.map(owned), args.map(owned));
            Some(Denied { stage, resource, scope, context, args })
        }
        _ => None,
    };
    records.filter_map(kept).collect()
}

fn permitted_in(world: &World) -> Vec<String> {
    let records = world.log.records().into_iter();
    let context = |record: Record| match record.event {
        Event::Permitted { context, .. } => Some(context.unwrap().into_owned()),
        _ => None,
    };
    records.filter_map(context).collect()
}

#[test]
fn a_refused_request_leaves_what_was_asked_for_and_in_which_context() {
    let world = readers();
    let agent = world.agent("reader");
    let task = world.open(&agent);
    let mut grant = task.request(scope("open/"), &env("prod")).unwrap();
    assert!(task.request(scope("secret/"), &env("prod")).is_err());
    assert!(task.request_trimmed(scope("hidden/"), &env("prod")).is_err());
    let worker = world.agent("worker");
    assert!(task.delegate(&grant, &worker, scope("op"), &env("prod")).is_err());
    assert!(task.renew(&mut grant, &agent, &env("dev")).is_err());
    let denied = denied(&world);
    let asked = ["secret/", "hidden/", "op", "open/"].map(|id| Some(scope(id).to_value()));
    assert_eq!(denied.iter().map(|own| own.scope.clone()).collect::<Vec<_>>(), asked);
    let stages: Vec<_> = denied.iter().map(|own| own.stage).collect();
    assert_eq!(stages, [Stage::Request, Stage::Request, Stage::Delegate, Stage::Renew]);
    assert!(denied.iter().all(|own| own.resource.is_none()));
    let contexts: Vec<_> = denied.iter().map(|own| own.context.clone().unwrap()).collect();
    assert_eq!(contexts[..3].iter().collect::<BTreeSet<_>>().len(), 1, "three were the same");
    assert_ne!(contexts[0], contexts[3]);
}

#[test]
fn a_refused_call_leaves_which_resource_it_was_for_and_in_which_context() {
    let world = readers();
    let agent = world.agent("reader");
    let task = world.open(&agent);
    let grant = task.request(scope("open/"), &env("prod")).unwrap();
    let ask = |id: &str, context: &Context| {
        world.gate.authorize(grant.token(), &agent, call(id), context).map(drop)
    };
    assert!(ask("open/1", &env("prod")).is_ok());
    assert!(ask("open/2", &env("prod")).is_ok());
    assert!(ask("secret/9", &env("prod")).is_err());
    assert!(ask("open/1", &env("dev")).is_err());
    assert!(ask("open/1", &Context::new()).is_err());
    let denied = denied(&world);
    let of: Vec<_> = denied.iter().map(|own| own.resource.clone().unwrap()).collect();
    let ids = ["secret/9", "open/1", "open/1"].map(|id| ("doc".to_owned(), id.to_owned()));
    assert_eq!(of, ids);
    let given = permitted_in(&world);
    assert_eq!(given[0], given[1]);
    let contexts: Vec<_> = denied.iter().map(|own| own.context.clone().unwrap()).collect();
    assert_eq!(contexts[0], given[0], "a permit and a denial in one context say so");
    assert_eq!(contexts.iter().collect::<BTreeSet<_>>().len(), 3);
    assert!(denied.iter().all(|own| own.args.is_some() && own.scope.is_none()));
}

/// Of a call that is refused before any rule is asked, too.
#[test]
fn a_call_that_is_never_judged_leaves_in_which_context_it_was_made() {
    let world = readers();
    let (agent, other) = (world.agent("reader"), world.agent("other"));
    let task = world.open(&agent);
    let grant = task.request(scope("open/"), &env("prod")).unwrap();
    world.gate.authorize(grant.token(), &agent, call("open/1"), &env("prod")).map(drop).unwrap();
    assert!(world.gate.authorize(grant.token(), &other, call("open/1"), &env("prod")).is_err());
    assert!(world.gate.authorize("not a token", &agent, call("open/1"), &env("dev")).is_err());
    let contexts: Vec<_> = denied(&world).into_iter().map(|own| own.context.unwrap()).collect();
    assert_eq!(contexts[0], permitted_in(&world)[0], "the holder's own, in the same context");
    assert_ne!(contexts[1], contexts[0]);
}

/// What can't be meant is not kept, and what is long is kept short: a denied agent may ask again.
#[test]
fn what_is_kept_of_a_refused_question_is_well_formed_and_bounded() {
    let world = readers();
    let agent = world.agent("reader");
    let task = world.open(&agent);
    let grant = task.request(scope("open/"), &env("prod")).unwrap();
    let many = one_of((0..5_000).map(|n| format!("page-{n}")).collect::<Vec<_>>());
    assert!(task.request(Scope::tool("doc.read").arg("page", many), &env("prod")).is_err());
    assert!(task.request(Scope::tool("").any_args(), &env("prod")).is_err());
    let twice = env("prod").with("env", "dev");
    assert!(task.request(scope("open/"), &twice).is_err());
    let endless = call(&"x".repeat(1 << 20));
    assert!(world.gate.authorize(grant.token(), &agent, endless, &env("prod")).is_err());
    let denied = denied(&world);
    let short = denied[0].scope.as_ref().unwrap().to_json();
    assert!(short.starts_with("{\"bytes\":") && short.len() < 100, "{short}");
    assert_eq!(denied[1].scope, None, "it is not a scope");
    assert_eq!((denied[2].context.as_ref(), denied[2].scope.is_some()), (None, true));
    assert_eq!(denied[3].resource, None);
}

/// Numbers stand as they were asked for, and read back so.
#[test]
fn the_numbers_of_a_scope_stand_exactly_in_the_log() {
    let world = World::rules([Rule::permit("p").tool("pay").arg("n", max(5)).ttl(seconds(60))]);
    let agent = world.agent("payer");
    let task = world.open(&agent);
    let asked = [
        "9007199254740993.5",
        "1000000000000000000000.01",
        "0.1",
        "12345678901234567890123456789012345678",
    ];
    for number in asked {
        let text =
            format!(r#"[{{"tool":"pay","args":{{"n":{{"min":-{number},"max":{number}}}}}}}]"#);
        let scope = Scope::from_json(&text).unwrap();
        assert_eq!(task.request(scope.clone(), &Context::new()).is_ok(), number == "0.1");
        let line = world.log.lines().last().unwrap().to_owned();
        let said = format!(r#""max":{number},"min":-{number}"#);
        assert!(line.contains(&said), "{line}");
        let read = match Record::from_line(&line).unwrap().event {
            Event::Granted { scope, .. } | Event::Denied { scope: Some(scope), .. } => scope,
            other => panic!("{other:?}"),
        };
        assert_eq!(*read, scope.to_value());
    }
    assert!(Record::from_line("{}").is_err());
}

/// What is invisible in a scope is written out, as everywhere in a line.
#[test]
fn nothing_invisible_of_a_scope_stands_in_a_line() {
    let world = World::rules([Rule::permit("p").tool("pay").arg("to", eq("x"))]);
    let agent = world.agent("payer");
    let task = world.open(&agent);
    let scope =
        Scope::tool("pay").arg("to", eq("a\u{202e}b\u{3164}c\u{34f}d\u{fe0f}\u{e0041}\u{7f}"));
    assert!(task.request(scope.clone(), &Context::new()).is_err());
    let line = world.log.lines().last().unwrap().to_owned();
    assert!(line.contains(r"a\u202eb\u3164c\u034fd\ufe0f\udb40\udc41\u007f"), "{line}");
    let read = Record::from_line(&line).unwrap().event;
    let Event::Denied { scope: Some(read), .. } = read else { panic!("{read:?}") };
    assert_eq!(*read, scope.to_value());
}

/// And nothing is decided by it: the context is the same with and without.
#[test]
fn of_which_trace_a_question_is_stands_with_what_was_decided() {
    let source = |_: &Identity, _: Option<&str>, _: Duration| Ok(Context::new().with("risk", 3));
    let world = World::with(policy([pings("ping").when("risk", max(5))]), |builder| {
        builder.context_source(source, Duration::from_millis(50))
    });
    let sent: TraceParent =
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let agent = world.agent("a");
    let task = world.open(&agent);
    for context in [Context::new().traced(sent), Context::new()] {
        let mut grant = task.request(to_ping(), &context).unwrap();
        world.gate.authorize(&grant, &agent, ping(), &context).unwrap().start().unwrap().succeed();
        let other = Call::new("other", json!({})).unwrap();
        let _ = world.gate.authorize(&grant, &agent, other, &context).unwrap_err();
        task.request(Scope::tool("other").any_args(), &context).unwrap_err();
        task.renew(&mut grant, &agent, &context).unwrap();
    }
    let records = world.log.records();
    let traced: Vec<_> = records
        .iter()
        .filter(|own| ["granted", "permitted", "denied"].contains(&own.event.kind()))
        .map(|own| (own.event.kind(), own.event.trace()))
        .collect();
    let kinds = ["granted", "permitted", "denied", "denied", "granted"];
    let said = |trace| kinds.map(|kind| (kind, trace));
    assert_eq!(traced, [said(Some(sent.as_str())), said(None)].concat());
    let contexts: BTreeSet<_> = permitted_in(&world).into_iter().collect();
    assert_eq!(contexts.len(), 1);
}
