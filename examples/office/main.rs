//! An office of 31 rules: load them, lint them, and ask what an agent may do for its errand.
//!
//! ```text
//! cargo run --example office
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use hallpass::clock::{Clock as _, SystemClock};
use hallpass::prelude::*;
use hallpass::{RunError, Running, assert_nothing_stands};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::from_toml(include_str!("../data/office.toml"))?;
    for warning in policy.lint(SystemClock::new().read()?.wall) {
        println!("lint: {warning}");
    }
    let broker = Broker::new(policy)?;
    let clerk = broker.assert_identity(
        Assertion::agent("clerk-7").group("finance").acts_for("ada", Kind::Human),
    )?;
    for (tool, args, calm) in questions() {
        let call = Call::new(tool, args)?;
        let now = Context::from(json!({ "env": "prod", "risk": if calm { 10 } else { 90 } }));
        // Each call is an errand of its own, and asks for itself and nothing else.
        let why = Purpose::new("pay-bill").ticket("INV-1203");
        let errand = broker.session(&clerk, why, Scope::exactly(&call))?;
        let asked = format!("{tool} {}", call.args());
        match errand.call(call, &now, |running: &Running| Ok::<_, String>(running.number())) {
            Ok(receipt) => println!("permitted   {asked} (record {})", receipt.permit()),
            Err(RunError::Denied(denial)) => println!("{:<11} {asked}", denial.code().as_str()),
            Err(error) => return Err(error.to_string().into()),
        }
    }
    assert_nothing_stands!(broker);
    Ok(())
}

/// A tool, its arguments, and whether the moment is calm.
fn questions() -> Vec<(&'static str, Value, bool)> {
    vec![
        ("bank.pay", json!({ "to": "CH93 0076", "amount": 99.95 }), true),
        ("bank.pay", json!({ "to": "CH93 0076", "amount": 501 }), true),
        ("bank.pay", json!({ "to": "CH93 0076", "amount": 99.95 }), false),
        ("bank.balance", json!({ "account": "main" }), true),
        ("mail.send", json!({ "to": "bob@acme.test", "subject": "paid", "body": "…" }), true),
        ("mail.send", json!({ "to": "bob@press.test", "subject": "paid", "body": "…" }), true),
        ("files.read", json!({ "path": "/shared/prices.csv" }), true),
        ("files.read", json!({ "path": "/shared/../people/salaries.csv" }), true),
        ("files.read", json!({ "path": "/people/salaries.csv" }), true),
        ("deploy", json!({ "service": "web", "stage": "production" }), true),
    ]
}
