//! A log that is watched while a broker writes it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::{Durability, FileLog, Origin, Record, WhenFull};
use hallpass::prelude::*;
use hallpass::scope::max;
use serde_json::{Value, json};

use crate::world::{Folder, Ran};
use crate::{FIRST, KEY, keys, log, object, written};

const POLICY: &str = r#"version = 1
rule = [
  { id = "pay", effect = "permit", what = { tool = "bank.pay", args = { amount = { max = 500 } } } },
  { id = "wipe", effect = "permit", what = { tool = "db.wipe", args = "any" } },
  { id = "four-eyes", effect = "ask", what = { tool = "db.wipe" }, approval = { review = [{ groups = { has_any = ["owners"] } }], per = "call" } },
]
"#;

/// A broker that writes a log, of which each file has a few records.
pub(crate) struct Writing {
    pub(crate) folder: Folder,
    pub(crate) broker: Broker,
    pub(crate) payer: Identity,
}

impl Writing {
    pub(crate) fn begin() -> Self {
        let folder = Folder::new();
        folder.write("key", format!("{KEY}\n"));
        folder.write("policy.toml", POLICY);
        let options = FileLog::options(Durability::Flushed, WhenFull::Owe).rotate_at(4096);
        let origin = Origin::new("acme", "payments");
        let log = options.open(folder.path().join("log"), &keys(), &origin).unwrap();
        let builder = Broker::builder(Policy::from_toml(POLICY).unwrap());
        let builder = builder.issuer("acme").audience("payments").log_keys(keys());
        let broker = builder.resume_from(&log).build().unwrap();
        let human = hallpass::identity::Kind::Human;
        let payer = broker.assert_identity(Assertion::agent("payer").acts_for("ada", human));
        Writing { folder, payer: payer.unwrap(), broker }
    }

    /// An open task with a grant.
    pub(crate) fn open(&self, intent: &str) -> (Task, Grant) {
        let purpose = Purpose::new("pay-bill").ticket("INV-1").intent(intent);
        let task = self.broker.open_named("bills", &self.payer, purpose).unwrap();
        let scope = Scope::tool("bank.pay").arg("amount", max(500)).and_tool("db.wipe").any_args();
        let grant = task.request(scope, &Context::new()).unwrap();
        (task, grant)
    }

    fn pay(&self, grant: &Grant) -> Permit {
        let call = Call::new("bank.pay", json!({ "amount": 98 })).unwrap();
        self.broker.gate().authorize(grant, &self.payer, call, &Context::new()).unwrap()
    }

    fn watch(&self, args: &[&str]) -> Ran {
        self.broker.flush();
        log(&[&["watch", "log", "--key-file", "key"], args].concat(), &self.folder)
    }
}

/// The command, while it runs.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn begin(args: &[&str], folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(["log", "watch", "log", "--key-file", "key"]).args(args);
        let command = command.current_dir(folder.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Running { child, lines }
    }

    /// Waits for a line of which this is true.
    fn expect(&self, what: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).expect("a line");
            if what(&line) {
                return line;
            }
        }
    }

    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

#[test]
fn it_is_told_who_holds_what_and_who_waits_for_whom() {
    let writing = Writing::begin();
    let (task, grant) = writing.open("\"pay\" it");
    let permit = writing.pay(&grant);
    let call = Call::new("db.wipe", json!({ "all": true })).unwrap();
    let parked = writing.broker.gate().authorize(&grant, &writing.payer, call, &Context::new());
    assert!(parked.is_err());
    writing.broker.control().halt(Halt::tool("mail.send").unwrap());
    let ran = writing.watch(&["--once", "--policy", "policy.toml"]);
    assert_eq!((ran.code, &*ran.errors), (0, ""), "{ran:?}");
    for said in [
        "records, issuer \"acme\", audience \"payments\"\neach record as it was written\n",
        "open tasks (1)\n  bills  payer for ada  ",
        " left  pay-bill, INV-1, \"\\\"pay\\\" it\"\n",
        "live grants (1)\n  bills  payer for ada  bank.pay, db.wipe  ",
        " left  1 call, by pay, wipe\n",
        "calls without an outcome (1)\n  bills  payer  bank.pay  #5, for ",
        "waiting for people (1)\n  bills  payer  to call db.wipe  ",
        "; four-eyes: 1 with groups {\"has_any\":[\"owners\"]}; not payer, ada",
    ] {
        assert!(ran.output.contains(said), "{said}: {}", ran.output);
    }
    let told = object(&writing.watch(&["--once", "--json", "--policy", "policy.toml"]));
    assert_eq!((&told["verified"], &told["tasks"][0]["task"]), (&json!(true), &json!("bills")));
    assert_eq!(told["grants"][0]["rules"], json!(["pay", "wipe"]));
    let may = json!({ "four-eyes": "1 with groups {\"has_any\":[\"owners\"]}" });
    assert_eq!(told["questions"][0]["may_answer"], may);
    assert_eq!(told["halts"].as_array().unwrap().len(), 1);
    drop(permit);
    task.complete();
    writing.broker.control().resume(&Halt::tool("mail.send").unwrap());
    let ran = writing.watch(&["--once"]);
    assert!(ran.output.contains("no task is open, and nothing is held or owed"), "{ran:?}");
}

