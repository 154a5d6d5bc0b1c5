//! Whole lives over restarts on one log on file, next to a model that is a few lists: what was spent, what is halted, which
//! numbers were given out.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass::audit::{Durability, FileLog};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::HangingSink;
use hallpass::token::Token;
use hallpass::{Halt, Running};
use serde_json::json;

use super::restarted::unlock;
use super::world::{Folder, ORIGIN, builder_of, options};

const POLICY: &str = r#"
version = 1
rule = [
  { id = "few", effect = "permit", what = { tool = "few", args = "any" }, grant = { uses = 5, per = "identity" } },
  { id = "tide", effect = "permit", what = { tool = "tide", args = "any" }, grant = { uses = "2/1m", per = "identity" } },
]
"#;
const WHO: [&str; 2] = ["ada", "bob"];
const TOOLS: [&str; 2] = ["few", "tide"];
/// For how long a thread waits for another one that is inside the sink.
const WAIT: Duration = Duration::from_millis(20);

/// What was permitted, and is not given back.
struct Spent {
    who: usize,
    tool: usize,
    number: u64,
    at: u64,
}

struct Life {
    folder: Folder,
    clock: ManualClock,
    broker: Broker,
    sink: HangingSink<FileLog>,
    is_hanging: bool,
    /// How many keys the log has had: the last is in force.
    keys: u8,
    // What is held of the broker, gone with it.
    held: Vec<(Task, Permit)>,
    running: Vec<(Task, Running)>,
    tokens: Vec<(usize, usize, Token)>,
    // The model.
    now: u64,
    spent: Vec<Spent>,
    halts: BTreeSet<String>,
    newest_task: u64,
    newest_number: u64,
    seen: [usize; 6],
}

/// Lets the sink go on, also where something was found that should not be: a thread waits inside it.
struct Released<'s>(&'s HangingSink<FileLog>);

impl Drop for Released<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

fn key(number: u8) -> SecretKey {
    let mut bytes = [200; 32];
    bytes[0] = number;
    SecretKey::from_bytes(&bytes).unwrap()
}

fn log_keys(many: u8) -> LogKeys {
    (1..many).fold(LogKeys::from_secret(key(many)), |keys, past| keys.and_past(key(past)).unwrap())
}

fn open(folder: &Folder, clock: &ManualClock, keys: u8) -> (Broker, HangingSink<FileLog>) {
    let log = options(Durability::Flushed).rotate_at(8 << 10);
    let log = log.open(folder.path(), &log_keys(keys), &ORIGIN).unwrap();
    let sink = HangingSink::new(log.clone());
    let builder = builder_of(Policy::from_toml(POLICY).unwrap()).clock(clock.clone());
    let builder = builder.log(sink.clone()).log_timeout(WAIT).log_keys(log_keys(keys));
    (builder.resume_from(&log).build().unwrap(), sink)
}

fn halt(which: u64) -> Halt {
    match which % 5 {
        0 => Halt::Everything,
        1 | 2 => Halt::identity(WHO[which as usize % 2]).unwrap(),
        _ => Halt::tool(TOOLS[which as usize % 2]).unwrap(),
    }
}

impl Life {
    fn new() -> Life {
        let (folder, keys) = (Folder::new(), 1);
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let (broker, sink) = open(&folder, &clock, keys);
        Life {
            folder,
            clock,
            broker,
            sink,
            is_hanging: false,
            keys,
            held: Vec::new(),
            running: Vec::new(),
            tokens: Vec::new(),
            now: 0,
            spent: Vec::new(),
            halts: BTreeSet::new(),
            newest_task: 0,
            newest_number: 0,
            seen: [0; 6],
        }
    }

