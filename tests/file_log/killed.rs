//! Processes that are killed at moments that a seed says, again and again over one log.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use hallpass::audit::{Durability, Event, FileLog, Record};

use super::world::{Folder, ORIGIN, keys, open, pay};

/// What tells a process of this test what to do: the folder and the durability.
const FOLDER: &str = "HALLPASS_KILLED_FOLDER";
const DURABILITY: &str = "HALLPASS_KILLED_DURABILITY";

const ALL: [(&str, Durability); 3] = [
    ("buffered", Durability::Buffered),
    ("flushed", Durability::Flushed),
    ("synced", Durability::Synced),
];

/// attacks 182, 186 and 188
#[test]
fn what_a_killed_process_was_acknowledged_is_in_its_log_and_nothing_is_used_twice() {
    kill_often(4);
}

#[test]
#[ignore = "takes minutes: 1000 processes, or as many as HALLPASS_KILLS says"]
fn the_same_holds_of_a_thousand_processes() {
    let kills = std::env::var("HALLPASS_KILLS").ok().and_then(|kills| kills.parse().ok());
    kill_often(kills.unwrap_or(1000) / ALL.len() as u64);
}

/// Not a test of its own: what the processes run that are killed.
#[test]
#[ignore = "runs until it is killed"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let named = std::env::var(DURABILITY).unwrap();
    let (_, durability) = *ALL.iter().find(|(name, _)| *name == named).unwrap();
    let broker = open(Path::new(&folder), durability).unwrap();
    let mut out = std::io::stdout().lock();
    for round in 0.. {
        let (task, permit) = pay(&broker);
        writeln!(out, "ACK {} {}", permit.number(), task.generation()).unwrap();
        out.flush().unwrap();
        match round % 3 {
            0 => task.complete(),
            1 => {
                let running = permit.start().unwrap();
                drop(running);
                continue;
            }
            _ => {
                std::mem::forget((task, permit));
                continue;
            }
        };
    }
}

fn kill_often(kills: u64) {
    for (name, durability) in ALL {
        let folder = Folder::new();
        let (mut numbers, mut generations) = (BTreeSet::new(), BTreeSet::new());
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for kill in 0..kills {
            // xorshift: the same moments in every run.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let said = run_until_killed(folder.path(), name, random % 60);
            assert!(!said.is_empty());
            for (number, generation) in said {
                assert!(numbers.insert(number), "{name}, kill {kill}: number {number} again");
                assert!(generations.insert(generation), "{name}, kill {kill}: {generation} again");
            }
            let (verified, _) = FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
            assert!(verified.anchor.seq > 0);
            if durability != Durability::Buffered {
                let kept = permits(folder.path());
                let lost: Vec<_> = numbers.difference(&kept).collect();
                assert!(lost.is_empty(), "{name}, kill {kill}: {lost:?}");
            }
        }
        // The last one left, too, is gone on with.
        let broker = open(folder.path(), durability).unwrap();
        let (task, permit) = pay(&broker);
        assert!(numbers.insert(permit.number()) && generations.insert(task.generation()));
    }
}

/// Runs a process until it has acknowledged one permit more than `permits`; kills it, and returns all that it
/// acknowledged.
fn run_until_killed(folder: &Path, durability: &str, permits: u64) -> Vec<(u64, u64)> {
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
            && let Some((number, generation)) = pair.split_once(' ')
        {
            said.push((number.parse().unwrap(), generation.parse().unwrap()));
        }
        true
    };
    while (said.len() as u64) <= permits && read(&mut said) {}
    child.kill().unwrap();
    // What it said before it was killed.
    while read(&mut said) {}
    let output = child.wait_with_output().unwrap();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// The numbers of the permits that are in the log.
fn permits(folder: &Path) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().skip(1) {
            // The last one may be incomplete.
            let Ok(record) = Record::from_line(line) else { continue };
            if matches!(record.event, Event::Permitted { .. }) {
                numbers.insert(record.seq);
            }
        }
    }
    numbers
}
