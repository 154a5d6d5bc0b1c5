//! Nodes of one fleet, on one clock that a test moves, over one store that a test can break.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::fleet::{
    ActError, Acting, CounterKey, CounterRow, Done, Entry, Fleet, FleetBuilder, Mark, MemoryStore,
    News, NodeRow, RowVersion, Snapshot, Store, StoreError,
};
use hallpass::key::SecretKey;
use hallpass::prelude::*;

pub(crate) const LEASE: Duration = Duration::from_secs(2);
pub(crate) const STEP: Duration = Duration::from_millis(20);

pub(crate) const ALL: &str = r#"
    version = 1
    rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" }, grant = { uses = 3 } }]
"#;
pub(crate) const READ: &str = r#"
    version = 1
    rule = [{ id = "read", effect = "permit", what = { tool = "read", args = "any" } }]
"#;

/// The store, as one node reaches it.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) store: MemoryStore,
    is_cut: Arc<Mutex<bool>>,
    /// Called inside each write, before it is made.
    on_write: Arc<Mutex<Option<Hook>>>,
    /// Called with what is read.
    changes: Arc<Mutex<Option<Change>>>,
    /// Called with the numbers of entries that the node is to hear of.
    pub(crate) news: Arc<Mutex<Option<News>>>,
    /// The next write is made, and its answer lost.
    loses_answer: Arc<Mutex<bool>>,
    /// Called before counters are changed: how that goes.
    on_count: Arc<Mutex<CountHook>>,
    /// How often counters were asked for, and which ones last.
    counts: Arc<AtomicU64>,
    last_keys: Arc<Mutex<Vec<CounterKey>>>,
}

/// How it goes with counters.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    Well,
    /// Nothing is changed.
    NotReached,
    /// All is changed, and the answer is lost.
    Lost,
}

type CountHook = Arc<dyn Fn() -> Counted + Send + Sync>;

type Hook = Box<dyn FnMut() + Send>;
type Change = Box<dyn FnMut(&mut Snapshot) + Send>;

impl Link {
    fn new(store: &MemoryStore) -> Self {
        Link {
            store: store.clone(),
            is_cut: Arc::default(),
            on_write: Arc::default(),
            changes: Arc::default(),
            news: Arc::default(),
            loses_answer: Arc::default(),
            on_count: Arc::new(Mutex::new(Arc::new(|| Counted::Well))),
            counts: Arc::default(),
            last_keys: Arc::default(),
        }
    }

    pub(crate) fn on_count(&self, call: impl Fn() -> Counted + Send + Sync + 'static) {
        *self.on_count.lock().unwrap() = Arc::new(call);
    }

    pub(crate) fn counts(&self) -> u64 {
        self.counts.load(Ordering::SeqCst)
    }

    pub(crate) fn last_keys(&self) -> Vec<CounterKey> {
        self.last_keys.lock().unwrap().clone()
    }

    pub(crate) fn cut(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap() = is_cut;
    }

    pub(crate) fn on_write(&self, call: impl FnMut() + Send + 'static) {
        *self.on_write.lock().unwrap() = Some(Box::new(call));
    }

    pub(crate) fn change(&self, change: impl FnMut(&mut Snapshot) + Send + 'static) {
        *self.changes.lock().unwrap() = Some(Box::new(change));
    }

    pub(crate) fn lose_answer(&self) {
        *self.loses_answer.lock().unwrap() = true;
    }

    fn check(&self) -> Result<(), StoreError> {
        if *self.is_cut.lock().unwrap() { Err(StoreError::new("cut off")) } else { Ok(()) }
    }

    fn changed(&self, mut snapshot: Snapshot) -> Snapshot {
        if let Some(change) = &mut *self.changes.lock().unwrap() {
            change(&mut snapshot);
        }
        snapshot
    }

    fn answer<T>(&self, answer: T) -> Result<T, StoreError> {
        match std::mem::take(&mut *self.loses_answer.lock().unwrap()) {
            true => Err(StoreError::new("the answer is lost")),
            false => Ok(answer),
        }
    }
}

impl Store for Link {
    fn on_news(&self, news: News) {
        *self.news.lock().unwrap() = Some(news);
    }

