//! The world of the simulation: one order of events in virtual time, drawn from a seed.

use crate::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Planted;
use super::bank::{Bank, Tallies};
use super::calls::Attempt;
use super::clock::{NodeClock, TrueTime};
use super::dice::Dice;
use super::elsewhere::{Elsewhere, Errands};
use super::engine::{Engine, Transaction};
use super::life::{Handed, Life};
use super::oracle::{Issued, Seen};
use crate::fleet::agent::{Ask, Next, Reply, Stage};
use crate::fleet::answers::Answer;
use crate::fleet::calls::Vouched;
use crate::fleet::keys::FleetKeys;
use crate::fleet::mark::Mark;
use crate::fleet::store::StoreError;
use crate::fleet::terms::Terms;
use crate::key::SecretKey;

pub(super) const MS: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000 * MS;

/// For how long things go wrong, and for how long after that nothing does.
const TROUBLED: u64 = 14 * SECOND;
const QUIET: u64 = 12 * SECOND;

pub(super) enum Event {
    /// A node does what is due, if it was not woken since.
    Step(usize, u64),
    Begin(usize, u64, Ask),
    Commit(usize, u64),
    Reply(usize, u64, Reply),
    NoReply(usize, u64),
    /// An agent calls a tool.
    Call,
    Start(usize, Box<Handed>),
    GoOn(usize),
    /// An agent calls a tool that is limited over all nodes.
    Limited,
    StartLimited(usize, Box<(usize, usize, i64, Handed)>),
    /// An operator acts.
    Act,
    /// Something goes wrong.
    Trouble,
    Restart(usize),
    CatchUp(usize),
    /// Something happens to a call of another node's task.
    Elsewhere(Elsewhere),
}

pub(super) struct World {
    pub(super) planted: Planted,
    pub(super) true_time: TrueTime,
    pub(super) at: u64,
    sequence: u64,
    events: BTreeMap<(u64, u64), Event>,
    pub(super) dice: Dice,
    pub(super) engine: Engine,
    pub(super) lives: Vec<Life>,
    steps: Vec<u64>,
    begun: BTreeMap<u64, Transaction>,
    asks: u64,
    pub(super) acts: Vec<Issued>,
    pub(super) attempts: Vec<Option<Attempt>>,
    pub(super) errands: Errands,
    pub(super) bank: Bank,
    pub(super) tallies: Tallies,
    /// Every node attests everybody at every other.
    vouched: Vouched,
    /// How many processes there are at most.
    pub(super) most: usize,
    keys: Arc<FleetKeys>,
    pub(super) terms: Terms,
    /// Of a thousand messages, how many are lost, and how many are late.
    pub(super) loss: u64,
    pub(super) late: u64,
    /// How many transactions are slow, and how long a message takes at most, in milliseconds.
    pub(super) slow: u64,
    pub(super) leg: u64,
    pub(super) is_quiet: bool,
    pub(super) seen: Seen,
    pub(super) violation: Option<String>,
}

impl World {
    pub(super) fn new(seed: u64, planted: Planted, nodes: u64) -> Self {
        let terms = Terms { lease: std::time::Duration::from_secs(1), drift: 10 };
        let mut world = World::calm(seed, planted, nodes, terms);
        world.post(SECOND / 5, Event::Trouble);
        world.post(SECOND / 10, Event::Act);
        world.post(SECOND / 2, Event::Call);
        world.post(SECOND / 2, Event::Limited);
        world.post(SECOND / 2, Event::Elsewhere(Elsewhere::Ask));
        world.post(SECOND, Event::Elsewhere(Elsewhere::End));
        world
    }

    /// Nodes that join, and nothing else.
    pub(super) fn calm(seed: u64, planted: Planted, nodes: u64, terms: Terms) -> Self {
        let mut dice = Dice::new(seed);
        let secret: Vec<u8> = (0..32).collect();
        let keys = Arc::new(FleetKeys::of(&SecretKey::from_bytes(&secret).unwrap(), "sim"));
        let mut vouched = Vouched::default();
        (0..nodes).for_each(|node| vouched.add(&format!("n{node}"), "*"));
        let (loss, late) = (dice.below(120), dice.below(60));
        let true_time = TrueTime::default();
        let bank = Bank::new(planted, keys.clone(), true_time.clone(), dice.split());
        let mut world = World {
            planted,
            true_time,
            at: 0,
            sequence: 0,
            events: BTreeMap::new(),
            dice,
            engine: Engine::new(planted),
            lives: Vec::new(),
            steps: Vec::new(),
            begun: BTreeMap::new(),
            asks: 0,
            acts: Vec::new(),
            attempts: Vec::new(),
            errands: Errands::default(),
            bank,
            tallies: Tallies::default(),
            vouched,
            most: usize::try_from(nodes).unwrap() + 7,
            keys,
            terms,
            loss,
            late,
            slow: 150,
            leg: 12,
            is_quiet: false,
            seen: Seen::default(),
            violation: None,
        };
        for n in 0..nodes {
            let clock = world.clock();
            world.add_life(&format!("n{n}"), clock, None);
        }
        world
    }

