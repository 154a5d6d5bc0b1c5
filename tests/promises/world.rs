//! A broker and a model of it, driven side by side by random operations.
//!
//! The model is a list of tasks, grants and permits, a clock and a list of events. After every
//! operation the answers and what stands are compared, at the end the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::audit::{Anchor, Entry, MemoryLog, Outcome, Sink, SinkError};
use hallpass::clock::ManualClock;
use hallpass::identity::Identity;
use hallpass::testing::FailingSink;
use hallpass::token::Token;
use hallpass::{Broker, Control, Denial, Gate, Grant, Halt, Permit, Reason, Running, Task};

use crate::case::{Case, Op};
use crate::universe::*;

pub(crate) const CEILING: i64 = 600_000;
pub(crate) const DEFAULT_TTL: i64 = 300_000;
pub(crate) const PERMIT_TTL: i64 = 30_000;

/// A sink that panics when told, without the noise of a panic's report.
struct PanicsOnCue {
    sink: FailingSink<MemoryLog>,
    cue: Arc<AtomicBool>,
}

impl Sink for PanicsOnCue {
    fn open(&self) -> Result<Option<Anchor>, SinkError> {
        self.sink.open()
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
        if self.cue.swap(false, Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("on cue"));
        }
        self.sink.append(entry)
    }
}

#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) used: u64,
    pub(crate) sum: i64,
    pub(crate) calls: Vec<i64>,
}

pub(crate) struct TaskModel {
    pub(crate) handle: Option<Task>,
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) requester: usize,
    pub(crate) why: WhySaid,
    pub(crate) ceiling: i64,
    pub(crate) over: bool,
    pub(crate) history: Vec<String>,
    pub(crate) counters: BTreeMap<String, Counter>,
    /// Clamped grants were used: what of which limit is spent is not for us to say.
    pub(crate) muddled: bool,
}

pub(crate) struct GrantModel {
    pub(crate) handle: Option<Grant>,
    pub(crate) id: hallpass::grant::GrantId,
    pub(crate) token: Token,
    pub(crate) task: usize,
    pub(crate) holder: usize,
    pub(crate) scope: Vec<CapabilitySaid>,
    pub(crate) stamps: Vec<(String, LimitsSaid)>,
    /// Several capabilities under counted limits: which limits are whose is not for us to say.
    pub(crate) muddled: bool,
    pub(crate) expires: i64,
    /// What the token says, whatever a reload made of the grant.
    pub(crate) token_expires: i64,
    pub(crate) idle: Option<i64>,
    pub(crate) last_used: i64,
    /// Why it ended, if it has.
    pub(crate) ended: Option<Reason>,
    /// Looked at again under another policy, whose limits it then has beside its own.
    pub(crate) clamped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Reserved,
    Running,
    Closed(Outcome),
}

pub(crate) struct PermitModel {
    pub(crate) handle: Option<Permit>,
    pub(crate) running: Option<Running>,
    pub(crate) number: u64,
    pub(crate) grant: usize,
    pub(crate) tool: String,
    pub(crate) lapses: i64,
    pub(crate) epoch: u64,
    pub(crate) state: State,
    /// What it holds of each rule's limits: one use and this much.
    pub(crate) charges: Vec<(String, i64)>,
}

pub(crate) struct World {
    pub(crate) case: Case,
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) sink: FailingSink<MemoryLog>,
    pub(crate) cue: Arc<AtomicBool>,
    pub(crate) log: MemoryLog,
    pub(crate) who: Vec<Identity>,
    // The model.
    pub(crate) wall: i64,
    pub(crate) counted: i64,
    pub(crate) now: i64,
    pub(crate) readable: bool,
    pub(crate) refuses: bool,
    pub(crate) panics: bool,
    pub(crate) policy: usize,
    pub(crate) epoch: u64,
    pub(crate) halts: Vec<Halt>,
    pub(crate) tasks: Vec<TaskModel>,
    pub(crate) grants: Vec<GrantModel>,
    pub(crate) permits: Vec<PermitModel>,
    pub(crate) events: Vec<String>,
    /// How many permits and grants there were, so that a property can see that it saw some.
    pub(crate) permitted: usize,
    pub(crate) granted: usize,
    pub(crate) started: usize,
}

pub(crate) fn run(case: &Case) -> World {
    let mut world = World::new(case.clone());
    for op in &case.ops {
        world.apply(op);
        world.compare();
    }
    world.finish();
    world
}