    fn read(&self, after: u64) -> Result<Snapshot, StoreError> {
        self.check()?;
        Ok(self.changed(self.store.read(after)?))
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        self.check()?;
        let done = self.store.append(entry, over)?;
        self.answer(done)
    }

    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        self.check()?;
        if let Some(call) = &mut *self.on_write.lock().unwrap() {
            call();
        }
        let (done, snapshot) = self.store.write(row, over, after)?;
        self.answer((done, self.changed(snapshot)))
    }

    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        self.counts.fetch_add(1, Ordering::SeqCst);
        *self.last_keys.lock().unwrap() = keys.to_vec();
        let call = self.on_count.lock().unwrap().clone();
        match call() {
            Counted::NotReached => Err(StoreError::new("not reached")),
            Counted::Well => self.store.count(keys, change),
            Counted::Lost => {
                self.store.count(keys, change)?;
                Err(StoreError::new("the answer is lost"))
            }
        }
    }
}

pub(crate) struct Node {
    pub(crate) broker: Broker,
    pub(crate) fleet: Fleet,
    pub(crate) link: Link,
    pub(crate) agent: Identity,
    pub(crate) is_stopped: bool,
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: MemoryStore,
    pub(crate) nodes: Vec<Node>,
}

pub(crate) fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

impl World {
    /// This many nodes, all with a lease.
    pub(crate) fn of(nodes: usize) -> World {
        let mut world = World::empty();
        for n in 0..nodes {
            world.add(&format!("n{n}"));
        }
        world.pass(LEASE);
        assert!(world.nodes.iter().all(|node| node.fleet.status().lease.is_some()));
        world
    }

    pub(crate) fn empty() -> World {
        let wall = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let clock = ManualClock::new(wall);
        World { store: MemoryStore::with_clock(clock.clone()), clock, nodes: Vec::new() }
    }

    /// Another node, which has not asked anything yet.
    pub(crate) fn add(&mut self, name: &str) -> usize {
        self.add_past(name, None)
    }

    pub(crate) fn add_past(&mut self, name: &str, past: Option<Mark>) -> usize {
        let with_past = |builder: FleetBuilder| past.into_iter().fold(builder, FleetBuilder::past);
        self.add_built(name, |broker| broker, with_past)
    }

    /// Another node, whose broker and whose place in the fleet are built as is said.
    pub(crate) fn add_built(
        &mut self,
        name: &str,
        broker: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
        builder: impl FnOnce(FleetBuilder) -> FleetBuilder,
    ) -> usize {
        let policy = Policy::from_toml(ALL).unwrap();
        let built = Broker::builder(policy).clock(self.clock.clone());
        let broker = broker(built).build().unwrap();
        let link = Link::new(&self.store);
        let builder = builder(Fleet::builder("acme", name).lease(LEASE));
        let fleet = builder.join(&broker, &secret(0), link.clone()).unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        self.nodes.push(Node { broker, fleet, link, agent, is_stopped: false });
        self.nodes.len() - 1
    }

    /// Lets time pass, and every node that is not stopped do what is due.
    pub(crate) fn pass(&self, span: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.clock.advance(step);
            left -= step;
            for node in self.nodes.iter().filter(|node| !node.is_stopped) {
                node.fleet.tend();
            }
        }
    }

    /// Lets time pass until an act is final: what it came to, and after how long.
    pub(crate) fn finish(&self, act: &Acting) -> (Done, Duration) {
        let mut passed = Duration::ZERO;
        loop {
            match act.look() {
                Ok(done) => return (done, passed),
                Err(ActError::NotYet(_)) => {}
                Err(error) => panic!("{error}"),
            }
            assert!(passed < 5 * LEASE, "{:?}", act.look());
            self.pass(STEP);
            passed += STEP;
        }
    }
}

impl Node {
    pub(crate) fn grant(&self, tool: &str) -> Result<(Task, Grant), Denial> {
        let task = self.broker.open(&self.agent, Purpose::new("errand"))?;
        let grant = task.request(Scope::tool(tool).any_args(), &Context::new())?;
        Ok((task, grant))
    }

    pub(crate) fn permit(&self, grant: &Grant, tool: &str) -> Result<Permit, Denial> {
        let call = Call::new(tool, serde_json::json!({})).unwrap();
        self.broker.gate().authorize(grant, &self.agent, call, &Context::new())
    }

    /// Why a fresh task can't call a tool, if it can't.
    pub(crate) fn denied(&self, tool: &str) -> Option<Reason> {
        let called = self.grant(tool).and_then(|(_task, grant)| self.permit(&grant, tool)?.start());
        called.err().map(|denial| denial.reason())
    }
}
