//! The service of `docs/axum.md`.

use std::collections::HashMap;

use axum::Router;
use axum::routing::{get, post};
use hallpass::prelude::*;
use hallpass::scope::{above, any, eq, max};
use hallpass_tower::{Arguments, GatedRouter, HostState, HttpGate, Refusal};
use tokio::net::TcpListener;

#[derive(serde::Deserialize)]
struct Payment {
    to: String,
    amount: u32,
}

#[derive(serde::Deserialize)]
struct Account {
    name: String,
}

#[derive(Clone)]
struct Bank {
    balances: &'static [(&'static str, u32)],
}

// Handlers run from what was decided about.
async fn pay(Arguments(payment): Arguments<Payment>) -> String {
    format!("paid {} to {}\n", payment.amount, payment.to)
}

async fn balance(HostState(bank): HostState<Bank>, Arguments(of): Arguments<Account>) -> String {
    let found = bank.balances.iter().find(|(name, _)| *name == of.name);
    format!("{} holds {}\n", of.name, found.map_or(0, |(_, balance)| *balance))
}

pub(crate) fn service(policy: &str) -> Result<Router, Box<dyn std::error::Error>> {
    let broker = Broker::new(Policy::from_toml(policy)?)?;
    let payer = broker.assert_identity("payer")?;
    let bills =
        Scope::tool("http:POST:/payments").arg("to", any()).arg("amount", above(0).and(max(500)));
    let wanted = bills.and(Scope::tool("http:GET:/accounts/:name").arg("name", eq("household")));
    // One session for each caller, under the key that your own authentication knows it by.
    let sessions = HashMap::from([(
        "key-of-payer",
        broker.session(&payer, Purpose::new("pay-bills"), wanted)?,
    )]);

    let gate = HttpGate::sessions(move |request| {
        let key = request.headers.get("x-api-key").and_then(|key| key.to_str().ok());
        key.and_then(|key| sessions.get(key)).cloned().ok_or(Refusal::Unauthenticated)
    });
    Ok(GatedRouter::new(gate)
        .route("/payments", post(pay))
        .route("/accounts/{name}", get(balance))
        .with_state(Bank { balances: &[("household", 1203)] }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = service(&std::fs::read_to_string("payments.toml")?)?;
    axum::serve(TcpListener::bind("127.0.0.1:3000").await?, service).await?;
    Ok(())
}