    /// Runs it to its end; what was violated, if anything was.
    pub(super) fn run(mut self) -> Result<Seen, String> {
        while let Some(event) = self.next_event(TROUBLED + QUIET) {
            if self.at > TROUBLED && !self.is_quiet {
                self.calm_down();
            }
            self.happens(event);
            if self.violation.is_none() {
                self.violation = self.engine.returned.take();
            }
            if self.violation.is_some() {
                break;
            }
        }
        self.let_threads_go();
        if self.violation.is_none() {
            self.check_end();
        }
        if self.violation.is_none() {
            self.check_counts();
        }
        match self.violation {
            Some(violation) => Err(format!("at {} ms: {violation}", self.at / MS)),
            None => Ok(self.seen),
        }
    }

    /// What happens next, if anything does until then: it is the time of that by now.
    pub(super) fn next_event(&mut self, until: u64) -> Option<Event> {
        let ((at, _), event) = self.events.pop_first()?;
        self.at = at;
        self.true_time.store(at, Ordering::SeqCst);
        (at <= until).then_some(event)
    }

    fn calm_down(&mut self) {
        self.is_quiet = true;
        (self.loss, self.late) = (0, 0);
        for life in &mut self.lives {
            life.cut_off_until = 0;
        }
    }

    pub(super) fn post(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.at + after, self.sequence), event);
    }

    /// Has a node do what is due, so soon.
    pub(super) fn wake(&mut self, life: usize, after: u64) {
        self.steps[life] += 1;
        self.post(after, Event::Step(life, self.steps[life]));
    }

    /// The clock of another machine: rates of two differ by less than the terms say.
    pub(super) fn clock(&mut self) -> NodeClock {
        let rate = self.dice.within(956_000, 1_044_000);
        let ahead = self.dice.below(10_000) as i64 - 5_000;
        NodeClock::new(&self.true_time, rate, ahead)
    }

    pub(super) fn add_life(&mut self, name: &str, clock: NodeClock, past: Option<Mark>) {
        let keys = self.keys.clone();
        let name = (name, self.lives.len(), self.vouched.clone());
        let (terms, planted, dice) = (self.terms, self.planted, &mut self.dice);
        let link = self.bank.link();
        let life = Life::new(name, (clock, link), &keys, terms, past, planted, dice);
        self.lives.push(life);
        self.steps.push(0);
        let after = self.dice.below(200) * MS;
        self.wake(self.lives.len() - 1, after);
    }

    /// When a stopped process goes on; `None` of one that never does.
    pub(super) fn stopped_for(&self, life: usize) -> Option<u64> {
        let life = &self.lives[life];
        if life.is_dead { None } else { Some(life.paused_until.saturating_sub(self.at)) }
    }

    pub(super) fn happens(&mut self, event: Event) {
        let stopped = match &event {
            Event::Step(life, _)
            | Event::Reply(life, ..)
            | Event::NoReply(life, _)
            | Event::Start(life, _)
            | Event::StartLimited(life, _)
            | Event::CatchUp(life) => self.stopped_for(*life),
            Event::GoOn(attempt) => {
                self.attempts[*attempt].as_ref().and_then(|own| self.stopped_for(own.life))
            }
            Event::Elsewhere(what) => {
                self.place_of(what).map_or(Some(0), |life| self.stopped_for(life))
            }
            _ => Some(0),
        };
        match stopped {
            None => return,
            Some(0) => {}
            Some(left) => return self.post(left, event),
        }
        match event {
            Event::Step(life, step) if step == self.steps[life] => self.step(life),
            Event::Step(..) => {}
            Event::Begin(life, number, ask) => self.begin(life, number, ask),
            Event::Commit(life, number) => self.commit(life, number),
            Event::Reply(life, number, reply) => self.answer(life, number, Ok(reply)),
            Event::NoReply(life, number) => {
                self.answer(life, number, Err(StoreError::new("no answer in time")));
            }
            Event::Call => self.call(),
            Event::Start(life, handed) => self.start(life, *handed),
            Event::Limited => self.call_limited(),
            Event::StartLimited(life, limited) => {
                let (agent, tool, charged, handed) = *limited;
                self.start_limited(life, (agent, tool), charged, handed);
            }
            Event::GoOn(attempt) => self.go_on(attempt),
            Event::Act => {
                if !self.is_quiet {
                    self.act();
                    let after = self.dice.within(100, 900) * MS;
                    self.post(after, Event::Act);
                }
            }
            Event::Trouble => {
                if !self.is_quiet {
                    self.trouble();
                    let after = self.dice.within(50, 1200) * MS;
                    self.post(after, Event::Trouble);
                }
            }
            Event::Restart(before) => {
                let (name, clock) =
                    (self.lives[before].name.clone(), self.lives[before].clock.clone());
                self.add_life(&name, clock, None);
            }
            Event::CatchUp(life) => self.lives[life].catch_up(),
            Event::Elsewhere(what) => self.elsewhere(what),
        }
    }

    fn step(&mut self, life: usize) {
        if self.lives[life].asked.is_some() {
            return;
        }
        if self.dice.hits(200) {
            self.give_back(life);
        }
        let own = &mut self.lives[life];
        own.desk.sweep();
        if own.membership.peers.take_wanted() {
            own.agent.want_rows();
        }
        let reading = own.clock.shows();
        let next = own.agent.next(&reading);
        self.look_at_acts();
        match next {
            Next::Rest(rest) => {
                let rest = u64::try_from(rest.as_nanos()).unwrap();
                let oversleeps = self.dice.below(5) * MS;
                self.wake(life, rest + oversleeps + MS / 10);
            }
            Next::Ask(ask) => {
                self.asks += 1;
                let (number, own) = (self.asks, &mut self.lives[life]);
                own.asked = Some((number, reading));
                own.asked_at = self.at;
                let patience = u64::try_from(self.terms.lease.as_nanos()).unwrap() / 3;
                self.post(patience, Event::NoReply(life, number));
                let copies = if self.dice.hits(30) { 2 } else { 1 };
                for _ in 0..copies {
                    if !self.dice.hits(self.loss) {
                        let after = self.delay();
                        self.post(after, Event::Begin(life, number, ask.clone()));
                    }
                }
            }
        }
    }

    /// How long a message takes, or a step.
    pub(super) fn delay(&mut self) -> u64 {
        match self.dice.hits(self.late) {
            true => self.dice.within(100, 2500) * MS,
            false => self.dice.within(1, self.leg) * MS,
        }
    }

    fn is_cut_off(&self, life: usize) -> bool {
        self.engine.down_until > self.at || self.is_alone(life)
    }

    pub(super) fn is_alone(&self, life: usize) -> bool {
        self.lives[life].cut_off_until > self.at
    }

    fn begin(&mut self, life: usize, number: u64, ask: Ask) {
        if self.is_cut_off(life) {
            return;
        }
        self.begun.insert(number, self.engine.begin(ask));
        // Between what a transaction reads and its commit there may be a while.
        let is_slow = self.dice.hits(self.slow);
        let after = if is_slow { self.dice.within(20, 320) * MS } else { self.delay() };
        self.post(after, Event::Commit(life, number));
    }

    fn commit(&mut self, life: usize, number: u64) {
        // Under way as the server failed: it was not committed.
        if self.engine.down_until > self.at {
            self.begun.remove(&number);
        }
        let Some(begun) = self.begun.remove(&number) else { return };
        let reply = self.engine.commit(begun, self.at);
        if !self.is_cut_off(life) && !self.dice.hits(self.loss) {
            let after = self.delay();
            self.post(after, Event::Reply(life, number, reply));
        }
    }

    fn answer(&mut self, life: usize, number: u64, reply: Result<Reply, StoreError>) {
        let planted = self.planted;
        let own = &mut self.lives[life];
        let Some((_, asked)) = own.asked.take_if(|(own, _)| *own == number) else { return };
        let now = own.clock.shows();
        // Planted: the row that makes a node visible gives it a lease at once.
        let is_in_one_step = planted == Planted::JoinsInOneStep
            && matches!(own.agent.stage, Stage::Entering { .. })
            && matches!(&reply, Ok(Reply::Written(true, found)) if found.head == own.agent.applied);
        let counted_from = if planted == Planted::CountedFromAnswer { now } else { asked };
        own.with_target(|agent, target| {
            agent.answer(reply, &Answer { asked: counted_from, now, target });
            if is_in_one_step {
                use crate::fleet::agent::Applies;
                target.extend_lease(&asked);
            }
        });
        own.note_applied(self.at);
        own.note_peers();
        if own.has_deferred() {
            let after = self.dice.within(0, 600) * MS;
            self.post(after, Event::CatchUp(life));
        }
        self.look_at_acts();
        self.check_lease(life);
        let after = self.dice.within(0, 2) * MS + MS / 10;
        self.wake(life, after);
    }
}
