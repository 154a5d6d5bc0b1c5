//! The whole errand, end to end.

use hallpass::prelude::*;
use hallpass::scope::{eq, max, prefix};
use serde_json::json;

fn policy() -> Policy {
    Policy::builder()
        .rule(
            Rule::permit("payers-pay")
                .who_id(prefix("spiffe://acme.test/agent/"))
                .tool("bank.pay")
                .arg("to", hallpass::scope::any())
                .arg("amount", max(500))
                .purpose(eq("pay-bill"))
                .when("env", eq("prod"))
                .uses(2),
        )
        .build()
        .unwrap()
}

#[test]
fn an_agent_that_holds_nothing_gets_one_errand_and_loses_it_when_the_task_ends() {
    let broker = Broker::new(policy()).unwrap();
    let gate = broker.gate();
    let payer = broker.assert_identity("spiffe://acme.test/agent/payer").unwrap();
    let context = Context::new().with("env", "prod");

    let task = broker.open(&payer, Purpose::new("pay-bill").ticket("INV-1203")).unwrap();
    let grant = task
        .request(Scope::tool("bank.pay").arg("to", eq("CH93")).arg("amount", max(100)), &context)
        .unwrap();
    let pay = |amount: i64, to: &str| {
        Call::new("bank.pay", json!({ "to": to, "amount": amount })).unwrap()
    };

    let permit = gate.authorize(grant.token(), &payer, pay(98, "CH93"), &context).unwrap();
    let receipt =
        permit.run(|running| running.args().text("to").map(str::to_owned).ok_or(())).unwrap();
    assert_eq!(receipt.scrubbed(), "CH93");

    let thief = gate.authorize(grant.token(), &payer, pay(98, "XX00"), &context).unwrap_err();
    assert_eq!(thief.reason(), Reason::OutOfScope, "{}", thief.explain());
    let much = gate.authorize(grant.token(), &payer, pay(101, "CH93"), &context).unwrap_err();
    println!("{}", much.explain());
    drop(gate.authorize(grant.token(), &payer, pay(1, "CH93"), &context).unwrap());
    gate.authorize(grant.token(), &payer, pay(1, "CH93"), &context)
        .unwrap()
        .run(|_| Ok::<_, ()>(()))
        .unwrap();
    let spent = gate.authorize(grant.token(), &payer, pay(1, "CH93"), &context).unwrap_err();
    assert_eq!(spent.reason(), Reason::UsesSpent);

    task.complete();
    assert!(broker.standing().is_empty());
    let over = gate.authorize(grant.token(), &payer, pay(98, "CH93"), &context).unwrap_err();
    assert_eq!(over.code(), Code::InvalidToken);
    for line in broker.log().unwrap().lines() {
        println!("{line}");
    }
    broker.verify_log().unwrap();
}
