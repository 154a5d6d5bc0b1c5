//! Presentations bound to one call, at the gate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::prelude::*;
use hallpass::scope::{any, max};
use hallpass::token::{Form, MintError, Presentation, TokenError};
use serde_json::json;

const START: i64 = 1_767_225_600_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + millis).unwrap()
}

struct Setup {
    broker: Broker,
    gate: Gate,
    clock: ManualClock,
    agent: Identity,
    task: Task,
    grant: Grant,
}

fn setup_with(rule: Rule) -> Setup {
    let rule = rule.tool("bank.pay").arg("to", any()).arg("amount", max(100));
    let policy = Policy::builder().rule(rule.ttl(Duration::from_secs(3600))).build().unwrap();
    let clock = ManualClock::new(at(0));
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
    let scope = Scope::tool("bank.pay").arg("to", any()).arg("amount", max(100));
    let grant = task.request(scope, &Context::new()).unwrap();
    Setup { broker, gate, clock, agent, task, grant }
}

fn setup() -> Setup {
    setup_with(Rule::permit("pay"))
}

fn pay(to: &str, amount: i64) -> Call {
    Call::new("bank.pay", json!({ "to": to, "amount": amount })).unwrap()
}

impl Setup {
    fn present(&self, call: &Call, millis: i64) -> Presentation {
        self.grant.token().present(call, at(millis)).unwrap()
    }

    fn try_call(&self, presented: &Presentation, call: Call) -> Result<(), Reason> {
        let permit = self.gate.authorize(presented, &self.agent, call, &Context::new());
        permit.map(drop).map_err(|denial| denial.reason())
    }
}

#[test]
fn a_presentation_is_good_for_its_call_and_for_no_other() {
    let setup = setup();
    let presentation = setup.present(&pay("CH93", 98), 0);
    for other in [
        pay("CH93", 99),
        pay("XX00", 98),
        Call::new("bank.pay", json!({ "to": "CH93", "amount": 98, "note": "" })).unwrap(),
        Call::new("bank.pa", json!({ "to": "CH93", "amount": 98 })).unwrap(),
    ] {
        assert_eq!(setup.try_call(&presentation, other), Err(Reason::BadSignature));
    }
    // The same arguments in another spelling are the same call.
    let same = Call::from_json("bank.pay", r#"{"amount": 9.8e1, "to": "CH93"}"#).unwrap();
    assert_eq!(setup.try_call(&presentation, same), Ok(()));
}

/// attack 76
#[test]
fn a_presentation_is_taken_once() {
    let setup = setup();
    let presentation = setup.present(&pay("CH93", 98), 0);
    let check = || {
        let context = Context::new();
        setup.gate.check(&presentation, &setup.agent, &pay("CH93", 98), &context)
    };
    assert!(check().is_ok(), "a dry run spends nothing");
    assert!(check().is_ok());
    assert_eq!(setup.try_call(&presentation, pay("CH93", 98)), Ok(()));
    assert_eq!(setup.try_call(&presentation, pay("CH93", 98)), Err(Reason::Replayed));
    assert_eq!(check().unwrap_err().reason(), Reason::Replayed);
    // It is dead while it is remembered, and dead once it is forgotten.
    for _ in 0..70 {
        setup.clock.advance(Duration::from_secs(1));
        assert!(setup.try_call(&presentation, pay("CH93", 98)).is_err());
        let fresh = setup.grant.token().present(&pay("CH93", 1), setup.broker_now()).unwrap();
        assert_eq!(setup.try_call(&fresh, pay("CH93", 1)), Ok(()));
    }
}

impl Setup {
    fn broker_now(&self) -> Timestamp {
        use hallpass::clock::Clock as _;
        self.clock.read().unwrap().wall
    }
}

/// attack 76
#[test]
fn of_sixty_four_threads_with_one_presentation_exactly_one_gets_a_permit() {
    let setup = setup();
    let presentation = setup.present(&pay("CH93", 98), 0);
    let permits = AtomicUsize::new(0);
    let barrier = std::sync::Barrier::new(64);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                barrier.wait();
                match setup.try_call(&presentation, pay("CH93", 98)) {
                    Ok(()) => {
                        permits.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(reason) => assert_eq!(reason, Reason::Replayed),
                }
            });
        }
    });
    assert_eq!(permits.into_inner(), 1);
}