impl World {
    fn new(case: Case) -> Self {
        let clock = ManualClock::new(at(0));
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let cue = Arc::new(AtomicBool::new(false));
        let broker = Broker::builder(case.policies[0].policy())
            .clock(clock.clone())
            .ceiling(Duration::from_millis(CEILING as u64))
            .default_ttl(Duration::from_millis(DEFAULT_TTL as u64))
            .permit_ttl(Duration::from_millis(PERMIT_TTL as u64))
            .log(PanicsOnCue { sink: sink.clone(), cue: cue.clone() })
            .build()
            .unwrap();
        let who =
            case.whos.iter().map(|w| broker.assert_identity(w.assertion()).unwrap()).collect();
        World {
            gate: broker.gate(),
            control: broker.control(),
            broker,
            clock,
            sink,
            cue,
            log,
            who,
            wall: 0,
            counted: 0,
            now: 0,
            readable: true,
            refuses: false,
            panics: false,
            policy: 0,
            epoch: 1,
            halts: Vec::new(),
            tasks: Vec::new(),
            grants: Vec::new(),
            permits: Vec::new(),
            events: vec!["reloaded 1".into()],
            permitted: 0,
            granted: 0,
            started: 0,
            case,
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Open { who, why, name } => self.open(*who, why, *name),
            Op::Request { task, holder, wanted, context } => {
                self.request(*task, *holder, wanted, *context);
            }
            Op::Authorize { grant, caller, call, inside, context } => {
                self.authorize(*grant, *caller, *call, *inside, *context);
            }
            Op::Start(n) => self.start(*n, false),
            Op::RunAndPanic(n) => self.start(*n, true),
            Op::DropPermit(n) => {
                if let Some(at) = pick(&self.permits, *n, |p| p.handle.is_some()) {
                    drop(self.permits[at].handle.take());
                    self.close(at, Outcome::Abandoned);
                }
            }
            Op::Succeed(n) => self.finish_call(*n, Outcome::Ok),
            Op::Fail(n) => self.finish_call(*n, Outcome::Error),
            Op::DropRunning(n) => self.finish_call(*n, Outcome::Interrupted),
            Op::Revoke { grant, how } => self.revoke(*grant, *how),
            Op::End { task, how } => self.end(*task, *how),
            Op::Reload(to) => self.reload(*to),
            Op::Advance(s) => {
                self.clock.advance(Duration::from_secs(*s));
                self.wall += *s as i64 * 1000;
                self.counted += *s as i64 * 1000;
            }
            Op::Suspend(s) => {
                self.clock.suspend(Duration::from_secs(*s));
                self.wall += *s as i64 * 1000;
            }
            Op::StepBack(s) => {
                self.wall -= *s as i64 * 1000;
                let wall = hallpass::clock::Timestamp::from_unix_millis(START + self.wall);
                self.clock.set_wall(wall.unwrap());
            }
            Op::Halt(what) => self.halt(what),
            Op::Resume(n) => {
                if let Some(what) = self.halts.get(n % self.halts.len().max(1)).cloned() {
                    self.resume(&what);
                }
            }
            Op::ResumeOther(what) => self.resume(what),
            Op::Sink(works) => {
                self.refuses = !works;
                if *works { self.sink.recover() } else { self.sink.fail_after(0) }
            }
            Op::SinkPanics => {
                self.panics = true;
                self.cue.store(true, Ordering::SeqCst);
            }
            Op::Timeless(op) => {
                self.readable = false;
                self.clock.fail();
                self.apply(op);
                self.compare();
                self.clock.recover();
                self.readable = true;
            }
        }
    }

    /// Time as the broker has it; whether it can be read.
    pub(crate) fn tick(&mut self) -> bool {
        if self.readable {
            self.now = self.now.max(self.wall).max(self.counted);
        }
        self.readable
    }

    pub(crate) fn stopped(
        &self,
        who: usize,
        requester: usize,
        task: &str,
        tool: Option<&str>,
    ) -> bool {
        self.halts.iter().any(|halt| stops(halt, &self.case.whos, who, requester, task, tool))
    }

    /// Whether the log takes the next record; of one that gives access, what it says instead.
    pub(crate) fn accepts(&mut self, kind: &str) -> bool {
        let takes = !self.refuses && !self.panics;
        if !self.refuses || self.panics {
            self.panics = false;
        }
        if !takes {
            self.events.push(format!("withdrawn {kind}"));
        }
        takes
    }

    /// A record of what stands anyway.
    pub(crate) fn record(&mut self, event: String) {
        self.panics = false;
        self.events.push(event);
    }

    pub(crate) fn denied(&mut self, stage: &str, answer: Result<(), Denial>, expected: &[Reason]) {
        let denial = answer.expect_err(&format!("{stage} passed, expected one of {expected:?}"));
        let reason = denial.reason();
        assert!(expected.contains(&reason), "{}, expected {expected:?}", denial.explain());
        shows_nothing(&denial);
        self.record(format!("denied {stage} {reason}"));
    }
}

/// P10: neither form of a denial that an agent may see says more than its code and reason.
pub(crate) fn shows_nothing(denial: &Denial) {
    assert_eq!(denial.to_string(), format!("denied: {}", denial.code()));
    let (code, reason) = (denial.code(), denial.reason());
    assert_eq!(
        format!("{denial:?}"),
        format!("Denial {{ code: {code:?}, reason: {reason:?}, .. }}")
    );
    assert_eq!(reason.code(), code);
}

pub(crate) fn stops(
    halt: &Halt,
    whos: &[WhoSaid],
    who: usize,
    requester: usize,
    task: &str,
    tool: Option<&str>,
) -> bool {
    match halt {
        Halt::Everything => true,
        Halt::Identity(id) => {
            // Either of them, and whoever they act for.
            [&whos[who], &whos[requester]]
                .iter()
                .any(|one| one.id == **id || one.acts_for.as_deref() == Some(&**id))
        }
        Halt::Task(name) => **name == *task,
        Halt::Tool(name) => tool == Some(&**name),
    }
}

/// One of those that are so.
pub(crate) fn pick<T>(all: &[T], n: usize, so: impl Fn(&T) -> bool) -> Option<usize> {
    let found: Vec<usize> = (0..all.len()).filter(|at| so(&all[*at])).collect();
    found.get(n % found.len().max(1)).copied()
}

/// As [`pick`], mostly among those that also are as preferred.
pub(crate) fn prefer<T>(
    all: &[T],
    n: usize,
    so: impl Fn(&T) -> bool,
    preferred: impl Fn(&T) -> bool,
) -> Option<usize> {
    let best =
        if n.is_multiple_of(8) { None } else { pick(all, n / 8, |one| so(one) && preferred(one)) };
    best.or_else(|| pick(all, n, so))
}
