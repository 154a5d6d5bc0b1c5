//! What is presented at a gate, in each of its forms.

use hallpass::clock::Timestamp;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::{ManualClock, numbered_grants};
use serde_json::json;

#[test]
fn a_grant_its_token_and_the_text_of_it_are_presented_alike() {
    let policy = Policy::builder().rule(Rule::permit("all").tool("t").any_args()).build().unwrap();
    let broker = Broker::new(policy).unwrap();
    let (gate, context) = (broker.gate(), Context::new());
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &context).unwrap();
    let call = Call::new("t", json!({})).unwrap();

    let Ok(token) = grant.token().expose().parse::<Token>();
    let text = grant.token().expose();
    assert!(gate.authorize(&grant, &agent, call.clone(), &context).is_ok());
    assert!(gate.authorize(&token, &agent, call.clone(), &context).is_ok());
    assert!(gate.authorize(text, &agent, call.clone(), &context).is_ok());
    assert!(gate.authorize(&text.to_owned(), &agent, call.clone(), &context).is_ok());
    assert_eq!(gate.tools(text, &agent, &context).unwrap().len(), 1);
    let denial = gate.authorize("no token", &agent, call.clone(), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedToken);
    assert!(gate.give_up(text, &agent).is_ok());
    assert!(gate.authorize(&grant, &agent, call, &context).is_err());
}

#[test]
fn with_a_key_a_clock_and_numbers_of_its_own_a_test_gets_the_same_tokens_each_time() {
    let policy = Policy::builder().rule(Rule::permit("all").tool("t").any_args()).build().unwrap();
    let run = || {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let secret: Vec<u8> = (1..=32).collect();
        let keys = KeyRing::from_secret(SecretKey::from_bytes(&secret).unwrap());
        let builder = Broker::builder(policy.clone()).clock(clock).keys(keys);
        let broker = numbered_grants(builder).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grants: [Grant; 2] = std::array::from_fn(|_| {
            task.request(Scope::tool("t").any_args(), &Context::new()).unwrap()
        });
        let log = broker.log().unwrap().snapshot();
        // The first record names the log, each of which has an id of its own.
        let lines = log.entries().skip(1).map(|entry| entry.line.to_owned());
        let lines: Vec<String> = lines.collect();
        (grants.map(|grant| grant.token().expose().to_owned()), lines)
    };
    let ([first, second], lines) = run();
    assert_ne!(first, second);
    assert_eq!(([first, second], lines), run());
}
