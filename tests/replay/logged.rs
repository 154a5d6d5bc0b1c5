//! `--log` and `--key-file`: the log of a replay, on file.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use hallpass::audit::{Event, FileLog, How, Origin, Outcome, explain};
use hallpass::key::{LogKeys, SecretKey};

use crate::driver::{CALL, HEADER, OPEN, POLICY, REQUEST, Told, folder, run};

pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub(crate) const ORIGIN: Origin<'static> = Origin::new("hallpass", "hallpass");

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_base64url(KEY).unwrap())
}

/// Replays these lines into the log `log` of a folder.
fn replay(folder: &Path, lines: &[&str], key: &str) -> Told {
    fs::write(folder.join("policy.toml"), POLICY).unwrap();
    let lines: Vec<&str> = [HEADER].iter().chain(lines).copied().collect();
    fs::write(folder.join("trace.jsonl"), lines.join("\n")).unwrap();
    fs::write(folder.join("key"), key).unwrap();
    let path = |name: &str| OsString::from(folder.join(name));
    let (log, key) = (path("log"), path("key"));
    let policy = path("policy.toml");
    let named = ["--log".into(), log, "--key-file".into(), key, "--policy".into(), policy];
    let arguments: Vec<_> = named.into_iter().chain([path("trace.jsonl")]).collect();
    run(&arguments, false)
}

#[test]
fn the_log_of_a_replay_verifies_and_tells_all_of_it() {
    let folder = folder("logged");
    let kept = r#"{"op":"authorize","grant":"g","tool":"add","args":{"a":2},"as":"p"}"#;
    let run = r#"{"op":"run","permit":"p"}"#;
    let lines = [OPEN, REQUEST, CALL, kept, run];
    let told = replay(&folder, &lines, &format!("{KEY}\n"));
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);

    let mut records = Vec::new();
    let read = FileLog::read_each(folder.join("log"), &keys(), &ORIGIN, None, |record, _| {
        records.push(record.clone());
    });
    let (verified, left) = read.unwrap();
    assert_eq!(verified.without_outcome, Vec::<u64>::new(), "the trace let go of it");
    assert_eq!((left.tasks().count(), left.permits().count()), (0, 0));
    assert!(records.iter().all(|record| !matches!(record.event, Event::Void { .. })));
    let [story] = explain(&records, "t").try_into().unwrap();
    let outcomes = story.calls.iter().map(|call| call.ended.as_ref().unwrap().outcome);
    assert!(outcomes.eq([Outcome::Ok, Outcome::Interrupted]));
    assert_eq!(story.ended.unwrap().how, How::Closed);
    assert_eq!(story.opened.to_string(), "2026-01-01T00:00:00Z");
}

/// Two replays of the same files give the same answers, whether there is a log or not.
#[test]
fn a_log_changes_no_answer() {
    let folder = folder("logged-same");
    let logged = replay(&folder, &[OPEN, REQUEST, CALL], KEY);
    let policy = folder.join("policy.toml");
    let plain = crate::driver::replay_files(&policy, &folder.join("trace.jsonl"));
    assert_eq!((logged.answers, logged.code), (plain.answers, plain.code));
}

#[test]
fn a_folder_that_has_a_log_and_a_key_that_is_none_are_refused() {
    let folder = folder("logged-refused");
    let told = replay(&folder, &[OPEN], KEY);
    assert_eq!(told.code, 0, "{}", told.remarks);
    let before = fs::read(folder.join("log/log-0000000001.jsonl")).unwrap();
    let again = replay(&folder, &[OPEN], KEY);
    assert_eq!(again.code, 2);
    assert!(
        again.remarks.contains("has a log already, expected a new folder"),
        "{}",
        again.remarks
    );
    assert_eq!(fs::read(folder.join("log/log-0000000001.jsonl")).unwrap(), before);

    fs::remove_dir_all(folder.join("log")).unwrap();
    let short = replay(&folder, &[OPEN], "AAECAw");
    assert_eq!(short.code, 2);
    assert!(
        short.remarks.contains("a secret of 4 bytes, expected at least 32"),
        "{}",
        short.remarks
    );
    assert!(!folder.join("log").exists(), "nothing is begun");
}

#[test]
fn a_log_and_its_key_come_together() {
    let [log, key] = [["--log", "x"], ["--key-file", "x"]].map(|named| {
        let arguments = named.iter().chain(&["--policy", "p", "t"]).map(OsString::from);
        run(&arguments.collect::<Vec<_>>(), false)
    });
    assert_eq!((log.code, key.code), (2, 2));
    assert!(log.remarks.starts_with("`--log` needs `--key-file`"), "{}", log.remarks);
    assert!(key.remarks.starts_with("`--key-file` needs `--log`"), "{}", key.remarks);
}
