//! People's page for an agent that pays: `cargo run -p hallpass-approvals`, then open the address it says, sign in
//! as `ada`, and answer what the agent asks.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass_approvals::{Directory, router};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let line = Reviewers::in_groups(has_any(["finance"]));
    let rules = [
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::ask("four-eyes")
            .tool("bank.pay")
            .approval(ApprovalTerms::per(Per::Call).review(line))
            .owner("finance@acme.test"),
    ];
    let broker = Broker::new(Policy::builder().rules(rules).build()?)?;
    let ada = broker.assert_identity(Assertion::human("ada@acme.test").group("finance"))?;
    let directory = Directory::new().with("ada", ada);
    // What no one answers in time leaves the page once it is found so.
    let _reaper = broker.start_reaper(Duration::from_secs(1))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    let page = router(broker.reviews(), directory);
    let agent = std::thread::spawn(move || {
        if let Err(error) = pay_bills(&broker) {
            println!("the agent stopped: {error}");
        }
    });
    axum::serve(listener, page).await?;
    drop(agent);
    Ok(())
}

/// The agent: each bill waits for somebody's yes, and exactly that bill is paid.
fn pay_bills(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let (gate, now) = (broker.gate(), Context::new());
    let payer = broker.assert_identity("spiffe://acme.test/agent/payer")?;
    let task = broker.open(&payer, Purpose::new("pay-bill").ticket("INV-1203"))?;
    let grant = task.request(Scope::tool("bank.pay").any_args(), &now)?;
    for amount in 1..=3 {
        let call = Call::new("bank.pay", json!({ "to": "CH93 0076", "amount": amount }))?;
        let Err(denial) = gate.authorize(&grant, &payer, call, &now) else { continue };
        let pending = denial.pending().ok_or("it is not asked about")?;
        let state = pending.wait(Duration::from_secs(600));
        println!("{amount}: {state}");
        let Ok(permit) = gate.redeem(pending, &grant, &payer, &now) else { continue };
        let paid = permit.run(|running| Ok::<_, std::io::Error>(running.args().to_json()))?;
        println!("paid: {}", paid.raw());
    }
    task.complete();
    Ok(())
}
