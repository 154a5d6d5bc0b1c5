//! What the log in memory takes.

use hallpass::prelude::*;
use hallpass::testing::ManualClock;
use serde_json::json;

/// What the documents say of a broker with the defaults.
#[test]
fn a_permitted_call_takes_about_half_a_kilobyte_and_a_denial_less() {
    const TAG_AND_PLACE: usize = 44;
    let start = hallpass::clock::Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let rule = Rule::permit("payers-pay-bills").tool("bank.pay").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(ManualClock::new(start)).build().unwrap();
    let payer = broker.assert_identity("spiffe://acme.test/agent/payer").unwrap();
    let wanted = Scope::tool("bank.pay").any_args();
    let session = broker.session(&payer, Purpose::new("pay-bill"), wanted).unwrap();
    let taken = || {
        let log = broker.log().unwrap().snapshot();
        log.entries().map(|entry| entry.line.len() + TAG_AND_PLACE).sum::<usize>()
    };
    let context = Context::new();
    let call = |tool: &str| Call::new(tool, json!({ "to": "CH93 0076", "amount": 98 })).unwrap();
    session.call(call("bank.pay"), &context, |_| Ok::<_, String>(0)).unwrap();
    let before = taken();
    for _ in 0..100 {
        session.call(call("bank.pay"), &context, |_| Ok::<_, String>(0)).unwrap();
    }
    let calls = taken();
    for n in 0..100 {
        // Equal ones would be counted.
        let call = Call::new("bank.erase", json!({ "to": "CH93 0076", "amount": n })).unwrap();
        session.authorize(call, &context).unwrap_err();
    }
    let (of_call, of_denial) = ((calls - before) / 100, (taken() - calls) / 100);
    assert!((400..600).contains(&of_call), "{of_call}");
    assert!((200..of_call).contains(&of_denial), "{of_denial}");
}
