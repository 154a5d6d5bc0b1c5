//! `hallpass log`, run as people run it, on logs that brokers wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod public_key;
mod schemas;
mod settled;
mod several;
mod watch;

use std::time::Duration;

use hallpass::audit::{Durability, FileLog, LogSigner, Origin, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::max;
use serde_json::{Value, json};
use world::{Folder, Ran, hallpass};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const OTHER: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const POLICY: &str = r#"version = 1
rule = [
  { id = "pay", effect = "permit", what = { tool = "bank.pay", args = { amount = { max = 500 } } } },
  { id = "read", effect = "permit", what = { tool = "bank.read", args = "any" } },
  { id = "rob", effect = "permit", what = { tool = "bank.rob", args = "any" } },
]
"#;

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_base64url(KEY).unwrap())
}

/// A log of three payments and two files in the folder `log`, and its keys and policy next to it.
fn written(durability: Durability) -> Folder {
    let folder = Folder::new();
    folder.write("key", format!("{KEY}\n"));
    folder.write("other", OTHER);
    folder.write("policy.toml", POLICY);
    let signer =
        LogSigner::from_secret(SecretKey::from_bytes(&(64..96).collect::<Vec<u8>>()).unwrap());
    let options = FileLog::options(durability, WhenFull::Owe).rotate_at(4096).checkpoints(signer);
    let origin = Origin::new("acme", "payments");
    let log = options.open(folder.path().join("log"), &keys(), &origin).unwrap();
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap());
    let pinned = log.clone();
    let builder = builder.issuer("acme").audience("payments").log_keys(keys());
    let broker = builder.resume_from(&log).build().unwrap();
    let payer = broker.assert_identity(
        Assertion::agent("payer").acts_for("ada", hallpass::identity::Kind::Human),
    );
    let payer = payer.unwrap();
    let purpose = Purpose::new("pay-bill").ticket("INV-1").intent("</td><script>alert(1)</script>");
    let task = broker.open_named("bills", &payer, purpose).unwrap();
    let scope = Scope::tool("bank.pay").arg("amount", max(500)).and_tool("bank.read").any_args();
    let grant = task.request(scope, &Context::new()).unwrap();
    let gate = broker.gate();
    let pay = |amount: u64| {
        let call = Call::new("bank.pay", json!({ "amount": amount })).unwrap();
        gate.authorize(&grant, &payer, call, &Context::new())
    };
    for amount in 1..=3 {
        pay(amount).unwrap().run(|_| Ok::<_, String>(())).unwrap();
    }
    assert!(pay(501).is_err());
    task.complete();
    for _ in 0..10 {
        broker.open(&payer, Purpose::new("nothing")).unwrap().complete();
    }
    broker.close(Duration::from_secs(5));
    folder.write("vkey", pinned.verifier_key().unwrap().to_string());
    folder.write("seen", pinned.checkpoint().unwrap().to_string());
    folder
}

fn log(args: &[&str], folder: &Folder) -> Ran {
    hallpass(&[&["log"], args].concat(), folder.path())
}

