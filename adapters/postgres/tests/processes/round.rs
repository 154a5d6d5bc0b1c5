//! A round: three nodes, and what happens to them by a seed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use hallpass::audit::{FileLog, Origin};

use crate::database::Database;
use crate::dice::Dice;
use crate::node::{HALTED, log_keys};
use crate::oracle::{Asked, Seen, check};
use crate::planted::{Steps, shared_time};
use crate::process::{Process, Told};

const NAMES: [&str; 3] = ["n0", "n1", "n2"];
const LEASE: u64 = 400;
const STEPS: usize = 14;

/// As long as something is waited for that has to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is over once it is healed.
enum Trouble {
    /// A process that stands still, or will when it comes to a step.
    Stopped(usize),
    Held(usize),
    Slow,
    Down,
}

struct Round<'d> {
    database: &'d Database,
    fleet: String,
    folder: PathBuf,
    dice: Dice,
    told: Told,
    processes: Vec<Process>,
    names: Vec<&'static str>,
    folders: Vec<(PathBuf, &'static str)>,
    acts: Vec<Asked>,
    trouble: Vec<Trouble>,
    /// How much of what was told has been passed on.
    passed: usize,
    seen: Seen,
}

pub(crate) fn run(database: &Database, seed: u64) -> Seen {
    let fleet = format!("round-{seed}");
    database.create("acme", &fleet);
    let folder = std::env::temp_dir().join(format!("hallpass-{fleet}-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut round = Round {
        database,
        fleet,
        folder,
        dice: Dice::of(seed),
        told: Arc::new(Mutex::new(Vec::new())),
        processes: Vec::new(),
        names: Vec::new(),
        folders: Vec::new(),
        acts: Vec::new(),
        trouble: Vec::new(),
        passed: 0,
        seen: Seen::default(),
    };
    NAMES.into_iter().for_each(|name| round.start(name));
    round.wait_for_leases();
    for _ in 0..STEPS {
        round.step();
    }
    round.heal(0);
    for name in NAMES {
        if round.processes.iter().all(|own| own.name != name) {
            round.start(name);
        }
    }
    let node = round.wait_for_leases();
    round.end(node)
}

fn real_time() -> Duration {
    Duration::from_nanos(shared_time())
}

impl Round<'_> {
    fn start(&mut self, name: &'static str) {
        let (number, lease) = (self.names.len(), LEASE.to_string());
        let seed = self.dice.below(1 << 30).to_string();
        let port = self.database.server.port;
        let settings = [&*self.fleet, &lease, &seed];
        let started = Process::start((number, name), port, &self.folder, settings, &self.told);
        self.folders.push((started.folder.clone(), name));
        self.processes.push(started);
        self.names.push(name);
    }

    /// Something bad, something asked for, and time in which it goes on.
    fn step(&mut self) {
        self.pass_tokens();
        if self.trouble.len() < 2 && self.dice.percent(70) {
            self.worsen();
        }
        for _ in 0..self.dice.below(3) {
            self.ask_for_something();
        }
        sleep(self.dice.milliseconds(20, 2 * LEASE));
        if self.dice.percent(60) {
            self.heal(1);
        }
    }

    fn worsen(&mut self) {
        let at = self.dice.below(self.processes.len());
        match self.dice.below(10) {
            0 | 1 => {
                self.processes[at].signal("-STOP");
                self.seen.stops += 1;
                self.trouble.push(Trouble::Stopped(self.processes[at].number));
            }
            2..=4 => {
                let step = self.dice.pick(&Steps::ALL);
                self.processes[at].tell(&format!("stop {step}"));
                self.seen.stops += 1;
                self.trouble.push(Trouble::Stopped(self.processes[at].number));
            }
            5 => {
                let killed = self.processes.remove(at);
                self.trouble.retain(|own| !matches!(own, Trouble::Stopped(number) | Trouble::Held(number) if *number == killed.number));
                let name = killed.name;
                drop(killed);
                self.seen.kills += 1;
                self.start(name);
            }
            // A second process of a name: the first goes on, and keeps it.
            6 => {
                let name = self.processes[at].name;
                self.seen.takeovers += 1;
                self.start(name);
            }
            7 => self.processes[at].proxy.cut(),
            8 => {
                self.processes[at].proxy.hold_answers();
                self.trouble.push(Trouble::Held(self.processes[at].number));
            }
            _ if self.trouble.iter().any(|own| matches!(own, Trouble::Slow | Trouble::Down)) => {}
            _ if self.dice.percent(50) => {
                self.database.server.kill();
                self.trouble.push(Trouble::Down);
            }
            _ => {
                self.database.server.signal_all("-STOP");
                self.trouble.push(Trouble::Slow);
            }
        }
    }

    /// Heals what has been for the longest, until so much is left.
    fn heal(&mut self, left: usize) {
        while self.trouble.len() > left {
            match self.trouble.remove(0) {
                Trouble::Stopped(number) => {
                    if let Some(own) = self.processes.iter().find(|own| own.number == number) {
                        own.signal("-CONT");
                    }
                }
                Trouble::Held(number) => {
                    if let Some(own) = self.processes.iter().find(|own| own.number == number) {
                        own.proxy.let_go();
                    }
                }
                Trouble::Slow => self.database.server.signal_all("-CONT"),
                Trouble::Down => self.database.server.up(),
            }
        }
    }

    fn ask_for_something(&mut self) {
        let tool = *self.dice.pick(&HALTED);
        let task = || {
            let told = self.told.lock().unwrap();
            let last = told.iter().rev().find(|(_, line)| line.starts_with("token "));
            last.map(|(_, line)| line.split(' ').nth(3).unwrap().to_owned())
        };
        let words = match self.dice.below(10) {
            0..=3 => format!("halt {tool}"),
            4 | 5 => format!("resume {tool}"),
            6 => "forbid".to_owned(),
            7 => "allow".to_owned(),
            8 => "revoke".to_owned(),
            _ => match task() {
                Some(task) => format!("end {}", task.replacen('/', " ", 1)),
                None => return,
            },
        };
        let at = self.dice.below(self.processes.len());
        self.ask(at, &words);
    }

    fn ask(&mut self, at: usize, words: &str) {
        let what = words.split(' ').map(str::to_owned).collect();
        self.acts.push(Asked { what, asked: shared_time(), returned: None });
        self.processes[at].tell(&format!("{} {words}", self.acts.len() - 1));
    }

    /// Passes tokens to nodes that did not give them.
    fn pass_tokens(&mut self) {
        let told = self.told.lock().unwrap();
        let tokens: Vec<String> = told[self.passed..]
            .iter()
            .filter(|(_, line)| line.starts_with("token "))
            .map(|(_, line)| line.clone())
            .collect();
        self.passed = told.len();
        drop(told);
        for line in tokens.iter().rev().take(12) {
            let home = line.split(' ').nth(3).unwrap().split('/').next().unwrap();
            let at = self.dice.below(self.processes.len());
            if self.processes[at].name != home {
                self.processes[at].tell(line);
            }
        }
    }

    /// Waits until each name has a node with a lease: of two processes, one. The number of one of them.
    fn wait_for_leases(&mut self) -> usize {
        let (begun, from) = (real_time(), self.told.lock().unwrap().len());
        loop {
            self.go_on_where_planted();
            self.processes.iter_mut().for_each(|own| own.tell("lease"));
            let told = self.told.lock().unwrap();
            let has = |name: &str| {
                told[from..]
                    .iter()
                    .any(|(number, line)| self.names[*number] == name && line == "lease true")
            };
            if NAMES.iter().all(|name| has(name)) {
                let last = told[from..].iter().rev().find(|(_, line)| line == "lease true");
                return last.unwrap().0;
            }
            let last = told.iter().rev().take(20).collect::<Vec<_>>();
            assert!(real_time() - begun < PATIENCE, "not all have a lease: {last:?}");
            drop(told);
            sleep(Duration::from_millis(20));
        }
    }

    /// A step at which a node was to stop may come after it was let go on.
    fn go_on_where_planted(&self) {
        self.processes.iter().filter(|own| own.is_stopped()).for_each(|own| own.signal("-CONT"));
    }

    /// Once all is well, an act is final at all that are there; what was told is held against what was done, and the logs verify.
    fn end(mut self, node: usize) -> Seen {
        let begun = real_time();
        let last = self.acts.len();
        let at = self.processes.iter().position(|own| own.number == node).unwrap();
        self.ask(at, "halt last");
        let told = loop {
            self.go_on_where_planted();
            let told = self.told.lock().unwrap().clone();
            let done = format!("acted {last} ");
            if told.iter().any(|(_, line)| line.starts_with(&done)) {
                break told;
            }
            let last = told.iter().rev().take(20).collect::<Vec<_>>();
            assert!(real_time() - begun < PATIENCE, "not final: {last:?}");
            sleep(Duration::from_millis(10));
        };
        for own in &mut self.processes {
            assert!(own.ended().is_none(), "process {} of `{}` has ended", own.number, own.name);
        }
        self.processes.clear();
        for (_, line) in &told {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["acted", id, at, _, unheard] = *words {
                let act = &mut self.acts[id.parse::<usize>().unwrap()];
                act.returned = Some(at.parse().unwrap());
                self.seen.unheard += unheard.parse::<usize>().unwrap();
            }
        }
        let mut seen = check(&told, &self.acts, &self.names);
        seen.records = self.logs_verify();
        seen.add(self.seen);
        std::fs::remove_dir_all(&self.folder).unwrap();
        seen
    }

    /// How many records there are, all of which are what was written and lawful.
    fn logs_verify(&self) -> u64 {
        let mut records = 0;
        for (folder, name) in &self.folders {
            let issuer = format!("{}/{name}", self.fleet);
            let log = folder.join("log");
            // One that was killed before it began has none.
            if log.exists() {
                let read = FileLog::read_each(
                    &log,
                    &log_keys(),
                    &Origin::new(&issuer, "tools"),
                    None,
                    |_, _| records += 1,
                );
                read.unwrap_or_else(|error| panic!("{}: {error}", log.display()));
            }
        }
        records
    }
}