    /// What the lists say of a call.
    fn expected(&self, who: usize, tool: usize) -> Option<Reason> {
        let own =
            [Halt::Everything, Halt::identity(WHO[who]).unwrap(), Halt::tool(TOOLS[tool]).unwrap()];
        let is_on = |halt: &Halt| self.halts.contains(&halt.to_string());
        // The task is opened first, whatever tools are halted.
        let opens = !own[..2].iter().any(is_on);
        match self.is_hanging {
            true if opens => return Some(Reason::LogRefused),
            _ if own.iter().any(is_on) => return Some(Reason::Halted),
            _ => {}
        }
        let counts = |one: &&Spent| {
            (one.who, one.tool) == (who, tool) && (tool == 0 || self.now - one.at < 60)
        };
        let most = [5, 2][tool];
        (self.spent.iter().filter(counts).count() >= most).then_some(Reason::UsesSpent)
    }

    fn call(&mut self, who: usize, tool: usize) -> Option<Reason> {
        let caller = self.broker.assert_identity(WHO[who]).unwrap();
        let task = match self.broker.open(&caller, Purpose::new("p")) {
            Ok(task) => task,
            Err(denial) => return Some(denial.reason()),
        };
        assert!(task.generation() > self.newest_task, "no generation comes again");
        self.newest_task = task.generation();
        let grant = match task.request(Scope::tool(TOOLS[tool]).any_args(), &Context::new()) {
            Ok(grant) => grant,
            Err(denial) => return Some(denial.reason()),
        };
        let call = Call::new(TOOLS[tool], json!({})).unwrap();
        self.tokens.push((who, tool, Token::from_text(grant.token().expose().to_owned())));
        match self.broker.gate().authorize(&grant, &caller, call, &Context::new()) {
            Ok(permit) => {
                let number = permit.number();
                assert!(number > self.newest_number, "no number comes again");
                self.newest_number = number;
                self.spent.push(Spent { who, tool, number, at: self.now });
                self.held.push((task, permit));
                None
            }
            Err(denial) => Some(denial.reason()),
        }
    }

    /// P9, P10, P11: while a thread is inside a sink that hangs, what takes away takes effect, nothing is given, and nothing
    /// waits for longer than it says. Once the sink goes on, the log has all of it, in order.
    fn hangs(&mut self, which: u64) {
        // A record that waits, for a thread to bring to the sink.
        let halt = Halt::tool("never-called").unwrap();
        self.broker.control().halt(halt.clone());
        self.sink.hang();
        let (broker, sink) = (self.broker.clone(), self.sink.clone());
        std::thread::scope(|scope| {
            let released = Released(&sink);
            let inside = scope.spawn(|| broker.flush_within(Duration::from_secs(600)));
            sink.wait_until_entered();
            self.is_hanging = true;
            let mut state = which;
            for _ in 0..2 + which % 6 {
                state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                self.does((state >> 33) % 15, state >> 44);
                self.tries_what_it_was_given();
            }
            self.is_hanging = false;
            drop(released);
            inside.join().unwrap().unwrap();
        });
        assert_eq!(self.broker.flush(), 0);
        assert!(self.broker.control().resume(&halt));
        self.seen[4] += 1;
    }

    /// A grant of before, while the log takes nothing: no use of it is spent either, which later calls would notice.
    fn tries_what_it_was_given(&mut self) {
        let Some((who, tool, token)) = self.tokens.last() else { return };
        let caller = self.broker.assert_identity(WHO[*who]).unwrap();
        let call = Call::new(TOOLS[*tool], json!({})).unwrap();
        let answer = self.broker.gate().authorize(token, &caller, call, &Context::new());
        let reason = answer.map(drop).unwrap_err().reason();
        self.seen[5] += usize::from(reason == Reason::LogRefused);
    }

    fn give_back(&mut self, number: u64) {
        self.spent.retain(|one| one.number != number);
    }

    fn start(&mut self) {
        let Some((task, permit)) = self.held.pop() else { return };
        let number = permit.number();
        match permit.start() {
            Ok(running) => self.running.push((task, running)),
            // It lapsed, or is halted: it was not begun.
            Err(_) => self.give_back(number),
        }
    }

