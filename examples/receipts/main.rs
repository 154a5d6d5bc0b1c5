//! A payment, and what a stranger can check of it: the log's checkpoint, and the receipt of one record.
//!
//! `cargo run --example receipts`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use hallpass::audit::{
    Durability, FileLog, LogSigner, Origin, Receipt, SignedCheckpoint, WhenFull,
};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::max;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("hallpass-example-{}", std::process::id()));
    let done = pay_and_prove(&folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn pay_and_prove(folder: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let policy = Policy::from_toml(
        r#"
        version = 1
        [[rule]]
        id     = "payers-pay-bills"
        effect = "permit"
        what   = { tool = "bank.pay", args = { amount = { max = 500 } } }
        "#,
    )?;
    // Two secrets: who has the one can't write what the other confirms.
    let (keys, signer) = (LogKeys::generate()?, LogSigner::from_secret(SecretKey::generate()?));
    let log = FileLog::options(Durability::Flushed, WhenFull::Owe).checkpoints(signer).open(
        folder,
        &keys,
        &Origin::new("acme", "payments"),
    )?;
    let builder = Broker::builder(policy).issuer("acme").audience("payments");
    let broker = builder.log_keys(keys).resume_from(&log).build()?;

    let agent = broker.assert_identity("agent-7")?;
    let task = broker.open(&agent, Purpose::new("pay-bill").ticket("INV-1203"))?;
    let scope = Scope::tool("bank.pay").arg("amount", max(500));
    let grant = task.request(scope, &Context::new())?;
    let call = Call::new("bank.pay", json!({ "amount": 98 }))?;
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new())?;
    let paid = permit.number();
    permit.run(|_| Ok::<_, String>(()))?;
    task.complete();
    broker.close(Duration::from_secs(1));

    // Published once, by the log's owner.
    let key = log.verifier_key().ok_or("the log has begun")?;
    println!("the log's public key: {key}\n");
    let checkpoint = log.checkpoint()?.to_string();
    println!("{checkpoint}");
    let receipt = FileLog::receipts(folder, &key, &[paid])?.remove(0).to_string();

    // A stranger, with the key and what was handed over, and no secret.
    let seen = SignedCheckpoint::verify(&checkpoint, &key)?;
    let receipt = Receipt::verify(&receipt, &key)?;
    println!("proved: {}", receipt.line());
    // An auditor, with the log's files.
    let found = FileLog::examine_public(folder, &key, &[seen], |_, _| {})?;
    println!("records 1 to {} are the ones that the checkpoint has seen", found.covered);
    Ok(())
}
