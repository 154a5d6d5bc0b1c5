//! What a million live grants cost: bytes, time at the gate, and the pauses of ends and sweeps.
//!
//! `cargo bench -p hallpass-benches --bench scale` prints the table of `docs/scale.md`. Without `--bench` it runs in small
//! and checks the bounds that do not depend on the machine. What threads gain is measured by the bench
//! `gate`: here an allocator that counts and a clock set by hand are what they would meet at.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement: it reads the clock and prints"
)]

use std::alloc::System;
use std::time::{Duration, Instant};

use hallpass::audit::{Entry, Kept, Sink, SinkError, Tail};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PRINCIPALS: usize = 50_000;
const SAMPLE: usize = 1_000;
const ROUNDS: usize = 40;

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let (many, family) = if full { (1_000_000, 100_000) } else { (20_000, 10_000) };
    println!("| figure | value |\n|---|---|");
    let small = World::of(SAMPLE);
    let at_few = small.call_costs();
    drop(small);
    let world = World::of(many);
    println!("| live grants | {many} |");
    println!("| bytes per live grant, all in | {:.0} |", world.bytes_per_grant);
    assert!(!full || world.bytes_per_grant <= 300.0, "{} bytes", world.bytes_per_grant);
    println!("| the host's own handle of a task, bytes | {} |", size_of::<Task>());
    let used = world.bytes_per_used_grant();
    println!("| bytes per live grant that has been used once | {used:.0} |");
    let at_many = world.call_costs();
    println!("| a gated call among {SAMPLE} grants | {at_few:?} |");
    println!("| a gated call among {many} grants | {at_many:?} |");
    println!("| ratio | {:.2} |", at_many.as_secs_f64() / at_few.as_secs_f64());
    world.sweep_all();
    family_ends(family);
}

/// Takes everything and keeps nothing, so that only the broker is measured.
struct Nowhere;

impl Sink for Nowhere {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
}

struct World {
    broker: Broker,
    gate: Gate,
    clock: ManualClock,
    agents: Vec<Identity>,
    tasks: Vec<Task>,
    /// Some grants, spread over all tasks, each with its holder.
    sample: Vec<(Grant, usize)>,
    bytes_per_grant: f64,
}

fn held() -> usize {
    let stats = HEAP.stats();
    // Bytes that a reallocation added are counted by itself, with their sign.
    (stats.bytes_allocated as isize - stats.bytes_deallocated as isize) as usize
}

fn broker() -> (Broker, ManualClock) {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let rule = Rule::permit("work").tools(["db.query", "db.write", "mail.send"]).any_args();
    let rule = rule.on(everywhere).uses(1_000_000).ttl(Duration::from_secs(300)).depth(8);
    let policy = Policy::builder().rule(rule).build().unwrap();
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let builder = Broker::builder(policy).clock(clock.clone()).log(Nowhere);
    (builder.build().unwrap(), clock)
}

fn scope() -> Scope {
    Scope::tool("db.query")
        .any_args()
        .and_tool("db.write")
        .any_args()
        .and_tool("mail.send")
        .any_args()
}

fn query() -> Call {
    Call::new("db.query", json!({ "table": "orders", "limit": 100 })).unwrap()
}

impl World {
    fn of(grants: usize) -> World {
        let (broker, clock) = broker();
        let mut tasks = Vec::with_capacity(grants);
        let mut agents = Vec::with_capacity(PRINCIPALS);
        let before = held();
        for n in 0..PRINCIPALS.min(grants) {
            agents.push(broker.assert_identity(format!("agent-{n:06}").as_str()).unwrap());
        }
        let mut sample = Vec::with_capacity(SAMPLE);
        let context = Context::new();
        let (mut handle, every) = (0, grants / SAMPLE);
        for n in 0..grants {
            let agent = n % agents.len();
            let name = format!("task-{n:08}");
            let task = broker.open_named(&name, &agents[agent], Purpose::new("reporting")).unwrap();
            let with = held();
            let grant = task.request(scope(), &context).unwrap();
            if n % every == 0 && sample.len() < SAMPLE {
                sample.push((grant, agent));
            } else {
                let both = held() - with;
                drop(grant);
                // What the host keeps of a grant is not the broker's.
                handle = both - (held() - with);
            }
            tasks.push(task);
        }
        let bytes_per_grant =
            (held() - before).saturating_sub(handle * sample.len()) as f64 / grants as f64;
        World { gate: broker.gate(), broker, clock, agents, tasks, sample, bytes_per_grant }
    }

