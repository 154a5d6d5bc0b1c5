//! The counters that nodes share, as the simulation's store keeps them: answers are lost, the server is away, and its
//! clock steps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Planted;
use super::clock::TrueTime;
use super::dice::Dice;
use super::elsewhere::LAST;
use super::life::{AGENTS, TOOLS};
use super::world::{Event, MS, World};
use crate::clock::Timestamp;
use crate::fleet::agent::Stage;
use crate::fleet::counting::Counting;
use crate::fleet::entry::Entry;
use crate::fleet::keys::FleetKeys;
use crate::fleet::mark::Mark;
use crate::fleet::row::{NodeRow, RowVersion};
use crate::fleet::store::{CounterKey, CounterRow, Snapshot, Store, StoreError};
use crate::grant::SharedCounter;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How many calls of `few` an agent may make in all, and of `fast` within so long.
pub(super) const FEW: u64 = 12;
pub(super) const FAST: (usize, u64) = (3, 1_500);

/// The tools that are limited, among all of them.
const LIMITED: [usize; 2] = [2, 3];

/// Where the server's clock begins: in 2026.
const BEGIN: i64 = 1_767_225_600_000;

/// What the nodes share.
#[derive(Clone)]
pub(super) struct Bank(Arc<Mutex<Books>>);

struct Books {
    planted: Planted,
    keys: Arc<FleetKeys>,
    dice: Dice,
    now: TrueTime,
    /// By how much the server's clock was set.
    set: i64,
    loss: u64,
    is_down: bool,
    rows: BTreeMap<CounterKey, CounterRow>,
    /// Planted: each as it was before it was changed last.
    before: BTreeMap<CounterKey, CounterRow>,
    lost: u64,
}

/// The bank, as one node reaches it.
pub(super) struct BankLink {
    bank: Bank,
    pub(super) is_cut: Arc<AtomicBool>,
}

impl Bank {
    pub(super) fn new(planted: Planted, keys: Arc<FleetKeys>, now: TrueTime, dice: Dice) -> Self {
        Bank(Arc::new(Mutex::new(Books {
            planted,
            keys,
            dice,
            now,
            set: 0,
            loss: 0,
            is_down: false,
            rows: BTreeMap::new(),
            before: BTreeMap::new(),
            lost: 0,
        })))
    }

    pub(super) fn link(&self) -> BankLink {
        BankLink { bank: self.clone(), is_cut: Arc::default() }
    }

    /// How it goes with the store, and with answers of a thousand.
    pub(super) fn is_going(&self, is_down: bool, loss: u64) {
        let mut books = self.0.lock().unwrap();
        (books.is_down, books.loss) = (is_down, loss);
    }

    /// Another server goes on, with a clock of its own.
    pub(super) fn fail_over(&self) {
        let mut books = self.0.lock().unwrap();
        books.set = books.dice.below(1_000) as i64 - 500;
    }

    /// How many answers were lost.
    pub(super) fn lost(&self) -> u64 {
        self.0.lock().unwrap().lost
    }
}

impl Store for BankLink {
    fn read(&self, _: u64) -> Result<Snapshot, StoreError> {
        Err(StoreError::new("it keeps counters alone"))
    }

    fn append(&self, _: &Entry, _: &Mark) -> Result<bool, StoreError> {
        Err(StoreError::new("it keeps counters alone"))
    }

    fn write(
        &self,
        _: &NodeRow,
        _: Option<&RowVersion>,
        _: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        Err(StoreError::new("it keeps counters alone"))
    }

    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        let books = &mut *self.bank.0.lock().unwrap();
        if books.is_down || self.is_cut.load(Ordering::SeqCst) || books.dice.hits(books.loss) {
            return Err(StoreError::new("not reached"));
        }
        // Planted: what is read is not locked, and was changed since by another.
        let is_stale = books.planted == Planted::ReadsBeforeItWrites && books.dice.hits(200);
        let read = if is_stale { &books.before } else { &books.rows };
        let mut rows: Vec<CounterRow> =
            keys.iter().map(|key| read.get(key).cloned().unwrap_or_default()).collect();
        let found = rows.clone();
        let passed = i64::try_from(books.now.load(Ordering::SeqCst) / MS).unwrap();
        change(Timestamp::from_unix_millis(BEGIN + passed + books.set).unwrap(), &mut rows);
        let is_lost = books.dice.hits(books.loss);
        for ((key, before), mut row) in keys.iter().zip(found).zip(rows) {
            if is_lost {
                books.twice(key, &before, &mut row);
            }
            books.rows.insert(*key, row);
            books.before.insert(*key, before);
        }
        books.lost += u64::from(is_lost);
        if is_lost { Err(StoreError::new("the answer is lost")) } else { Ok(()) }
    }
}

impl Books {
    /// Planted: what was not answered is done once more, without a look at the ids.
    fn twice(&self, key: &CounterKey, before: &CounterRow, row: &mut CounterRow) {
        let open = |row| Counting::open(&self.keys, key, row).unwrap();
        let (old, mut new) = (open(before), open(row));
        match old.used().cmp(&new.used()) {
            std::cmp::Ordering::Less if self.planted == Planted::CountsTwice => new.add_use(),
            std::cmp::Ordering::Greater if self.planted == Planted::GivesBackTwice => {
                new.drop_use();
            }
            _ => return,
        }
        *row = Counting::seal(&self.keys, key, &new).unwrap();
    }
}