fn object(ran: &Ran) -> Value {
    serde_json::from_str(&ran.output).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// Writes another text in the place of the first one that is found in the log.
fn change(folder: &Folder, file: &str, from: &str, to: &str) {
    let text = folder.read(file);
    assert!(text.contains(from), "{text}");
    folder.write(file, text.replacen(from, to, 1));
}

const FIRST: &str = "log/log-0000000001.jsonl";

#[test]
fn a_log_as_it_was_written_is_intact_and_lawful_and_complete_up_to_its_anchor() {
    let folder = written(Durability::Flushed);
    let ran = log(&["verify", "log", "--key-file", "key"], &folder);
    assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
    assert!(ran.output.starts_with("intact    yes: 32 records"), "{ran:?}");
    assert!(ran.output.contains("complete  not known: no anchor was given"), "{ran:?}");
    assert!(ran.output.contains("lawful    yes"), "{ran:?}");
    assert!(ran.output.contains("of issuer \"acme\", audience \"payments\""), "{ran:?}");
    let anchor = ran.output.lines().last().unwrap().strip_prefix("anchor    ").unwrap().to_owned();
    // One of its files names it as well.
    let ran = log(&["verify", FIRST, "--key-file", "key", "--anchor", &anchor, "--json"], &folder);
    let told = object(&ran);
    assert_eq!((ran.code, &told["intact"], &told["lawful"]), (0, &json!(true), &json!(true)));
    assert_eq!((&told["complete"], &told["records"]), (&json!({ "up_to": 32 }), &json!(32)));
    assert_eq!(anchor, format!("{}:{}", told["seq"], told["tag"].as_str().unwrap()));
}

/// attacks 130, 131, 181, 182 and 184
#[test]
fn whatever_is_done_to_a_log_is_named_and_is_an_exit_code() {
    let anchor = {
        let folder = written(Durability::Flushed);
        let told = object(&log(&["verify", "log", "--key-file", "key", "--json"], &folder));
        format!("{}:{}", told["seq"], told["tag"].as_str().unwrap())
    };
    let verify = ["verify", "log", "--key-file", "key"];
    let refused = |folder: &Folder, args: &[&str], why: &str| {
        let ran = log(&[&verify, args].concat(), folder);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.output.starts_with("intact    NO") && ran.output.contains(why), "{ran:?}");
        let ran = log(&[&verify, args, &["--json"]].concat(), folder);
        let told = object(&ran);
        assert_eq!((ran.code, &told["intact"], &told["lawful"]), (1, &json!(false), &Value::Null));
        assert!(told["fault"].as_str().unwrap().contains(why), "{ran:?}");
    };
    let folder = written(Durability::Flushed);
    change(&folder, FIRST, "bank.pay", "bank.say");
    refused(&folder, &[], "it was changed or put in");
    let folder = written(Durability::Flushed);
    let text = folder.read(FIRST);
    let without: Vec<_> =
        text.lines().enumerate().filter(|(at, _)| *at != 4).map(|(_, own)| own).collect();
    folder.write(FIRST, without.join("\n") + "\n");
    refused(&folder, &[], "record 4 is missing");
    let folder = written(Durability::Flushed);
    std::fs::remove_file(folder.path().join(FIRST)).unwrap();
    assert_eq!(log(&verify, &folder).code, 2, "not a log any more");
    // Another log of the same broker, under the same key: the right number and another hash.
    refused(&written(Durability::Flushed), &["--anchor", &anchor], "the log was rebuilt");
    let folder = written(Durability::Flushed);
    let own = object(&log(&["verify", "log", "--key-file", "key", "--json"], &folder));
    let own = format!("{}:{}", own["seq"], own["tag"].as_str().unwrap());
    let text = folder.read("log/log-0000000002.jsonl");
    let cut: Vec<_> = text.lines().collect();
    folder.write("log/log-0000000002.jsonl", cut[..cut.len() - 1].join("\n") + "\n");
    assert_eq!(log(&verify, &folder).code, 0, "without an anchor, that is not known");
    refused(&folder, &["--anchor", &own], "the log was cut");
    refused(&written(Durability::Flushed), &["--audience", "other"], "another issuer or audience");
    let folder = written(Durability::Flushed);
    folder.write("key", OTHER);
    refused(&folder, &[], "none of the keys given");
}

#[test]
fn without_its_key_a_log_is_told_with_a_warning_and_never_said_to_be_intact() {
    let folder = written(Durability::Flushed);
    let ran = log(&["verify", "log"], &folder);
    assert_eq!(ran.code, 2);
    assert!(ran.output.starts_with("intact    not known: no key was given"), "{ran:?}");
    for args in
        [&["explain", "log", "bills"][..], &["review", "log"], &["timeline", "log", "bills"]]
    {
        let ran = log(args, &folder);
        assert_eq!(
            (ran.code, &*ran.errors),
            (0, "warning: not verified: no key was given (--key-file)\n")
        );
        let ran = log(&[args, &["--key-file", "key"]].concat(), &folder);
        assert_eq!((ran.code, &*ran.errors), (0, ""));
    }
}

#[test]
fn a_log_a_key_or_an_anchor_that_is_none_is_an_error_of_who_asks() {
    let folder = written(Durability::Flushed);
    folder.write("short", "AAECAw");
    folder.write("words", "correct horse battery staple");
    let cases: [(&[&str], &str); 6] = [
        (&["verify", "absent", "--key-file", "key"], "absent: has no record of a log"),
        (&["verify", "log", "--key-file", "absent"], "absent: can't be read"),
        (
            &["verify", "log", "--key-file", "short"],
            "short: a secret of 4 bytes, expected at least 32",
        ),
        (&["verify", "log", "--key-file", "words"], "words: a secret that is not base64url"),
        (
            &["verify", "log", "--key-file", "key", "--anchor", "13"],
            "expected the number of a record",
        ),
        (&["explain", "log", "other", "--key-file", "key"], "no task `other` was opened"),
    ];
    for (args, problem) in cases {
        let ran = log(args, &folder);
        assert_eq!((ran.code, &*ran.output), (2, ""), "{ran:?}");
        assert!(ran.errors.contains(problem), "{ran:?}");
    }
}