    fn call(&self, (grant, agent): &(Grant, usize)) {
        let who = &self.agents[*agent];
        let permit = self.gate.authorize(grant.token(), who, query(), &Context::new()).unwrap();
        permit.start().unwrap().succeed();
    }

    /// A call with one grant after the other: the best round, which is the one the rest of the machine
    /// disturbed least.
    fn call_costs(&self) -> Duration {
        (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                self.sample.iter().for_each(|one| self.call(one));
                start.elapsed() / self.sample.len() as u32
            })
            .min()
            .unwrap()
    }

    fn bytes_per_used_grant(&self) -> f64 {
        self.broker.sweep(usize::MAX);
        let before = held();
        self.sample.iter().for_each(|one| self.call(one));
        self.broker.sweep(usize::MAX);
        self.bytes_per_grant + held().saturating_sub(before) as f64 / self.sample.len() as f64
    }

    /// All grants are past their time: how long is a step, and what is left?
    fn sweep_all(self) {
        let World { broker, clock, agents, tasks, sample, .. } = self;
        clock.advance(Duration::from_secs(300));
        assert!(broker.standing().grants.is_empty());
        let mut steps = Vec::new();
        loop {
            let start = Instant::now();
            let swept = broker.sweep(256);
            steps.push(start.elapsed());
            if swept == 0 {
                break;
            }
        }
        println!("| sweeping them all, 256 tasks a step | {} |", pauses(steps));
        drop((tasks, sample, agents));
        assert!(broker.standing().is_empty());
    }
}

fn pauses(mut steps: Vec<Duration>) -> String {
    steps.sort();
    let (all, count) = (steps.iter().sum::<Duration>(), steps.len());
    let (median, most) = (steps[count / 2], steps[count * 99 / 100]);
    let longest = steps[count - 1];
    format!(
        "{all:.1?} in {count} steps: median {median:.1?}, 99 of 100 {most:.1?}, longest {longest:.1?}"
    )
}

fn family_ends(size: usize) {
    let (broker, _clock) = broker();
    let root = broker.assert_identity("root").unwrap();
    let child = broker.assert_identity("child").unwrap();
    let context = Context::new();
    for by_task in [false, true] {
        let before = held();
        let task = broker.open(&root, Purpose::new("reporting")).unwrap();
        let top = task.request(scope(), &context).unwrap();
        let mut last = None;
        for _ in 0..size {
            last = Some(task.delegate(&top, &child, scope(), &context).unwrap());
        }
        let last = last.unwrap();
        let start = Instant::now();
        let what = if by_task {
            task.complete();
            "ending a task"
        } else {
            assert!(!task.revoke_grant(&top).is_empty());
            "revoking a grant"
        };
        let effect = start.elapsed();
        let denied = broker.gate().authorize(last.token(), &child, query(), &context);
        assert!(denied.is_err() && broker.standing().grants.is_empty());
        let mut steps = Vec::new();
        while broker.stats().sweep_debts > 0 {
            let start = Instant::now();
            broker.sweep(1);
            steps.push(start.elapsed());
        }
        println!("| {what} with {size} descendants, its effect | {effect:?} |");
        println!("| ... and putting them away | {} |", pauses(steps));
        drop((last, top));
        println!("| ... heap still held afterwards, bytes | {} |", held().saturating_sub(before));
    }
}
