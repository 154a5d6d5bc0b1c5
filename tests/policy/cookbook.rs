//! The policies of the cookbook: they load without a warning, permit what they are said to, and no more.

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/cookbook.md");

fn policies() -> Vec<&'static str> {
    let blocks = PAGE.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

#[test]
fn each_loads_and_nothing_is_to_be_said_against_it() {
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    assert_eq!(policies().len(), 3);
    for text in policies() {
        let policy = Policy::from_toml(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let warnings: Vec<String> = policy.lint(now).iter().map(ToString::to_string).collect();
        assert_eq!(warnings, [""; 0], "{text}");
    }
}

/// What one call comes to, asked of the rules alone.
fn allows(policy: usize, who: Assertion, context: &Context, call: Call) -> bool {
    let policy = Policy::from_toml(policies()[policy]).unwrap();
    let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let broker = Broker::builder(policy.clone()).clock(ManualClock::new(start)).build().unwrap();
    let who = broker.assert_identity(who).unwrap();
    let why = Purpose::new("errand").ticket("T-7");
    policy.decide(&who, &why, &call, context, start).unwrap().is_permit()
}

fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|own| (*own).to_owned()).collect()
}

#[test]
fn a_shops_assistant_changes_what_its_customer_named_and_asks_beyond_its_limit() {
    let context =
        || Context::new().with("words", texts(&["cancel", "o-17"])).with("customer", "c-1");
    let order = |tool: &str, id: &str, customer: &str, args: Value| {
        let order = hallpass::Resource::new("order", id).attr("customer", customer);
        Call::new(tool, args).unwrap().on(order)
    };
    let bot = || Assertion::agent("bot").attr("refund_limit", 50);
    let cancel = |id, customer| order("order.cancel", id, customer, json!({}));
    let refund = |sum: i32| order("order.refund", "o-17", "c-1", json!({ "amount": sum }));
    for (call, context, allowed) in [
        (cancel("o-17", "c-1"), context(), true),
        (cancel("o-18", "c-1"), context(), false),
        (cancel("o-17", "c-2"), context(), false),
        (cancel("o-17", "c-1"), Context::new().with("customer", "c-1"), false),
        (refund(50), context(), true),
        (refund(51), context(), false),
        (refund(-1), context(), false),
    ] {
        assert_eq!(allows(0, bot(), &context, call.clone()), allowed, "{call:?}");
    }
    assert!(!allows(0, Assertion::agent("bot"), &context(), refund(1)), "no limit is attested");
}

#[test]
fn a_coding_agent_stays_below_its_checkout_and_runs_what_is_spelled_out() {
    let context = || Context::new().with("checkout", "/srv/app");
    let bot = || Assertion::agent("bot");
    let call = |tool: &str, args: Value| Call::new(tool, args).unwrap();
    let exec = |argv: &[&str]| call("exec", json!({ "argv": argv }));
    for (call, allowed) in [
        (call("fs.read", json!({ "path": "/srv/app/src/lib.rs" })), true),
        (call("fs.write", json!({ "path": "/srv/app/./a", "content": "x" })), true),
        (call("fs.read", json!({ "path": "/srv/application/key" })), false),
        (
            call(
                "fs.write",
                json!({ "path": "/srv/app/.git/hooks/post-checkout", "content": "x" }),
            ),
            false,
        ),
        (exec(&["git", "log", "--oneline"]), true),
        (exec(&["git", "status"]), true),
        (exec(&["git", "log", "--output=/x"]), false),
        (exec(&["git", "push"]), false),
        (exec(&["git"]), false),
        (exec(&["log", "git"]), false),
        (exec(&["cargo", "test", "--locked", "--workspace"]), true),
        (exec(&["cargo", "install", "x"]), false),
    ] {
        assert_eq!(allows(1, bot(), &context(), call.clone()), allowed, "{call:?}");
    }
    let read = || call("fs.read", json!({ "path": "/srv/app/a" }));
    assert!(!allows(1, bot(), &Context::new(), read()), "no checkout is vouched for");
}

#[test]
fn a_personal_assistant_acts_towards_whom_its_person_named() {
    let context = || {
        let amounts = Value::from(vec![120]);
        let amounts = hallpass::value::Value::try_from(&amounts).unwrap();
        Context::new().with("words", texts(&["ana@acme.test", "CH93"])).with("amounts", amounts)
    };
    let bot = || Assertion::agent("bot").attr("user", "ana").attr("limit", 500);
    let call = |tool: &str, args: Value| Call::new(tool, args).unwrap();
    let mail = |args: Value| call("mail.send", args);
    let pay = |to: &str, amount: i32| call("bank.pay", json!({ "to": to, "amount": amount }));
    for (call, allowed) in [
        (mail(json!({ "to": "ana@acme.test", "body": "x", "attachment": null })), true),
        (
            mail(json!({ "to": "ana@acme.test", "body": "x", "attachment": "/home/ana/outbox/a" })),
            true,
        ),
        (
            mail(json!({ "to": "ana@acme.test", "body": "x", "attachment": "/home/ana/keys" })),
            false,
        ),
        (mail(json!({ "to": ["ana@acme.test", "eve@evil.test"], "body": "x" })), false),
        (mail(json!({ "to": "eve@evil.test", "body": "x" })), false),
        (pay("CH93", 120), true),
        (pay("CH93", 121), false),
        (pay("XX66", 120), false),
    ] {
        assert_eq!(allows(2, bot(), &context(), call.clone()), allowed, "{call:?}");
    }
    assert!(!allows(2, Assertion::agent("bot").attr("user", "ana"), &context(), pay("CH93", 120)));
}

#[test]
fn a_personal_assistant_archives_what_the_host_noted_and_no_mail_that_a_mail_names() {
    let policy = Policy::from_toml(policies()[2]).unwrap();
    let broker = Broker::new(policy).unwrap();
    let (bot, context) = (broker.assert_identity("bot").unwrap(), Context::new());
    let task = broker.open(&bot, Purpose::new("tidy-up")).unwrap();
    let scope = hallpass::Scope::tool("mail.read").any_args().and_tool("mail.archive");
    let grant = task.request(scope.arg("id", hallpass::scope::any()), &context).unwrap();
    let gate = broker.gate();
    let archives = |id: &str| {
        let call = Call::new("mail.archive", json!({ "id": id })).unwrap();
        gate.authorize(&grant, &bot, call, &context).is_ok()
    };
    assert!(!archives("m-1"));
    let read = Call::new("mail.read", json!({ "box": "inbox" })).unwrap();
    let permit = gate.authorize(&grant, &bot, read, &context).unwrap();
    permit.run(|running| running.note("mail.read#id", texts(&["m-1", "m-2"]))).unwrap();
    assert!(archives("m-1") && archives("m-2") && !archives("m-3"));
}