#[test]
fn a_task_is_explained_by_name_or_by_one_of_its_records() {
    let folder = written(Durability::Flushed);
    let ran = log(&["explain", "log", "bills", "--key-file", "key"], &folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in [
        "agent `payer`, acting for `ada`, opened task `bills`, for the purpose `pay-bill`, ticket `INV-1`",
        "was granted `bank.pay`, `bank.read` by rules `pay`, `read`",
        "may call `bank.pay` by rule `pay`",
        "denied at the stage `call`, for `out_of_scope`",
        "the task ended: completed",
    ] {
        assert!(ran.output.contains(said), "{said}: {ran:?}");
    }
    let by_record = log(&["explain", "log", "--permit", "5", "--key-file", "key"], &folder);
    assert_eq!(by_record, ran);
    let told = object(&log(&["explain", "log", "bills", "--key-file", "key", "--json"], &folder));
    assert_eq!((&told["who"], &told["acts_for"]), (&json!("payer"), &json!(["ada"])));
    assert_eq!(told["calls"].as_array().unwrap().len(), 3);
    let none = log(&["explain", "log", "--permit", "1", "--key-file", "key"], &folder);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.errors.contains("record 1 is not about a task"), "{none:?}");
}

/// What stands before the change was written so; nothing after it is told.
#[test]
fn of_a_changed_log_only_what_comes_before_is_told() {
    let folder = written(Durability::Flushed);
    change(&folder, FIRST, "bank.pay\",\"args\":\"", "bank.say\",\"args\":\"");
    let ran = log(&["explain", "log", "bills", "--key-file", "key"], &folder);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.output.contains("was granted") && !ran.output.contains("may call"), "{ran:?}");
    assert!(ran.errors.starts_with("error: the log is not intact"), "{ran:?}");
    assert_eq!(log(&["review", "log", "--key-file", "key"], &folder).code, 1);
}

#[test]
fn the_review_names_what_was_never_used_and_rules_that_decided_nothing() {
    let folder = written(Durability::Flushed);
    let args = ["review", "log", "--key-file", "key", "--policy", "policy.toml"];
    let ran = log(&args, &folder);
    assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
    assert!(
        ran.output
            .contains("granted and never used\n  payer, bank.read: first granted in record 4\n")
    );
    assert!(ran.output.contains("rules that decided nothing\n  rob\n"), "{ran:?}");
    assert!(ran.output.contains("1 out_of_scope: payer, bank.pay"), "{ran:?}");
    let told = object(&log(&[&args[..], &["--json"]].concat(), &folder));
    assert_eq!(told["never_fired"], json!(["rob"]));
    assert_eq!(told["review"]["left_out"], 0);
    let pay = &told["review"]["tools"][0];
    assert_eq!((&pay["tool"], &pay["calls"]), (&json!("bank.pay"), &json!(3)));
}

/// attack 134: what an agent wrote is in the page as text, and the page asks for nothing
#[test]
fn the_timeline_is_one_page_that_runs_nothing_and_needs_nothing() {
    let folder = written(Durability::Flushed);
    let ran =
        log(&["timeline", "log", "bills", "--key-file", "key", "--out", "bills.html"], &folder);
    assert_eq!((ran.code, &*ran.output, &*ran.errors), (0, "", ""));
    let page = folder.read("bills.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"), "{page}");
    for outside in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<rect class=\"ok\"").count(), 3);
    assert_eq!(page.matches("<rect class=\"grant\"").count(), 1);
    assert!(page.contains("#5 bank.pay, by pay: ok"), "{page}");
    let printed = log(&["timeline", "log", "bills", "--key-file", "key"], &folder);
    assert_eq!(printed.output, page);
}

#[test]
fn nothing_is_coloured_where_no_terminal_reads() {
    let folder = written(Durability::Synced);
    let ran = log(&["verify", "log", "--key-file", "key"], &folder);
    assert!(!ran.output.contains('\x1b') && !ran.errors.contains('\x1b'));
}

#[test]
fn every_record_is_exported_in_the_form_that_is_asked_for_and_none_after_a_fault() {
    let folder = written(Durability::Flushed);
    let args = ["export", "log", "--key-file", "key", "--form"];
    for (form, member) in [("cloudevents", "data"), ("ocsf", "raw_data")] {
        let ran = log(&[&args[..], &[form]].concat(), &folder);
        assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
        let events: Vec<Value> =
            ran.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 32);
        assert!(events.iter().all(|event| event.get(member).is_some()), "{form}");
    }
    change(&folder, FIRST, "bank.pay\",\"args\":\"", "bank.say\",\"args\":\"");
    let ran = log(&[&args[..], &["ocsf"]].concat(), &folder);
    assert_eq!((ran.code, ran.output.lines().count()), (1, 4), "{ran:?}");
}