/// attack 134: what an agent wrote turns no terminal's head and makes no line
#[test]
fn what_an_agent_wrote_is_told_as_text() {
    let writing = Writing::begin();
    let intent = "\" x  y\x1b[2J\x1b[1;1Hnothing is held\nlive grants (0)\u{202e}\u{9b}31m\u{200b}";
    let (_task, _grant) = writing.open(intent);
    for args in [&["--once"][..], &["--once", "--json"]] {
        let ran = writing.watch(args);
        let hidden =
            |c: char| c != '\n' && (c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c));
        assert!(!ran.output.contains(hidden), "{ran:?}");
        assert!(
            ran.output.contains("\\u{1b}[1;1H") || object(&ran)["tasks"][0]["intent"] == intent
        );
        assert_eq!(ran.output.matches("\nlive grants (").count(), usize::from(args.len() == 1));
        assert_eq!(ran.output.contains("\"\\\" x \\u{20}y"), args.len() == 1, "{ran:?}");
    }
}

#[test]
fn a_log_is_told_as_it_grows_through_its_files_until_it_is_interrupted() {
    let writing = Writing::begin();
    let (json, lines) =
        (Running::begin(&["--json"], &writing.folder), Running::begin(&[], &writing.folder));
    let holds = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    json.expect(|line| holds(line)["tasks"] == json!([]));
    lines.expect(|line| line.starts_with("no task is open"));
    for _ in 0..8 {
        let (task, grant) = writing.open("");
        json.expect(|line| holds(line)["grants"][0]["holder"] == "payer");
        lines.expect(|line| line.contains("  bills: `payer`, acting for `ada`, was granted"));
        let running = writing.pay(&grant).start().unwrap();
        json.expect(|line| holds(line)["calls"][0]["tool"] == "bank.pay");
        task.complete();
        running.succeed();
        writing.broker.flush();
        let told = holds(&json.expect(|line| holds(line)["calls"] == json!([])));
        assert_eq!((&told["tasks"], &told["grants"]), (&json!([]), &json!([])));
        lines.expect(|line| line.contains("  bills: the task ended: completed"));
    }
    assert!(writing.folder.path().join("log/log-0000000003.jsonl").exists());
    assert_eq!((json.interrupt(), lines.interrupt()), (Some(0), Some(0)));
}

#[test]
fn how_it_stood_at_a_time_is_told_by_the_records_up_to_it() {
    let folder = written(Durability::Flushed);
    let lines = folder.read(FIRST);
    let records: Vec<Record> =
        lines.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let before = records[0].at.to_string();
    let watch = ["watch", "log", "--key-file", "key"];
    let told =
        object(&log(&[&watch[..], &["--json", "--at", "1990-01-01T00:00:00Z"]].concat(), &folder));
    assert_eq!((&told["through"], &told["at"]), (&json!(0), &json!(631_152_000_000_u64)));
    let ran = log(&[&watch[..], &["--at", &before]].concat(), &folder);
    assert_eq!((ran.code, &*ran.errors), (0, ""));
    assert!(ran.output.starts_with(&before), "{ran:?}");
    let ran = log(&[&watch[..], &["--at", "yesterday"]].concat(), &folder);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn a_log_that_was_changed_is_not_told_and_one_without_its_key_is_told_with_a_warning() {
    let folder = written(Durability::Flushed);
    let ran = log(&["watch", "log", "--once"], &folder);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.errors, "warning: not verified: no key was given (--key-file)\n");
    assert!(ran.output.contains("\nNOT VERIFIED: no key was given"), "{ran:?}");
    crate::change(&folder, FIRST, "bank.pay", "bank.say");
    let ran = log(&["watch", "log", "--once", "--key-file", "key"], &folder);
    assert_eq!((ran.code, &*ran.output), (1, ""), "{ran:?}");
    assert!(ran.errors.starts_with("error: the log is not intact"), "{ran:?}");
    let anchor = format!("99:{}", "ab".repeat(32));
    let ran = log(
        &["watch", "log", "--once", "--key-file", "key", "--anchor", &anchor],
        &written(Durability::Flushed),
    );
    assert!(ran.code == 1 && ran.errors.contains("the log was cut"), "{ran:?}");
}