    /// The process is killed, or closes its broker; another goes on with the log. What is held is not dropped: whether it
    /// was begun nothing says, and it stays spent.
    fn dies(&mut self, closes: bool) {
        if closes {
            self.running.drain(..).for_each(|(_, running)| running.succeed());
            self.broker.close(Duration::from_secs(5));
        }
        assert_eq!(self.broker.flush(), 0);
        let held = (std::mem::take(&mut self.held), std::mem::take(&mut self.running));
        std::mem::forget((held, self.broker.clone()));
        unlock(&self.folder);
        let (broker, sink) = open(&self.folder, &self.clock, self.keys);
        std::mem::forget(std::mem::replace(&mut self.broker, broker));
        std::mem::forget(std::mem::replace(&mut self.sink, sink));
        assert!(self.broker.standing().is_empty(), "P2: a restart gives nothing back");
        self.seen[0] += 1;
        // Late calls: what was given before is worth nothing here.
        for (who, tool, token) in std::mem::take(&mut self.tokens) {
            let caller = self.broker.assert_identity(WHO[who]).unwrap();
            let call = Call::new(TOOLS[tool], json!({})).unwrap();
            let late = self.broker.gate().authorize(&token, &caller, call, &Context::new());
            assert_eq!(late.unwrap_err().code(), hallpass::Code::InvalidToken);
        }
    }

    fn does(&mut self, what: u64, which: u64) {
        match what {
            0..6 => {
                let (who, tool) = (which as usize % 2, which as usize / 2 % 2);
                let expected = self.expected(who, tool);
                assert_eq!(self.call(who, tool), expected, "{} {}", WHO[who], TOOLS[tool]);
                self.seen[1] += usize::from(expected == Some(Reason::UsesSpent));
                self.seen[2] += usize::from(expected == Some(Reason::Halted));
            }
            6 | 7 => self.start(),
            8 => {
                if let Some((_, running)) = self.running.pop() {
                    running.succeed();
                }
            }
            9 => {
                if let Some((_, permit)) = self.held.pop() {
                    self.give_back(permit.number());
                }
            }
            10 => {
                self.broker.control().halt(halt(which));
                self.halts.insert(halt(which).to_string());
            }
            11..14 => {
                let was = self.halts.remove(&halt(which).to_string());
                assert_eq!(self.broker.control().resume(&halt(which)), was, "{}", halt(which));
            }
            14 => {
                // No permit that is held lapses.
                self.held
                    .drain(..)
                    .map(|(_, permit)| permit.number())
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|number| self.give_back(number));
                self.now += 1 + which % 40;
                self.clock.advance(Duration::from_secs(1 + which % 40));
            }
            15 => {
                self.keys += 1;
                self.broker.rotate_log_key(key(self.keys)).unwrap();
                self.seen[3] += 1;
            }
            16 => self.hangs(which),
            _ => self.dies(which.is_multiple_of(2)),
        }
    }
}

/// P2, P9, P11. A seed is said where it fails.
#[test]
fn a_life_over_restarts_goes_on_with_what_its_log_says() {
    let mut seen = [0; 6];
    for seed in 1..=30_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) % most
        };
        let mut life = Life::new();
        println!("seed {seed}");
        for _ in 0..60 {
            life.does(next(18), next(1 << 20));
        }
        life.dies(false);
        assert_eq!(life.broker.flush(), 0);
        let (read, _) =
            FileLog::read(life.folder.path(), &log_keys(life.keys), &ORIGIN, None).unwrap();
        assert!(read.without_outcome.is_empty(), "seed {seed}: each permit has its outcome");
        seen.iter_mut().zip(life.seen).for_each(|(all, own)| *all += own);
    }
    assert!(seen.iter().all(|own| *own > 20), "{seen:?}");
}
