//! Processes that are killed at moments that a seed says, again and again over one log: with calls running, questions
//! parked, halts on, counters spent and credentials minted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use hallpass::audit::{Asked, Durability, Event, FileLog};
use hallpass::clock::Timestamp;
use hallpass::prelude::*;
use hallpass::testing::ManualClock;
use hallpass::{BrokerBuilder, Halt, scope};
use serde_json::json;

use super::outside::Outside;
use super::world::{Folder, ORIGIN, builder_of, keys, options};

/// What tells a process of this test what to do: the folder and the durability.
const FOLDER: &str = "HALLPASS_KILLED_FOLDER";
const DURABILITY: &str = "HALLPASS_KILLED_DURABILITY";

const ALL: [(&str, Durability); 3] = [
    ("buffered", Durability::Buffered),
    ("flushed", Durability::Flushed),
    ("synced", Durability::Synced),
];

/// At most as many counted calls, no matter who makes them.
const COUNTED: u64 = 1_000_000;

/// attacks 182, 186 and 188
#[test]
fn what_a_killed_process_was_acknowledged_is_in_its_log_and_nothing_is_used_twice() {
    kill_often(12);
}

#[test]
#[ignore = "takes minutes: 1000 processes, or as many as HALLPASS_KILLS says"]
fn the_same_holds_of_a_thousand_processes() {
    let kills = std::env::var("HALLPASS_KILLS").ok().and_then(|kills| kills.parse().ok());
    kill_often(kills.unwrap_or(1000) / ALL.len() as u64);
}

/// Not a test of its own: what the processes run that are killed. What it says, the log has acknowledged.
#[test]
#[ignore = "runs until it is killed"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let named = std::env::var(DURABILITY).unwrap();
    let (_, durability) = *ALL.iter().find(|(name, _)| *name == named).unwrap();
    let broker = open(Path::new(&folder), durability, COUNTED);
    let mut out = std::io::stdout().lock();
    let mut say = |what: &str, which: &dyn std::fmt::Display| {
        writeln!(out, "ACK {what} {which}").unwrap();
        out.flush().unwrap();
    };
    for round in 0_u64.. {
        let (task, permit) = call(&broker, "bank.pay", json!({ "amount": 98 })).unwrap();
        say("permit", &permit.number());
        say("generation", &task.generation());
        match round % 6 {
            0 => task.complete(),
            1 => {
                let running = permit.start().unwrap();
                drop(running);
                continue;
            }
            2 => {
                let (task, permit) = call(&broker, "counted", json!({})).unwrap();
                let number = permit.number();
                permit.start().unwrap().succeed();
                say("permit", &number);
                say("counted", &number);
                std::mem::forget(task);
                continue;
            }
            3 => {
                let asked = call(&broker, "bank.pay", json!({ "amount": 450 + round % 50 }));
                let denial = asked.map(drop).unwrap_err();
                let pending = denial.pending().expect("it waits for people").clone();
                // A question gives nothing, and waits for no log either.
                assert_eq!(broker.flush(), 0);
                say("asked", &pending.id());
                std::mem::forget(pending);
                continue;
            }
            4 => {
                let (task, permit) = call(&broker, "minted", json!({})).unwrap();
                permit.run_with(|_, _| Ok::<_, String>(())).unwrap();
                std::mem::forget(task);
                continue;
            }
            _ => {
                let tool = format!("halted-{}", round % 600);
                broker.control().halt(Halt::tool(&tool).unwrap());
                // An end waits for no log: it is acknowledged once the log has it.
                assert_eq!(broker.flush(), 0);
                say("halted", &tool);
                std::mem::forget((task, permit));
                continue;
            }
        };
    }
}

/// What a killed process said, and what is looked for in its log.
#[derive(Default)]
struct Acknowledged(BTreeMap<String, BTreeSet<String>>);

impl Acknowledged {
    fn of(&self, what: &str) -> BTreeSet<String> {
        self.0.get(what).cloned().unwrap_or_default()
    }
}

/// This many processes write one log, one after the other: each reads all of it when it opens it.
const OF_ONE_LOG: u64 = 30;

/// The same in every run, if `HALLPASS_KILLS_SEED` says no other.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

