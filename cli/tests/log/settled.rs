//! What closes a task is shown to others once nothing of it is left.

use hallpass::audit::{Durability, FileLog, LogSigner, Origin, WhenFull};
use hallpass::key::SecretKey;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::Folder;
use crate::{KEY, POLICY, keys, log, object};

#[test]
fn the_receipt_of_a_task_is_that_of_the_record_after_which_nothing_is_left() {
    let folder = Folder::new();
    folder.write("key", format!("{KEY}\n"));
    let signer =
        LogSigner::from_secret(SecretKey::from_bytes(&(64..96).collect::<Vec<u8>>()).unwrap());
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe).checkpoints(signer);
    let file =
        options.open(folder.path().join("log"), &keys(), &Origin::new("acme", "payments")).unwrap();
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap());
    let builder = builder.issuer("acme").audience("payments").log_keys(keys());
    let broker = builder.resume_from(&file).build().unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
    let scope = Scope::tool("bank.pay").arg("amount", hallpass::scope::max(500));
    let grant = task.request(scope, &Context::new()).unwrap();
    let call = Call::new("bank.pay", json!({ "amount": 98 })).unwrap();
    let permit = broker.gate().authorize(&grant, &payer, call, &Context::new()).unwrap();
    let running = permit.start().unwrap();
    let generation = task.generation();
    task.complete();
    broker.flush();
    file.checkpoint().unwrap();
    let vkey = file.verifier_key().unwrap().to_string();
    let make = ["receipt", "log", "--log-vkey", &vkey, "--task", "bills", "--out", "proof"];
    let ran = log(&make, &folder);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.errors.contains("task `bills` has ended and is not settled"), "{ran:?}");
    let verify = ["verify", "log", "--key-file", "key"];
    let told = log(&verify, &folder).output;
    let line = format!("unsettled 1 ended tasks of which something is left: {generation}\n");
    assert!(told.contains(&line), "{told}");
    running.succeed();
    broker.flush();
    file.checkpoint().unwrap();
    let ran = log(&make, &folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = object(&log(&["check-receipt", "proof", "--log-vkey", &vkey, "--json"], &folder));
    assert_eq!(told["record"]["kind"], "settled");
    assert_eq!(told["record"]["generation"], generation);
    let told = object(&log(&[&verify[..], &["--json"]].concat(), &folder));
    assert_eq!(told["unsettled"], json!([]));
    let told = log(&["explain", "log", "bills", "--key-file", "key"], &folder).output;
    assert!(told.contains("the task was settled: no call of it runs"), "{told}");
}
