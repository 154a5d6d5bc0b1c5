//! `hallpass log replay`, run as people run it, on a log that keeps values in plain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(dead_code, reason = "the world has more than this needs")]

mod world;

use std::time::Duration;

use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::max;
use serde_json::json;
use world::{Folder, Ran, hallpass};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const POLICY: &str = r#"version = 1
log = { plain = ["when.env"] }
tool = [{ name = "bank.pay", args = { amount = { type = "number", log = "plain" } } }]
rule = [
  { id = "pay", effect = "permit", what = { tool = "bank.pay", args = { amount = { max = 500 } } } },
  { id = "frozen", effect = "forbid", when = { env = "frozen" } },
]
"#;

/// A log of two payments and one that was forbidden.
fn written() -> Folder {
    let folder = Folder::new();
    folder.write("key", format!("{KEY}\n"));
    folder.write("policy.toml", POLICY);
    folder.write("lower.toml", POLICY.replace("500", "98"));
    let keys = || LogKeys::from_secret(SecretKey::from_base64url(KEY).unwrap());
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    let origin = Origin::new("acme", "payments");
    let log = options.open(folder.path().join("log"), &keys(), &origin).unwrap();
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap());
    let builder = builder.issuer("acme").audience("payments").log_keys(keys());
    let broker = builder.resume_from(&log).build().unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
    let context = |env: &str| Context::new().with("env", env);
    let scope = Scope::tool("bank.pay").arg("amount", max(500));
    let grant = task.request(scope, &context("prod")).unwrap();
    for (amount, env, given) in [(98, "prod", true), (99, "prod", true), (1, "frozen", false)] {
        let call = Call::new("bank.pay", json!({ "amount": amount })).unwrap();
        let answer = broker.gate().authorize(&grant, &payer, call, &context(env));
        assert_eq!(answer.is_ok(), given);
    }
    task.complete();
    broker.close(Duration::from_secs(5));
    folder
}

fn replay(folder: &Folder, args: &[&str]) -> Ran {
    let all = [&["log", "replay", "log", "--key-file", "key"], args].concat();
    hallpass(&all, folder.path())
}

#[test]
fn decisions_come_out_again_and_what_another_policy_would_change_is_named() {
    let folder = written();
    let ran = replay(&folder, &["--policy", "policy.toml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.output.starts_with("4 of 4 decisions of rules were decided again (3 about calls, 1 about what grants give)\n0 came")
    );
    let ran = replay(&folder, &["--under", "lower.toml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = "of bank.pay by payer in bills: permitted by pay, now given by no rule";
    for what in ["request", "call"] {
        assert!(ran.output.contains(&format!("{what} {told}")), "{ran:?}");
    }
    assert!(ran.output.contains("2 came out otherwise"), "{ran:?}");
    let ran = replay(&folder, &["--under", "lower.toml", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(object["differences"][0]["replayed"]["ruled"], "not_covered");
    assert_eq!((&object["replayed"], &object["differing"]), (&json!(4), &json!(2)));
}

#[test]
fn what_can_not_be_decided_again_is_counted_with_why() {
    let folder = written();
    let ran = replay(&folder, &["--policy", "lower.toml"]);
    // Nothing is found, and nothing is known either.
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.output.contains("nothing could be decided again"), "{ran:?}");
    assert!(!ran.output.contains("0 came out otherwise"), "{ran:?}");
    let ran = replay(&folder, &["--policy", "lower.toml", "--json"]);
    assert!(ran.output.contains(r#""verdict":"nothing_replayed""#), "{ran:?}");
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = replay(&folder, &["--policy", "lower.toml"]);
    assert!(ran.output.contains("4 were not decided again: their policy was not given"), "{ran:?}");
    let plain =
        std::fs::read_dir(folder.path().join("log")).unwrap().map(|own| own.unwrap().path());
    for file in plain.filter(|own| own.file_name().unwrap().to_str().unwrap().starts_with("plain-"))
    {
        std::fs::remove_file(file).unwrap();
    }
    let ran = replay(&folder, &["--policy", "policy.toml"]);
    assert!(ran.output.contains("4 were not decided again: a value was erased"), "{ran:?}");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(replay(&folder, &[]).code, 2);
    assert_eq!(replay(&folder, &["--policy", "none.toml"]).code, 2);
}

#[test]
fn a_suggestion_is_a_policy_to_sign_that_keeps_what_was_given() {
    let folder = written();
    let args =
        ["log", "review", "log", "--key-file", "key", "--policy", "policy.toml", "--suggest"];
    let ran = hallpass(&args, folder.path());
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = "# 4 of 4 decisions were decided again under it.\n\
                # It would not have given record 4: request of bank.pay by payer, now given by no rule.\n#";
    assert!(ran.output.starts_with(told), "{ran:?}");
    let amount = "amount = { all = [{ max = 500 }, { min = 98, max = 99 }] }";
    assert!(
        ran.output.contains(amount) && ran.output.contains("from 98, first in record"),
        "{ran:?}"
    );
    folder.write("signed.toml", &ran.output);
    let ran = replay(&folder, &["--under", "signed.toml"]);
    // Who asks for more than was used has to ask for less.
    assert!(ran.output.contains("1 came out otherwise"), "{ran:?}");
    assert!(!ran.output.contains(": call of"), "{ran:?}");
    assert_eq!(hallpass(&["log", "review", "log", "--suggest"], folder.path()).code, 2);
}
