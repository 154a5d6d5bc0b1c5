//! Values next to a log on file.

use std::path::Path;

use hallpass::audit::{Durability, Event, FileLog, Plain, PlainReader, PlainValues, Record};
use hallpass::policy::Tool;
use hallpass::prelude::*;
use hallpass::scope::max;
use hallpass::value::Value;
use serde_json::json;

use super::world::{Folder, ORIGIN, builder_of, keys, options};

const POLICY: &str = r#"
    version = 1

    [log]
    plain = ["who.groups", "when.env", "when.seen"]

    [[tool]]
    name = "bank.pay"
    args = { to = { type = "text", log = "plain" }, amount = { type = "number", log = "plain" }, memo = "text?" }

    [[rule]]
    id     = "payers-pay-bills"
    effect = "permit"
    who    = { id = { prefix = "agent-" } }
    what   = { tool = "bank.pay", args = { to = "any", amount = { max = 500 }, memo = "any" } }
"#;

/// One permitted call and one that rules refuse, by a broker that goes on with the log in the folder.
fn use_it(folder: &Path, durability: Durability) {
    let log = options(durability).rotate_at(4096).open(folder, &keys(), &ORIGIN).unwrap();
    let policy = Policy::from_toml(POLICY).unwrap();
    let broker = builder_of(policy).log_keys(keys()).resume_from(&log).build().unwrap();
    let who = broker.assert_identity(Assertion::agent("agent-7").group("payers")).unwrap();
    let task = broker.open(&who, Purpose::new("pay-bill")).unwrap();
    let scope = Scope::tool("bank.pay").any_args();
    let grant = match task.request(scope, &Context::new()) {
        Ok(grant) => grant,
        Err(_) => {
            let scope = Scope::tool("bank.pay").arg("to", hallpass::scope::any());
            let scope = scope.arg("amount", max(500)).arg("memo", hallpass::scope::any());
            task.request(scope, &Context::new()).unwrap()
        }
    };
    let context = Context::new().with("env", "prod");
    for amount in [98, 97] {
        let call = json!({ "to": "CH93 0076", "amount": amount, "memo": "thanks" });
        let call = Call::new("bank.pay", call).unwrap();
        let _ = broker.gate().authorize(&grant, &who, call, &context).unwrap();
    }
    task.complete();
    broker.close(std::time::Duration::from_secs(5));
}

/// The records with plain values, and what there is of them.
fn plain_of(folder: &Path) -> Vec<(Record, Plain<'static>, PlainValues)> {
    let mut reader = PlainReader::open(folder).unwrap();
    let mut found = Vec::new();
    let each = |record: &Record, _| {
        if let Event::Permitted { plain: Some(plain), .. } = &record.event {
            let values = plain.open(reader.line(record.seq).unwrap().as_deref());
            found.push((record.clone(), (**plain).clone(), values));
        }
    };
    FileLog::read_each(folder, &keys(), &ORIGIN, None, each).unwrap();
    found
}

fn files(folder: &Path, prefix: &str) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
        .collect();
    files.sort();
    files
}

#[test]
fn listed_values_stand_next_to_the_log_and_not_in_it_over_files_and_lives() {
    for durability in [Durability::Buffered, Durability::Flushed, Durability::Synced] {
        let folder = Folder::new();
        for _ in 0..4 {
            use_it(folder.path(), durability);
        }
        let all = plain_of(folder.path());
        assert_eq!(all.len(), 8, "{durability:?}");
        for (at, (record, plain, values)) in all.iter().enumerate() {
            let amount = Value::from(98 - at as i64 % 2);
            assert_eq!(values.values["args.amount"], amount, "{durability:?}: {record:?}");
            assert_eq!(values.values["args.to"], Value::from("CH93 0076"));
            assert_eq!(values.values["when.env"], Value::from("prod"));
            assert_eq!(values.values["who.groups"], Value::from(vec![Value::from("payers")]));
            assert!(values.erased.is_empty() && values.changed.is_empty());
            assert_eq!((plain.other_args, plain.digest_only.len()), (1, 0));
            // No rule of this policy looks at history, so none is kept.
            assert!(!plain.values.contains_key("when.seen") && plain.absent.is_empty());
        }
        for file in files(folder.path(), "log-") {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(!text.contains("CH93") && !text.contains("thanks"), "{durability:?}");
        }
        assert!(files(folder.path(), "plain-").len() >= 4);
    }
}

#[test]
fn what_is_erased_is_gone_and_the_log_goes_on_and_verifies() {
    let folder = Folder::new();
    use_it(folder.path(), Durability::Flushed);
    use_it(folder.path(), Durability::Flushed);
    // Those with values of calls: grants have theirs, too.
    let mut plain = files(folder.path(), "plain-");
    plain.retain(|own| std::fs::read_to_string(own).unwrap().contains("args.to"));
    std::fs::remove_file(&plain[0]).unwrap();
    let text = std::fs::read_to_string(&plain[1]).unwrap();
    // One value of one record, and the other record's line is changed and cut.
    let at = text.find("args.to").unwrap();
    let (before, calls) = text.split_at(text[..at].rfind('\n').map_or(0, |end| end + 1));
    let (first, second) = calls.split_once('\n').unwrap();
    let mut line: serde_json::Value = serde_json::from_str(first).unwrap();
    line["plain"].as_object_mut().unwrap().remove("args.to");
    // By its name: the salts are random text, in which any two digits may stand.
    let mut second: serde_json::Value = serde_json::from_str(second.trim_end()).unwrap();
    let amount = &mut second["plain"]["args.amount"]["value"];
    assert_eq!(*amount, json!(97));
    *amount = json!(96);
    std::fs::write(&plain[1], format!("{before}{line}\n{second}\n{{\"seq\":99,\"pl")).unwrap();

    let all = plain_of(folder.path());
    let states: Vec<_> = all
        .iter()
        .map(|(_, _, own)| (own.values.len(), own.erased.len(), own.changed.join(" ")))
        .collect();
    let none = String::new;
    assert_eq!(
        states,
        [(0, 4, none()), (0, 4, none()), (3, 1, none()), (3, 0, "args.amount".into())]
    );
    use_it(folder.path(), Durability::Flushed);
    assert_eq!(plain_of(folder.path()).len(), 6);
}

#[test]
fn a_log_that_may_take_so_many_bytes_counts_those_next_to_it() {
    let folder = Folder::new();
    use_it(folder.path(), Durability::Flushed);
    let bytes = |prefix| -> u64 {
        files(folder.path(), prefix).iter().map(|own| own.metadata().unwrap().len()).sum()
    };
    let when_full = hallpass::audit::WhenFull::StopAt {
        bytes: bytes("log-") + bytes("plain-") + 300,
        kept_for_ends: 200,
    };
    let log = FileLog::options(Durability::Flushed, when_full);
    let log = log.open(folder.path(), &keys(), &ORIGIN).unwrap();
    let policy = Policy::builder().tool(Tool::new("bank.pay").log_plain("to")).build().unwrap();
    let broker = builder_of(policy).log_keys(keys()).resume_from(&log).build().unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    assert!(broker.open(&who, Purpose::new("pay-bill")).is_err());
}