fn kill_often(kills: u64) {
    let seed = std::env::var("HALLPASS_KILLS_SEED").ok().and_then(|seed| seed.parse().ok());
    // From zero comes nothing else.
    let seed = seed.filter(|seed| *seed != 0).unwrap_or(SEED);
    for (name, durability) in ALL {
        let (mut random, mut left, mut logs) = (seed, kills, 0);
        let mut counts = BTreeMap::<String, usize>::new();
        while left > 0 {
            let now = left.min(OF_ONE_LOG);
            (left, logs) = (left - now, logs + 1);
            let said = kill_on_one_log(now, (name, durability), seed, &mut random);
            for (what, which) in said.0 {
                *counts.entry(what).or_default() += which.len();
            }
        }
        println!(
            "{name}: seed {seed}, {kills} processes killed, {logs} logs, acknowledged {counts:?}"
        );
        let expected = ["asked", "counted", "generation", "halted", "permit"];
        assert!(kills < OF_ONE_LOG || expected.iter().all(|what| counts.contains_key(*what)));
    }
}

fn kill_on_one_log(
    kills: u64,
    (name, durability): (&str, Durability),
    seed: u64,
    random: &mut u64,
) -> Acknowledged {
    let folder = Folder::new();
    let mut said = Acknowledged::default();
    for kill in 0..kills {
        // xorshift: the same moments in every run.
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let place = format!("seed {seed}, {name}, kill {kill}");
        for (what, which) in run_until_killed(folder.path(), name, *random % 90) {
            let is_new = said.0.entry(what.clone()).or_default().insert(which.clone());
            let once = ["permit", "generation", "asked"].contains(&&*what);
            assert!(is_new || !once, "{place}: {what} {which} again");
        }
        check_log(folder.path(), &said, durability != Durability::Buffered, &place);
    }
    go_on(folder.path(), &said, durability);
    said
}

/// What was acknowledged by a process that is gone is in the log that it left.
fn check_log(folder: &Path, said: &Acknowledged, outlives: bool, place: &str) {
    let mut kept = BTreeMap::<&str, BTreeSet<String>>::new();
    let mut note = |what, which: String| {
        kept.entry(what).or_default().insert(which);
    };
    let each = |record: &hallpass::audit::Record, _| match &record.event {
        Event::Opened { generation, .. } => note("generation", generation.to_string()),
        Event::Asked(Asked { question, .. }) => note("asked", question.to_string()),
        Event::CredentialPlanned { name, .. } => note("minted", name.to_string()),
        Event::Permitted { tool, .. } => {
            if *tool == "counted" {
                note("counted", record.seq.to_string());
            }
            note("permit", record.seq.to_string());
        }
        _ => {}
    };
    let (verified, resumption) = FileLog::read_each(folder, &keys(), &ORIGIN, None, each).unwrap();
    assert!(verified.anchor.seq > 0);
    if !outlives {
        return;
    }
    for what in ["permit", "generation", "asked", "counted"] {
        let said = said.of(what);
        let lost: Vec<_> = said.difference(&kept[what]).collect();
        assert!(lost.is_empty(), "{place}: {what} {lost:?}");
    }
    // Nothing was minted that the log does not know of.
    let minted = outside(folder).minted();
    let unknown: Vec<_> = minted.difference(&kept["minted"]).collect();
    assert!(minted.is_empty() || unknown.is_empty(), "{place}: {unknown:?}");
    drop(resumption);
}