/// What came of calls of one limited tool by one agent.
#[derive(Default)]
pub(super) struct Tally {
    /// Starts, each with when the call was charged, by the store's clock.
    starts: Vec<i64>,
    /// How many calls were asked for at nodes that died since.
    unsure: u64,
}

/// The tallies, by agent and tool, and what each process asked for.
#[derive(Default)]
pub(super) struct Tallies {
    all: BTreeMap<(usize, usize), Tally>,
    asked: BTreeMap<usize, BTreeMap<(usize, usize), u64>>,
}

impl World {
    /// An agent calls a tool that is limited over all nodes.
    pub(super) fn call_limited(&mut self) {
        // So long before the end that all of it is settled by then.
        if self.at > LAST {
            return;
        }
        let after = self.dice.within(20, 90) * MS;
        self.post(after, Event::Limited);
        let at = self.at;
        let inside =
            |life: &super::life::Life| life.agent.stage == Stage::In && life.paused_until <= at;
        let Some(life) = self.some_life(inside) else { return };
        self.lives[life].bank_link.store(self.is_alone(life), Ordering::SeqCst);
        self.bank.is_going(self.engine.down_until > at, self.loss);
        let (agent, tool) = (self.dice.below(2) as usize, self.dice.pick(&LIMITED));
        *self.tallies.asked.entry(life).or_default().entry((agent, tool)).or_default() += 1;
        let Some(handed) = self.lives[life].authorize(agent, tool, at) else { return };
        let charged = self.bank.charged_at(agent, tool);
        match self.dice.below(10) {
            // It never starts, and comes back.
            0..=3 => drop(handed),
            4..=6 => self.start_limited(life, (agent, tool), charged, handed),
            _ => {
                let after = self.dice.below(1500) * MS;
                let limited = Box::new((agent, tool, charged, handed));
                self.post(after, Event::StartLimited(life, limited));
            }
        }
    }

    pub(super) fn start_limited(
        &mut self,
        life: usize,
        of: (usize, usize),
        charged: i64,
        handed: super::life::Handed,
    ) {
        let super::life::Handed { permit, on } = handed;
        if permit.start().is_err() {
            return;
        }
        self.started(super::oracle::Start { at: self.at, life, on });
        self.seen.limited += 1;
        let tally = self.tallies.all.entry(of).or_default();
        tally.starts.push(charged);
        let what = match TOOLS[of.1] {
            "few" => tally.starts.len() as u64 > FEW,
            _ => {
                let (most, window) = FAST;
                let within = |from: i64| {
                    let window = from..from + window as i64;
                    tally.starts.iter().filter(|at| window.contains(at)).count()
                };
                tally.starts.iter().any(|from| within(*from) > most)
            }
        };
        if what {
            let (agent, starts) = (AGENTS[of.0], tally.starts.len());
            self.violated(format!(
                "{agent} called `{}` more often than it may: {starts}",
                TOOLS[of.1]
            ));
        }
    }

    /// Some node tells what comes back.
    pub(super) fn give_back(&mut self, life: usize) {
        self.lives[life].bank_link.store(self.is_alone(life), Ordering::SeqCst);
        self.bank.is_going(self.engine.down_until > self.at, self.loss);
        self.lives[life].counting.give_back();
    }

    /// Once all is well, the store has counted what was used, and nothing else.
    pub(super) fn check_counts(&mut self) {
        let dead: Vec<usize> = (0..self.lives.len())
            .filter(|life| {
                let own = &self.lives[*life];
                own.is_dead || own.agent.stage != Stage::In
            })
            .collect();
        for life in 0..self.lives.len() {
            if !dead.contains(&life) && self.lives[life].counting.give_back() > 0 {
                let name = &self.lives[life].name;
                return self.violated(format!("{name} could not give back what was not used"));
            }
        }
        for life in dead {
            for (of, asked) in self.tallies.asked.remove(&life).unwrap_or_default() {
                self.tallies.all.entry(of).or_default().unsure += asked;
            }
        }
        self.seen.lost_counts += self.bank.lost();
        for ((agent, tool), tally) in &self.tallies.all {
            let used = self.bank.used(*agent, *tool);
            let started = tally.starts.len() as u64;
            if used < started || used > started + tally.unsure {
                let what = format!(
                    "of `{}`, {} started {started} calls, and the store has counted {used}",
                    TOOLS[*tool], AGENTS[*agent]
                );
                return self.violated(what);
            }
        }
    }
}

impl Bank {
    fn counter(&self, agent: usize, tool: usize) -> Option<SharedCounter> {
        let books = self.0.lock().unwrap();
        let key = Counting::key(&books.keys, (AGENTS[agent], TOOLS[tool]));
        books.rows.get(&key).map(|row| Counting::open(&books.keys, &key, row).unwrap())
    }

    /// By its clock, when the counter was charged last.
    fn charged_at(&self, agent: usize, tool: usize) -> i64 {
        self.counter(agent, tool).map_or(0, |own| own.seen().unix_millis())
    }

    fn used(&self, agent: usize, tool: usize) -> u64 {
        self.counter(agent, tool).map_or(0, |own| own.used())
    }
}

/// For how long a permit of the simulation may start.
pub(super) const STARTABLE: Duration = Duration::from_secs(30);
