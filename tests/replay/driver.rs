//! Writes traces to files of a test's own, replays them, and gives what came of it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use hallpass::value::Value;

use crate::command;

/// What a replay printed, and its exit code.
pub(crate) struct Told {
    pub(crate) code: u8,
    pub(crate) answers: String,
    pub(crate) remarks: String,
}

impl Told {
    /// The answer to this line, as a value.
    pub(crate) fn answer(&self, line: usize) -> Value {
        let mut answers = self.answers.lines().map(|answer| Value::from_json(answer).unwrap());
        let found = answers.find(|answer| member(answer, "line") == Some(&Value::from(line)));
        found.unwrap_or_else(|| panic!("no answer to line {line} in {}", self.answers))
    }

    /// The text at this member of the answer to this line.
    pub(crate) fn text(&self, line: usize, name: &str) -> String {
        let answer = self.answer(line);
        let found = member(&answer, name).and_then(Value::as_text);
        found.unwrap_or_else(|| panic!("no text `{name}` in {answer}")).to_owned()
    }
}

fn member<'v>(answer: &'v Value, name: &str) -> Option<&'v Value> {
    answer.as_object().unwrap().get(name)
}

pub(crate) const HEADER: &str = r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}"#;

/// Agents add small numbers, twice in a task; nothing else is permitted.
pub(crate) const POLICY: &str = r#"
version = 1

[[rule]]
id     = "agents-add"
effect = "permit"
who    = { kind = "agent" }
what   = { tool = "add", args = { a = { max = 9 } } }
grant  = { ttl = "5m", uses = 2 }

[[rule]]
id     = "agents-delegate-adding"
effect = "permit"
on     = ["delegate"]
who    = { kind = "agent" }
what   = { tool = "add", args = { a = { max = 9 } } }

[[rule]]
id     = "mail-that-was-read"
effect = "permit"
what   = { tool = "mail.delete", args = { id = { one_of = { ref = "notes.mail.read#id" } } } }

[[rule]]
id     = "mail"
effect = "permit"
what   = { tool = "mail.read", args = "any" }

[[rule]]
id     = "notes-of-a-team"
effect = "permit"
what   = { tool = "note", resource = { type = "page", id = "any", attrs = { team = { same_as = "who.attrs.team" } } } }
"#;

pub(crate) const OPEN: &str = r#"{"op":"open","task":"t","who":"agent-7","purpose":"sums"}"#;
pub(crate) const REQUEST: &str =
    r#"{"op":"request","task":"t","as":"g","scope":[{"tool":"add","args":{"a":{"max":9}}}]}"#;
pub(crate) const CALL: &str = r#"{"op":"call","grant":"g","tool":"add","args":{"a":1}}"#;

/// A folder of this test's own, empty.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Replays these lines after the header, under [`POLICY`].
pub(crate) fn replay(test: &str, lines: &[&str]) -> Told {
    replay_in(&folder(test), lines)
}

/// Replays these lines after the header, under [`POLICY`], with whatever else is in the folder.
pub(crate) fn replay_in(folder: &Path, lines: &[&str]) -> Told {
    fs::write(folder.join("policy.toml"), POLICY).unwrap();
    let lines: Vec<&str> = [HEADER].iter().chain(lines).copied().collect();
    fs::write(folder.join("trace.jsonl"), lines.join("\n")).unwrap();
    replay_files(&folder.join("policy.toml"), &folder.join("trace.jsonl"))
}

pub(crate) fn replay_files(policy: &Path, trace: &Path) -> Told {
    run(&["--policy".into(), policy.into(), trace.into()], false)
}

pub(crate) fn run(arguments: &[OsString], bar: bool) -> Told {
    run_on(arguments, command::Screen { answers: false, bar })
}

pub(crate) fn run_on(arguments: &[OsString], screen: command::Screen) -> Told {
    let (mut answers, mut remarks) = (Vec::new(), Vec::new());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let code = command::run(arguments, &data, &mut answers, &mut remarks, screen);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Told { code, answers: text(answers), remarks: text(remarks) }
}

/// A task with the grant `g`, and then these lines, all of which must be answered as they expect.
pub(crate) fn as_expected(test: &str, lines: &[&str]) -> Told {
    let lines: Vec<&str> = [OPEN, REQUEST].iter().chain(lines).copied().collect();
    let told = replay(test, &lines);
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    told
}