/// A broker that goes on with the log has what is owed, halted and spent, and nothing that was usable before.
fn go_on(folder: &Path, said: &Acknowledged, durability: Durability) {
    let counted = said.of("counted").len() as u64;
    let mut last = Timestamp::MIN;
    let each = |record: &hallpass::audit::Record, _| last = last.max(record.at);
    FileLog::read_each(folder, &keys(), &ORIGIN, None, each).unwrap();
    // Later than whatever was about to be minted could have been.
    let clock = ManualClock::new(last.checked_add(Duration::from_secs(10)).unwrap());
    let broker = open_with(folder, durability, counted.max(1), |builder| builder.clock(clock));
    assert!(broker.standing().grants.is_empty(), "nothing of before is usable");
    let (task, permit) = call(&broker, "bank.pay", json!({ "amount": 98 })).unwrap();
    assert!(!said.of("permit").contains(&permit.number().to_string()));
    assert!(!said.of("generation").contains(&task.generation().to_string()));
    if durability == Durability::Buffered {
        return;
    }
    let halts = broker.control().halts();
    for tool in said.of("halted") {
        let own = Halt::tool(&tool).unwrap();
        assert!(halts.contains(&own), "{own:?} is not on: {halts:?}");
    }
    if counted > 0 {
        let denial = call(&broker, "counted", json!({})).map(drop).unwrap_err();
        assert_eq!(denial.reason(), Reason::UsesSpent, "{counted} were spent");
    }
    for _ in 0..1000 {
        broker.tend(Duration::from_secs(5));
        if broker.standing().downstream.is_empty() {
            break;
        }
    }
    assert_eq!(broker.standing().downstream, [], "obligations are met");
    assert_eq!(outside(folder).live(), BTreeSet::new(), "and nothing is left outside");
    drop((task, permit));
    assert_eq!(broker.flush(), 0);
    drop(broker);
    let (verified, _) = FileLog::read(folder, &keys(), &ORIGIN, None).unwrap();
    assert_eq!(verified.unsettled, [0_u64; 0], "each task that was killed is settled");
}

fn outside(folder: &Path) -> Outside {
    let file: PathBuf = folder.join("outside");
    Outside::on(&file)
}

fn open(folder: &Path, durability: Durability, counted: u64) -> Broker {
    open_with(folder, durability, counted, |builder| builder)
}

/// A broker that goes on with the log, whose counted calls are limited.
fn open_with(
    folder: &Path,
    durability: Durability,
    counted: u64,
    set: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
) -> Broker {
    let policy = format!(
        r#"
        version = 1
        tool = [
          {{ name = "bank.pay" }}, {{ name = "counted" }}, {{ name = "minted", credential = "outside" }},
        ]
        [[rule]]
        id     = "payers"
        effect = "permit"
        what   = {{ tool = "bank.pay", args = {{ amount = {{ max = 500 }} }} }}
        [[rule]]
        id       = "large-ones"
        effect   = "ask"
        what     = {{ tool = "bank.pay", args = {{ amount = {{ above = 400 }} }} }}
        approval = {{ review = [{{ groups = {{ has_any = ["owners"] }}, count = 1 }}] }}
        [[rule]]
        id     = "counters"
        effect = "permit"
        what   = {{ tool = "counted", args = "any" }}
        grant  = {{ uses = {counted}, per = "identity" }}
        [[rule]]
        id     = "minters"
        effect = "permit"
        what   = {{ tool = "minted", args = "any" }}
    "#
    );
    let log = options(durability).rotate_at(16 << 10).open(folder, &keys(), &ORIGIN).unwrap();
    let builder = builder_of(Policy::from_toml(&policy).unwrap()).log_keys(keys());
    let builder = builder.name("killed").tended_by_host().provider("outside", outside(folder));
    // Those of all processes wait at once.
    let builder = builder.max_questions(16, 10_000);
    set(builder).resume_from(&log).build().unwrap()
}

/// One call in a task of its own.
fn call(broker: &Broker, tool: &str, args: serde_json::Value) -> Result<(Task, Permit), Denial> {
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
    let scope = match tool {
        "bank.pay" => Scope::tool(tool).arg("amount", scope::max(500)),
        _ => Scope::tool(tool).any_args(),
    };
    let grant = task.request(scope, &Context::new())?;
    let call = Call::new(tool, args).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new())?;
    Ok((task, permit))
}

/// Runs a process until it has acknowledged this many things; kills it, and returns all that it acknowledged.
fn run_until_killed(folder: &Path, durability: &str, things: u64) -> Vec<(String, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["killed::the_process_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .envs([(FOLDER, folder.as_os_str()), (DURABILITY, durability.as_ref())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let mut read = |said: &mut Vec<_>| {
        let Some(Ok(line)) = lines.next() else { return false };
        if let Some((_, pair)) = line.split_once("ACK ")
            && let Some((what, which)) = pair.split_once(' ')
        {
            said.push((what.to_owned(), which.to_owned()));
        }
        true
    };
    while (said.len() as u64) <= things && read(&mut said) {}
    child.kill().unwrap();
    // What it said before it was killed.
    while read(&mut said) {}
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    // One that ended by itself has failed.
    let ended = matches!(output.status.code(), Some(0 | 101));
    assert!(!said.is_empty() && !ended, "{}: {words}", output.status);
    said
}
