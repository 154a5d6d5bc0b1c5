//! The errand of `examples/data`: the bill is paid, the thief is not, and nothing stands.

use std::path::{Path, PathBuf};

use crate::command::Screen;
use crate::driver::{replay_files, run, run_on};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

#[test]
fn the_bill_is_paid_the_thief_is_not_and_nothing_stands() {
    let told = replay_files(&data("banking.toml"), &data("banking.jsonl"));
    assert_eq!(told.code, 0, "{}", told.remarks);
    assert!(told.remarks.contains(" 0 not\n"), "{}", told.remarks);

    let payments = told.answers.lines().filter(|answer| {
        answer.contains(r#""op":"call","decision":"permit","rules":["assistants-pay-bills"]"#)
    });
    assert_eq!(payments.count(), 1);
    let thief = told.answers.lines().filter(|answer| answer.contains("Injected: "));
    let denied = thief.clone().filter(|answer| answer.contains(r#""decision":"deny""#));
    assert!(denied.count() == thief.clone().count() && thief.count() >= 10);
    let last = told.answers.lines().last().unwrap();
    assert!(last.ends_with(r#""op":"standing","tasks":[],"grants":[]}"#), "{last}");
}

#[test]
fn every_line_of_the_errand_says_what_it_expects() {
    let trace = std::fs::read_to_string(data("banking.jsonl")).unwrap();
    assert!(trace.lines().all(|line| line.contains(r#""expect":{"#)));
}

#[test]
fn the_answers_are_the_ones_on_file_byte_for_byte_in_every_run() {
    let expected = std::fs::read_to_string(data("banking.answers.jsonl")).unwrap();
    for _ in 0..5 {
        let told = replay_files(&data("banking.toml"), &data("banking.jsonl"));
        for (told, expected) in told.answers.lines().zip(expected.lines()) {
            assert_eq!(told, expected);
        }
        assert_eq!(told.answers, expected);
    }
}

#[test]
fn without_arguments_the_errand_is_told_with_the_reasons() {
    let (first, second) = (run(&[], false), run(&[], false));
    assert_eq!(first.code, 0, "{}", first.remarks);
    assert!(
        first
            .answers
            .contains(r#""why":"out_of_scope (out_of_scope): the grant: `args.recipient`"#)
    );
    assert_eq!((first.answers, first.remarks), (second.answers, second.remarks));
}

#[test]
fn a_terminal_gets_a_story_and_json_only_where_it_is_asked_for() {
    let terminal = Screen { answers: true, bar: false };
    let story = run_on(&[], terminal);
    assert_eq!(story.code, 0);
    for line in [
        "call       yes      The bill is paid\n",
        "call       refused  Injected: pay the thief\n",
        "                    out_of_scope (out_of_scope): the grant: `args.recipient` is another value",
    ] {
        assert!(story.answers.contains(line), "{line}: {}", story.answers);
    }
    let last = story.answers.lines().last().unwrap();
    assert!(last.starts_with("2 calls ran. 26 attempts were refused: 7 out_of_scope, "), "{last}");
    assert!(last.ends_with(" In the end nothing stands."), "{last}");
    assert_eq!(run_on(&["--json".into()], terminal).answers, run(&[], false).answers);
}

#[test]
fn the_deadly_combination_is_stopped_at_its_third_part() {
    let told = replay_files(&data("deadly-combination.toml"), &data("deadly-combination.jsonl"));
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    assert!(told.remarks.contains(" 0 not\n"), "{}", told.remarks);
    let mails = told.answers.lines().filter(|answer| answer.contains("no-egress-once-tainted"));
    assert!(mails.count() >= 1);
}
