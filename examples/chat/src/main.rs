//! A notifier for a chat on this machine: `cargo run -p hallpass-chat -- HOST:PORT TOKEN SECRET CHANNEL USER`. It posts what a
//! broker of its own asks to the channel, and takes the answers of that user.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use hallpass::clock::{Clock as _, SystemClock};
use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass_chat::{HttpApi, Members, Notifier, SigningSecret, callbacks};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [chat, token, secret, channel, user] = &args[..] else {
        return Err("expected HOST:PORT TOKEN SECRET CHANNEL USER".into());
    };
    let line = Reviewers::in_groups(has_any(["finance"]));
    let rules = [
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::ask("four-eyes")
            .tool("bank.pay")
            .approval(ApprovalTerms::per(Per::Call).review(line)),
    ];
    let broker = Broker::new(Policy::builder().rules(rules).build()?)?;
    let ada = broker.assert_identity(Assertion::human("ada@acme.test").group("finance"))?;
    let api = || HttpApi::new(chat, token);
    let secret = SigningSecret::new(secret.as_bytes());
    let clock = SystemClock::new();
    // Without a clock, no callback is of about now.
    let now = move || {
        let millis = clock.read().map_or(0, |read| read.wall.unix_millis());
        u64::try_from(millis / 1_000).unwrap_or(0)
    };
    let service = callbacks(broker.reviews(), Members::new().with(user, ada), secret, api(), now);
    let notifier = Notifier::new(broker.reviews(), api(), channel, "https://approvals.acme.test/#");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("buttons call back http://{}/chat/actions", listener.local_addr()?);
    let agent = std::thread::spawn(move || pay(&broker).map_err(|error| error.to_string()));
    tokio::select! {
        served = axum::serve(listener, service) => served?,
        notified = notifier.run() => notified?,
    }
    drop(agent);
    Ok(())
}

/// The agent: a bill that waits for somebody's yes.
fn pay(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let (gate, now) = (broker.gate(), Context::new());
    let payer = broker.assert_identity("spiffe://acme.test/agent/payer")?;
    let task = broker.open(&payer, Purpose::new("pay-bill").ticket("INV-1203"))?;
    let grant = task.request(Scope::tool("bank.pay").any_args(), &now)?;
    let call = Call::new("bank.pay", json!({ "to": "CH93 0076", "amount": 98 }))?;
    let denial = gate.authorize(&grant, &payer, call, &now).err().ok_or("it is not asked about")?;
    let pending = denial.pending().ok_or("it is not asked about")?;
    println!("{}", pending.wait(Duration::from_secs(600)));
    let paid = gate
        .redeem(pending, &grant, &payer, &now)?
        .run(|running| Ok::<_, std::io::Error>(running.args().to_json()))?;
    println!("paid: {}", paid.raw());
    Ok(())
}
