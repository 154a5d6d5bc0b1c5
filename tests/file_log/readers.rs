//! The format is specified well enough for another language: `format.py` reads nothing but the page
//! `docs/log-format.md` says, with the standard library alone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog};
use hallpass::value::Value;

use super::world::{Folder, ORIGIN, keys, open, pay};

/// The secret of [`keys`].
const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The lines of the vector of the page.
pub(crate) fn vector() -> &'static str {
    let page = include_str!("../../docs/log-format.md");
    let (_, rest) = page.split_once("<!-- vector -->\n```text\n").unwrap();
    rest.split_once("```\n").unwrap().0
}

/// What the script says of a log, or why it refuses it. `None` where there is no Python.
fn script(folder: &Path) -> Option<Result<Value, String>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/file_log/format.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(folder)
        .args([SECRET, ORIGIN.issuer(), ORIGIN.audience()])
        .output();
    let Ok(output) = output else {
        println!("skipped: there is no python3");
        return None;
    };
    Some(match output.status.success() {
        true => Ok(Value::from_json(str::from_utf8(&output.stdout).unwrap()).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    })
}

#[test]
fn the_vector_verifies_here_and_in_another_language() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("log-0000000001.jsonl"), vector()).unwrap();
    let (verified, _) = FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
    let said = |json: &str, anchor: hallpass::audit::Anchor| {
        json.contains(&format!("\"seq\":{}", anchor.seq)) && json.contains(&anchor.tag.to_string())
    };
    if let Some(read) = script(folder.path()) {
        let json = read.unwrap().to_json();
        assert!(said(&json, verified.anchor), "{json}");
    }
    // Every character of it but the last end of a line says something.
    let text = vector();
    for (at, character) in text.char_indices().step_by(17) {
        let other = if character == '0' { '1' } else { '0' };
        let mut changed = text.to_owned();
        changed.replace_range(at..=at, &other.to_string());
        std::fs::write(folder.path().join("log-0000000001.jsonl"), &changed).unwrap();
        let read = FileLog::read(folder.path(), &keys(), &ORIGIN, None);
        assert!(read.is_err(), "character {at}");
    }
}

#[test]
fn a_script_in_another_language_verifies_a_log_of_several_files_and_lives() {
    let folder = Folder::new();
    for life in 0..3 {
        let broker = open(folder.path(), Durability::Flushed).unwrap();
        (0..20).for_each(|_| _ = pay(&broker).0.complete());
        assert_eq!(broker.flush(), 0);
        if life == 0 {
            broker.close(Duration::from_secs(5));
        }
    }
    let (verified, _) = FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
    let Some(read) = script(folder.path()) else { return };
    let json = read.unwrap().to_json();
    assert!(json.contains(&verified.anchor.tag.to_string()), "{json}");
    assert!(json.contains("\"void\"") && json.contains("\"reopened\""), "{json}");
    assert!(!json.contains("\"files\":1,"), "{json}");

    let second = folder.path().join("log-0000000002.jsonl");
    let text = std::fs::read_to_string(&second).unwrap();
    std::fs::write(&second, text.replacen("bank.pay", "bank.say", 1)).unwrap();
    let refused = script(folder.path()).unwrap().unwrap_err();
    assert!(refused.contains("changed"), "{refused}");
    std::fs::remove_file(&second).unwrap();
    let refused = script(folder.path()).unwrap().unwrap_err();
    assert!(refused.contains("file 2 is missing"), "{refused}");
}
