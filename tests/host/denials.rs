//! What a host hears of denials, and of what is not a call.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::{Event, Stage};
use hallpass::prelude::*;
use hallpass::scope::eq;
use serde_json::json;

fn policy() -> Policy {
    Policy::builder().rule(Rule::permit("all").tool("t").any_args()).build().unwrap()
}

type Heard = Arc<Mutex<Vec<(Stage, Reason, Option<String>)>>>;

/// A broker whose hook notes what it hears, and looks around in the broker while it does.
fn heard() -> (Broker, Heard) {
    let heard = Heard::default();
    let (notes, inside) = (Arc::clone(&heard), Arc::new(OnceLock::<Broker>::new()));
    let around = Arc::clone(&inside);
    let hook = move |denial: &_, record: &Event<'_>| {
        let denial: &hallpass::denial::Denial = denial;
        let broker = around.get().unwrap();
        // Were a lock of the broker held, each of these would wait for ever.
        let _ = (broker.standing(), broker.stats(), broker.flush());
        let _ = broker.reload(&policy()).unwrap().finish();
        broker.control().halt(Halt::tool("unheard-of").unwrap());
        let Event::Denied { stage, tool, code, .. } = record else { panic!("{record:?}") };
        assert_eq!(*code, denial.code().as_str());
        let tool = tool.as_ref().map(|tool| tool.to_string());
        notes.lock().unwrap().push((*stage, denial.reason(), tool));
    };
    let broker = Broker::builder(policy()).on_denial(hook).build().unwrap();
    inside.set(broker.clone()).unwrap();
    (broker, heard)
}

/// attack 142
#[test]
fn the_hook_hears_each_denial_that_is_recorded_and_may_use_the_broker() {
    let (broker, heard) = heard();
    let (gate, context) = (broker.gate(), Context::new());
    let agent = broker.assert_identity("agent-7").unwrap();
    let call = |tool: &str| Call::new(tool, json!({})).unwrap();

    assert!(broker.open(&agent, Purpose::new("")).is_err());
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    assert!(task.request(Scope::tool("other"), &context).is_err());
    let grant = task.request(Scope::tool("t"), &context).unwrap();
    assert!(gate.authorize(&grant, &agent, call("other"), &context).is_err());
    assert!(gate.check(&grant, &agent, &call("other"), &context).is_err(), "which is not recorded");
    assert!(gate.authorize_json(&grant, &agent, "t\u{200b}", b"{", None, &context).is_err());
    let permit = gate.authorize(&grant, &agent, call("t"), &context).unwrap();
    task.complete();
    assert!(permit.start().is_err());
    assert!(gate.give_up(&grant, &agent).is_err());

    let tool = |tool: &str| Some(tool.to_owned());
    assert_eq!(
        *heard.lock().unwrap(),
        [
            (Stage::Open, Reason::MalformedPurpose, None),
            (Stage::Request, Reason::NotCovered, None),
            (Stage::Call, Reason::OutOfScope, tool("other")),
            (Stage::Call, Reason::MalformedCall, tool("t\u{200b}")),
            (Stage::Run, Reason::TaskOver, tool("t")),
            (Stage::GiveUp, Reason::TaskOver, None),
        ]
    );
    broker.verify_log().unwrap();
}

/// attack 141
#[test]
fn a_panic_of_the_hook_changes_nothing_and_what_is_denied_to_the_hook_is_not_told() {
    let inside = Arc::new(OnceLock::<(Broker, Identity)>::new());
    let times = Arc::new(Mutex::new(0));
    let (around, told) = (Arc::clone(&inside), Arc::clone(&times));
    let hook = move |_: &_, _: &Event<'_>| {
        let (broker, who) = around.get().unwrap();
        assert!(broker.open(who, Purpose::new("")).is_err());
        *told.lock().unwrap() += 1;
        panic!("the hook panics");
    };
    let broker = Broker::builder(policy()).on_denial(hook).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    inside.set((broker.clone(), agent.clone())).unwrap();
    for _ in 0..2 {
        let denial = broker.open(&agent, Purpose::new("")).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedPurpose);
    }
    assert_eq!(*times.lock().unwrap(), 2);
    assert_eq!(broker.stats().denials.to_vec(), [(Reason::MalformedPurpose, 4)], "all are counted");
}

/// attacks 28, 29 and 135: what is not a call is in the log, and counts against who asked.
#[test]
fn what_is_no_call_is_denied_recorded_and_trips() {
    let broker = Broker::builder(policy()).halt_after(3, Duration::from_secs(60)).build().unwrap();
    let (gate, context) = (broker.gate(), Context::new());
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &context).unwrap();
    let json = |tool: &str, args: &[u8]| {
        gate.authorize_json(&grant, &agent, tool, args, None, &context).map(drop)
    };
    let reason = |answer: Result<(), hallpass::denial::Denial>| answer.unwrap_err().reason();

    json("t", br#"{ "n": 1 }"#).unwrap();
    let endless = "x".repeat(1 << 20);
    for (tool, args) in
        [("t", &br#"{"n":1,"\u006e":2}"#[..]), ("t", b"{\"n\":\xff}"), (endless.as_str(), b"{}")]
    {
        assert_eq!(reason(json(tool, args)), Reason::MalformedCall);
    }
    assert_eq!(broker.control().halts(), [Halt::identity("agent-7").unwrap()]);
    assert_eq!(reason(json("t", b"{}")), Reason::Halted);

    let log = broker.log().unwrap().snapshot();
    let denied: Vec<_> =
        log.entries().filter(|entry| entry.line.contains("malformed_call")).collect();
    assert_eq!(denied.len(), 3);
    assert!(denied.iter().all(|entry| entry.line.len() < 1024 && entry.line.contains("agent-7")));
    broker.verify_log().unwrap();
}

#[test]
fn a_call_from_bytes_has_its_resource_and_is_decided_as_any_other() {
    let rule = Rule::permit("p").tool("t").any_args().any_resource();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let (gate, context) = (broker.gate(), Context::new());
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let of = |id: &str| Some(Resource::new("account", id));
    let scope = Scope::tool("t").any_args();
    let scope = scope.resource(eq("account"), eq("main"));
    let grant = task.request(scope, &context).unwrap();
    let permit = gate.authorize_json(&grant, &agent, "t", r#"{"n":1.0}"#, of("main"), &context);
    assert_eq!(permit.unwrap().start().unwrap().args().to_json(), r#"{"n":1}"#);
    for resource in [None, of("other")] {
        let denial =
            gate.authorize_json(&grant, &agent, "t", "{}", resource, &context).unwrap_err();
        assert_eq!(denial.reason(), Reason::OutOfScope);
    }
}

#[test]
fn a_denial_of_the_hosts_own_is_recorded_told_and_trips() {
    let (broker, heard) = heard();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let long = "x".repeat(500);
    let denial = gate.deny(&agent, &long, Reason::UnknownTool, "there are two of them");
    assert_eq!((denial.code(), denial.reason()), (Code::NotPermitted, Reason::UnknownTool));
    assert!(denial.explain().to_string().contains("there are two of them"));
    let heard = heard.lock().unwrap();
    let [(Stage::Call, Reason::UnknownTool, Some(tool))] = &heard[..] else { panic!("{heard:?}") };
    assert!(tool.len() <= 128 && tool.starts_with("xxx"));

    let broker = Broker::builder(policy()).halt_after(2, Duration::from_secs(60)).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    for _ in 0..2 {
        let _ = broker.gate().deny(&agent, "t", Reason::MalformedCall, "no call");
    }
    assert_eq!(broker.control().halts(), [Halt::identity("agent-7").unwrap()]);
}
