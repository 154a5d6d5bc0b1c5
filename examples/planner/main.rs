//! A planner and its workers: each worker gets a part of what the planner has, for this errand, and nothing
//! else that it may do in others.
//!
//! ```text
//! cargo run --example planner
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::thread;

use hallpass::prelude::*;
use hallpass::scope::{eq, len, one_of, prefix};
use hallpass::{RunError, Running, assert_nothing_stands};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let broker = Broker::new(Policy::from_toml(include_str!("../data/planner.toml"))?)?;
    let attest = |id: &str| broker.assert_identity(format!("spiffe://acme.test/{id}").as_str());
    let (planner, reader, writer) =
        (attest("planner/1")?, attest("worker/1")?, attest("worker/2")?);
    let now = Context::new();

    let tables = Scope::tool("db.query").arg("table", one_of(["orders", "returns"]));
    let page = Scope::tool("doc.write").arg("path", prefix("reports/")).arg("text", len(..=4000));
    let errand = broker.session(&planner, Purpose::new("report"), tables.and(page.clone()))?;
    let orders = Scope::tool("db.query").arg("table", eq("orders"));
    let reading = errand.delegate(&reader, orders, &now)?;
    let writing = errand.delegate(&writer, page, &now)?;

    let worker = reading.clone();
    let text = thread::spawn(move || query(&worker, "orders")).join().map_err(|_| "panicked")??;
    let written = write(&writing, "reports/july.md", &text)?;
    println!("{written}");
    // A worker may read customers in another errand, and not in this one.
    println!("customers: {}", query(&reading, "customers").unwrap_or_else(|e| e.to_string()));

    let _ = errand.end();
    println!("afterwards: {}", query(&reading, "orders").unwrap_or_else(|e| e.to_string()));
    assert_nothing_stands!(broker);
    Ok(())
}

fn query(session: &Session, table: &str) -> Outcome<String> {
    let call = Call::new("db.query", json!({ "table": table }))?;
    let rows = |running: &Running| {
        running.args().text("table").map(|t| format!("rows of {t}")).ok_or("no table")
    };
    Ok(session.call(call, &Context::new(), rows).map_err(told)?.scrubbed())
}

fn write(session: &Session, path: &str, text: &str) -> Outcome<String> {
    let call = Call::new("doc.write", json!({ "path": path, "text": text }))?;
    let written = |running: &Running| {
        running.args().text("path").map(|p| format!("wrote {p}")).ok_or("no path")
    };
    Ok(session.call(call, &Context::new(), written).map_err(told)?.scrubbed())
}

/// What an agent may be told.
fn told<E>(error: RunError<E>) -> String {
    match error {
        RunError::Denied(denial) => denial.to_string(),
        RunError::Tool(_) => "the tool failed".to_owned(),
    }
}