/// attack 77
#[test]
fn where_no_presentation_more_can_be_remembered_new_ones_are_refused_until_old_ones_die() {
    let setup = setup();
    let call = pay("CH93", 1);
    let first = setup.present(&call, 0);
    assert_eq!(setup.try_call(&first, call.clone()), Ok(()));
    let mut refused = 0;
    for _ in 0..4_200 {
        match setup.try_call(&setup.present(&call, 0), call.clone()) {
            Ok(()) => {}
            Err(reason) => {
                assert_eq!(reason, Reason::TooMany);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 4_200 - 4_095);
    assert_eq!(setup.try_call(&first, call.clone()), Err(Reason::Replayed));
    setup.clock.advance(Duration::from_secs(30));
    assert_eq!(setup.try_call(&setup.present(&call, 30_000), call), Ok(()));
}

#[test]
fn a_presentation_lives_for_seconds_around_its_time() {
    let setup = setup();
    setup.clock.advance(Duration::from_secs(60));
    let stale = Err(Reason::StalePresentation);
    for (millis, expected) in [
        (30_000, stale),
        (30_001, Ok(())),
        (60_000, Ok(())),
        (89_999, Ok(())),
        (90_000, stale),
        (1_000_000, stale),
    ] {
        let call = pay("CH93", 1);
        assert_eq!(setup.try_call(&setup.present(&call, millis), call), expected, "{millis}");
    }
}

#[test]
fn a_broker_says_how_many_seconds_and_zero_is_refused() {
    for window in [Duration::ZERO, Duration::from_micros(999), Duration::from_secs(301)] {
        let policy = Policy::builder().build().unwrap();
        assert!(Broker::builder(policy).presentation_window(window).build().is_err());
    }
}

/// attack 151
#[test]
fn a_bearer_token_is_refused_where_a_call_bound_one_is_required() {
    let setup = setup_with(Rule::permit("pay").presentation(Form::CallBound));
    let call = || pay("CH93", 98);
    let context = Context::new();
    let denial =
        setup.gate.authorize(setup.grant.token(), &setup.agent, call(), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NoPermit);
    assert_eq!(denial.nearest().unwrap().rule(), "pay");
    assert_eq!(setup.try_call(&setup.present(&call(), 0), call()), Ok(()));
}

/// attack 151
#[test]
fn a_call_bound_presentation_is_refused_where_a_bearer_token_is_required() {
    let setup = setup_with(Rule::permit("pay").presentation(Form::Bearer));
    let call = || pay("CH93", 98);
    assert_eq!(setup.try_call(&setup.present(&call(), 0), call()), Err(Reason::NoPermit));
    let context = Context::new();
    assert!(setup.gate.authorize(setup.grant.token(), &setup.agent, call(), &context).is_ok());
}

/// attack 151: neither form can be spelled as the other
#[test]
fn neither_form_passes_for_the_other() {
    let setup = setup();
    let presentation = setup.present(&pay("CH93", 98), 0);
    let as_bearer = presentation.expose().replacen("hp1c.", "hp1.", 1);
    let as_call = setup.grant.token().expose().replacen("hp1.", "hp1c.", 1);
    for text in [as_bearer, as_call] {
        let context = Context::new();
        let denial = setup
            .gate
            .authorize(&Token::from_text(text), &setup.agent, pay("CH93", 98), &context)
            .unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedToken);
    }
    // Off the wire, the gate sees from the text which one it is.
    let received = Token::from_text(presentation.expose().to_owned());
    let refused = |error| assert_eq!(error, MintError::NotAToken(TokenError::CallBound));
    refused(received.attenuate(&Scope::tool("bank.pay"), None).unwrap_err());
    refused(received.present(&pay("CH93", 98), at(0)).unwrap_err());
    let denial = setup.gate.give_up(&received, &setup.agent).unwrap_err();
    assert_eq!(denial.reason(), Reason::UnsupportedToken);
    let context = Context::new();
    assert!(setup.gate.authorize(&received, &setup.agent, pay("CH93", 98), &context).is_ok());
}

#[test]
fn a_forbid_on_bearer_tokens_acts_at_calls_and_not_at_the_request() {
    let policy = Policy::from_toml(
        r#"
        version = 1
        [[rule]]
        id = "pay"
        effect = "permit"
        what = { tool = "bank.pay", args = "any" }
        [[rule]]
        id = "no-bearer"
        effect = "forbid"
        presentation = "bearer"
        "#,
    )
    .unwrap();
    let broker = Broker::new(policy).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
    let context = Context::new();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &context).unwrap();
    let gate = broker.gate();
    let denial = gate.authorize(grant.token(), &agent, pay("CH93", 98), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    assert_eq!(denial.rules().collect::<Vec<_>>(), ["no-bearer"]);
    let presentation = grant.token().present(&pay("CH93", 98), grant.expires()).unwrap();
    let denial = gate.authorize(&presentation, &agent, pay("CH93", 98), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::StalePresentation);
}

#[test]
fn a_presentation_asked_for_in_other_words_or_where_there_are_no_calls_is_a_load_error() {
    let load = |line: &str| {
        Policy::from_toml(&format!(
            "version = 1\n[[rule]]\nid = \"pay\"\neffect = \"permit\"\n{line}\nwhat = {{ tool = \"bank.pay\" }}\n"
        ))
    };
    load("presentation = \"call_bound\"").unwrap();
    for line in [
        "presentation = \"call-bound\"",
        "presentation = \"\"",
        "presentation = true",
        "presentation = [\"bearer\"]",
        "presentation = \"call_bound\"\non = [\"request\"]",
    ] {
        assert!(load(line).is_err(), "{line}");
    }
}

/// A call that is refused has spent its presentation: what was captured from it is worth nothing
/// once the refusal's cause is gone.
#[test]
fn a_refused_call_spends_its_presentation_and_a_stranger_spends_nothing() {
    let setup = setup();
    let outside = setup.present(&pay("CH93", 101), 0);
    assert_eq!(setup.try_call(&outside, pay("CH93", 101)), Err(Reason::OutOfScope));
    assert_eq!(setup.try_call(&outside, pay("CH93", 101)), Err(Reason::Replayed));

    let presentation = setup.present(&pay("CH93", 98), 0);
    let other = setup.broker.assert_identity("agent-8").unwrap();
    let context = Context::new();
    let denial =
        setup.gate.authorize(&presentation, &other, pay("CH93", 98), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    assert_eq!(setup.try_call(&presentation, pay("CH93", 98)), Ok(()));
}

#[test]
fn a_presentation_of_a_narrowed_token_is_narrowed_and_dies_with_its_grant() {
    let setup = setup();
    let scope = Scope::tool("bank.pay").arg("to", any()).arg("amount", max(10));
    let narrowed = setup.grant.token().attenuate(&scope, None).unwrap();
    let present = |amount| narrowed.present(&pay("CH93", amount), at(0)).unwrap();
    assert_eq!(setup.try_call(&present(10), pay("CH93", 10)), Ok(()));
    assert_eq!(setup.try_call(&present(11), pay("CH93", 11)), Err(Reason::OutOfScope));
    let late = present(1);
    assert!(!setup.task.revoke_grant(&setup.grant).is_empty());
    assert_eq!(setup.try_call(&late, pay("CH93", 1)), Err(Reason::Revoked));
}

/// attack 77: who was handed a part of a token silences those it got it from as little as it can end them
#[test]
fn the_holder_of_a_narrowed_token_does_not_silence_the_grant() {
    let setup = setup();
    let all = Scope::tool("bank.pay").any_args();
    let narrowed = setup.grant.token().attenuate(&all, None).unwrap();
    let narrowest = narrowed.attenuate(&all, None).unwrap();
    let present = |token: &Token| {
        let presentation = token.present(&pay("CH93", 1), at(0)).unwrap();
        setup.try_call(&presentation, pay("CH93", 1))
    };
    let flood = |token: &Token| {
        let mut taken = 0;
        loop {
            match present(token) {
                Ok(()) => taken += 1,
                Err(reason) => return (taken, reason),
            }
        }
    };
    // What it makes of its token itself counts with it.
    let child = narrowest.attenuate(&all, None).unwrap();
    let (children, refused) = flood(&child);
    let (own, _) = flood(&narrowest);
    assert_eq!(refused, Reason::TooMany);
    assert!(children + own < 1024 && children > 16, "{children} and {own}");
    let (before, _) = flood(&narrowed);
    assert!(before > 60, "{before}");
    assert_eq!(present(setup.grant.token()), Ok(()));
}
