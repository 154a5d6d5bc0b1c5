//! The worked traces of `examples/data`: each line says what it expects, and is answered so.

use std::path::{Path, PathBuf};

use crate::driver::{Told, replay_files};

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

/// Replays a story twice: as it expects, alike, and with every rule having its part in it.
fn story(name: &str) -> Told {
    under(name, name)
}

/// The same of a story under a policy of another name.
fn under(policy: &str, name: &str) -> Told {
    let trace = data(&format!("{name}.jsonl"));
    let lines = std::fs::read_to_string(&trace).unwrap();
    assert!(lines.lines().all(|line| line.contains(r#""expect":{"#)));
    let [first, second] = [(); 2].map(|()| replay_files(&data(&format!("{policy}.toml")), &trace));
    assert_eq!(first.code, 0, "{}", first.remarks);
    assert!(first.remarks.contains(" 0 not\n"), "{}", first.remarks);
    assert!(first.remarks.contains("rules that never fired: 0"), "{}", first.remarks);
    assert_eq!(first.answers, second.answers);
    let last = first.answers.lines().rev().find(|answer| answer.contains(r#""op":"standing""#));
    assert!(last.unwrap().ends_with(r#""tasks":[],"grants":[]}"#), "nothing stands at the end");
    first
}

/// How many answers contain all of this.
fn count(told: &Told, parts: &[&str]) -> usize {
    told.answers.lines().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

/// attacks 46, 91
#[test]
fn once_strangers_words_and_private_data_were_read_nothing_leaves_no_matter_who_read_them() {
    let told = story("trifecta");
    let injected = count(&told, &["Injected"]);
    assert!(injected >= 5);
    assert_eq!(count(&told, &["Injected", r#""decision":"deny""#]), injected);
    assert_eq!(count(&told, &["no-egress-once-tainted"]), 8);
}

#[test]
fn a_delegate_never_has_more_than_the_one_above_and_ends_with_it() {
    let told = story("delegation");
    assert_eq!(count(&told, &[r#""op":"call","decision":"permit""#]), 3);
    assert_eq!(count(&told, &[r#""op":"call""#, r#""reason":"revoked""#]), 2);
}

#[test]
fn a_freeze_is_previewed_and_then_ends_what_it_said_it_would() {
    let told = story("reload");
    let drifted = r#""drifted":[{"grant":"restarts","reason":"forbidden","rules":["freeze"]}]"#;
    assert_eq!(count(&told, &[r#""op":"preview""#, drifted]), 1);
    assert_eq!(count(&told, &[r#""op":"reload""#, drifted]), 1);
}

#[test]
fn a_login_is_made_for_each_task_and_gone_with_it() {
    let told = under("credentials", "db-session");
    assert_eq!(count(&told, &[r#""op":"tend""#, r#""withdrawn":1,"gone":1,"owed":0"#]), 2);
}

/// attack 176
#[test]
fn a_withdrawal_that_fails_for_an_hour_is_owed_for_an_hour_and_stops_no_other_task() {
    let told = under("credentials", "withdrawal-outage");
    assert_eq!(count(&told, &[r#""op":"call","decision":"permit""#]), 2);
    assert_eq!(count(&told, &[r#""op":"tend","withdrawn":0,"gone":0"#]), 4);
}
