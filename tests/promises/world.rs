//! A broker and a model of it, driven side by side by random operations.
//!
//! The model is a list of tasks, grants and permits, a clock and a list of events. After every
//! operation the answers and what stands are compared, at the end the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::audit::{Anchor, Entry, Event, MemoryLog, Outcome, Sink, SinkError};
use hallpass::clock::ManualClock;
use hallpass::identity::Identity;
use hallpass::policy::{Effect, Moment};
use hallpass::testing::FailingSink;
use hallpass::token::Token;
use hallpass::{
    Broker, Code, Control, Denial, Gate, Grant, Halt, Permit, Reason, RunError, Running, Task,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::door;
use crate::model::{
    Question, Says, Setting, covers, decide, labels_of, on_call, on_setting, speaks,
};
use crate::universe::*;

const CEILING: i64 = 600_000;
const DEFAULT_TTL: i64 = 300_000;
const PERMIT_TTL: i64 = 30_000;

/// What a whole case is made of.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) policies: Vec<PolicySaid>,
    pub(crate) whos: Vec<WhoSaid>,
    pub(crate) contexts: Vec<ContextSaid>,
    pub(crate) calls: Vec<CallSaid>,
    pub(crate) capabilities: Vec<CapabilitySaid>,
    pub(crate) ops: Vec<Op>,
}

/// An operation. Numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Open {
        who: usize,
        why: WhySaid,
        name: Option<&'static str>,
    },
    Request {
        task: usize,
        holder: Option<usize>,
        wanted: Wanted,
        context: usize,
    },
    Authorize {
        grant: usize,
        caller: Option<usize>,
        call: usize,
        inside: bool,
        context: usize,
    },
    Start(usize),
    RunAndPanic(usize),
    DropPermit(usize),
    Succeed(usize),
    Fail(usize),
    DropRunning(usize),
    Revoke {
        grant: usize,
        how: Revoke,
    },
    End {
        task: usize,
        how: End,
    },
    Reload(usize),
    Advance(u64),
    Suspend(u64),
    StepBack(u64),
    Halt(Halt),
    Resume(usize),
    ResumeOther(Halt),
    Sink(bool),
    SinkPanics,
    /// While the clock can't be read.
    Timeless(Box<Op>),
}

#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// What one of the policy's permits says.
    OfPermit(usize),
    /// One call.
    Pinned(usize),
    /// A capability, or two.
    Free(usize, Option<usize>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Revoke {
    ByTask,
    ByControl,
    ByGrant,
    GivenUp,
    GivenUpByAnother,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Complete,
    Fail,
    Revoke,
    Drop,
    Panic,
    Control,
}

fn halts() -> BoxedStrategy<Halt> {
    prop_oneof![
        1 => Just(Halt::Everything),
        2 => select(vec!["agent/a", "robot", "ada"]).prop_map(Halt::identity),
        1 => select(vec!["errand", "task-1"]).prop_map(Halt::task),
        1 => select(TOOLS.to_vec()).prop_map(Halt::tool),
    ]
    .boxed()
}

pub(crate) fn ops() -> BoxedStrategy<Op> {
    let n = || 0..512usize;
    let wanted = prop_oneof![
        4 => n().prop_map(Wanted::OfPermit),
        2 => n().prop_map(Wanted::Pinned),
        2 => (n(), proptest::option::weighted(0.2, n())).prop_map(|(a, b)| Wanted::Free(a, b)),
    ];
    let revoke = select(vec![
        Revoke::ByTask,
        Revoke::ByControl,
        Revoke::ByGrant,
        Revoke::GivenUp,
        Revoke::GivenUpByAnother,
    ]);
    let end =
        select(vec![End::Complete, End::Fail, End::Revoke, End::Drop, End::Panic, End::Control]);
    let name = proptest::option::weighted(0.3, Just("errand"));
    let usual = prop_oneof![
        3 => (n(), whys(), name).prop_map(|(who, why, name)| Op::Open { who, why, name }),
        12 => (n(), proptest::option::weighted(0.2, n()), wanted, n()).prop_map(
            |(task, holder, wanted, context)| Op::Request { task, holder, wanted, context }
        ),
        30 => (n(), proptest::option::weighted(0.1, n()), n(), proptest::bool::weighted(0.9), n())
            .prop_map(|(grant, caller, call, inside, context)| Op::Authorize {
                grant, caller, call, inside, context,
            }),
        14 => n().prop_map(Op::Start),
        1 => n().prop_map(Op::RunAndPanic),
        4 => n().prop_map(Op::DropPermit),
        4 => n().prop_map(Op::Succeed),
        2 => n().prop_map(Op::Fail),
        2 => n().prop_map(Op::DropRunning),
        2 => (n(), revoke).prop_map(|(grant, how)| Op::Revoke { grant, how }),
        1 => (n(), end).prop_map(|(task, how)| Op::End { task, how }),
        1 => (0..3usize).prop_map(Op::Reload),
        4 => select(vec![1u64, 9, 10, 29, 30, 60]).prop_map(Op::Advance),
        1 => select(vec![5u64, 40, 300]).prop_map(Op::Suspend),
        1 => select(vec![5u64, 100]).prop_map(Op::StepBack),
        1 => halts().prop_map(Op::Halt),
        4 => n().prop_map(Op::Resume),
        1 => halts().prop_map(Op::ResumeOther),
        2 => proptest::bool::weighted(0.8).prop_map(Op::Sink),
        1 => Just(Op::SinkPanics),
    ];
    prop_oneof![
        24 => usual.clone(),
        1 => usual.prop_map(|op| Op::Timeless(Box::new(op))),
    ]
    .boxed()
}

/// Policies in which something is permitted more often than not.
pub(crate) fn giving_policies(prefix: &'static str) -> BoxedStrategy<PolicySaid> {
    let broad = proptest::option::weighted(0.8, rules_of(Effect::Permit, 1));
    (policies(prefix, 2, 5), broad)
        .prop_map(move |(mut policy, broad)| {
            if let Some(broad) = broad {
                let mut rule = door(&format!("{prefix}-broad"));
                rule.moments = vec![Moment::Request, Moment::Call];
                rule.limits = broad.limits;
                policy.rules.push(rule);
            }
            policy
        })
        .boxed()
}

pub(crate) fn cases(length: usize) -> BoxedStrategy<Case> {
    (
        (giving_policies("p"), giving_policies("q"), giving_policies("r"))
            .prop_map(|(p, q, r)| vec![p, q, r]),
        vec(whos(), 2..4),
        vec(contexts(), 1..3),
        vec(calls(), 4..12),
        vec(capabilities(), 2..6),
        (whys(), vec(ops(), 1..length)),
    )
        .prop_map(|(policies, whos, contexts, calls, capabilities, (why, mut ops))| Case {
            ops: {
                ops.insert(0, Op::Open { who: 0, why, name: None });
                ops
            },
            policies,
            whos,
            contexts,
            calls,
            capabilities,
        })
        .boxed()
}

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
struct Counter {
    used: u64,
    sum: i64,
    calls: Vec<i64>,
}

struct TaskModel {
    handle: Option<Task>,
    name: String,
    generation: u64,
    requester: usize,
    why: WhySaid,
    ceiling: i64,
    over: bool,
    history: Vec<String>,
    counters: BTreeMap<String, Counter>,
    /// Clamped grants were used: what of which limit is spent is not for us to say.
    muddled: bool,
}

struct GrantModel {
    handle: Option<Grant>,
    id: hallpass::grant::GrantId,
    token: Token,
    task: usize,
    holder: usize,
    scope: Vec<CapabilitySaid>,
    stamps: Vec<(String, LimitsSaid)>,
    /// Several capabilities under counted limits: which limits are whose is not for us to say.
    muddled: bool,
    expires: i64,
    /// What the token says, whatever a reload made of the grant.
    token_expires: i64,
    idle: Option<i64>,
    last_used: i64,
    /// Why it ended, if it has.
    ended: Option<Reason>,
    /// Looked at again under another policy, whose limits it then has beside its own.
    clamped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reserved,
    Running,
    Closed(Outcome),
}

struct PermitModel {
    handle: Option<Permit>,
    running: Option<Running>,
    number: u64,
    grant: usize,
    tool: String,
    lapses: i64,
    epoch: u64,
    state: State,
    /// What it holds of each rule's limits: one use and this much.
    charges: Vec<(String, i64)>,
}

pub(crate) struct World {
    case: Case,
    broker: Broker,
    gate: Gate,
    control: Control,
    clock: ManualClock,
    sink: FailingSink<MemoryLog>,
    cue: Arc<AtomicBool>,
    log: MemoryLog,
    who: Vec<Identity>,
    // The model.
    wall: i64,
    counted: i64,
    now: i64,
    readable: bool,
    refuses: bool,
    panics: bool,
    policy: usize,
    epoch: u64,
    halts: Vec<Halt>,
    tasks: Vec<TaskModel>,
    grants: Vec<GrantModel>,
    permits: Vec<PermitModel>,
    events: Vec<String>,
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

    // ---- opening ----

    fn open(&mut self, who: usize, why: &WhySaid, name: Option<&str>) {
        let who = who % self.who.len();
        self.sweep();
        let answer = match name {
            Some(name) => self.broker.open_named(name, &self.who[who], why.purpose()),
            None => self.broker.open(&self.who[who], why.purpose()),
        };
        if !self.tick() {
            return self.denied("open", answer.map(drop), &[Reason::ClockUnreadable]);
        }
        let mut failures = Vec::new();
        if self.stopped(who, who, name.unwrap_or("an opening without a name"), None)
            || (name.is_none() && self.stopped(who, who, &self.next_name(&answer), None))
        {
            failures.push(Reason::Halted);
        }
        let namesake = name
            .and_then(|name| self.tasks.iter().position(|task| task.name == name && !task.over));
        if let Some(at) = namesake {
            if self.now < self.tasks[at].ceiling {
                failures.push(Reason::TaskNameTaken);
            } else if failures.is_empty() {
                self.over(at);
                self.record(format!("ended {} Ceiling", self.tasks[at].generation));
            }
        }
        if !failures.is_empty() {
            return self.denied("open", answer.map(drop), &failures);
        }
        if !self.accepts("opened") {
            return self.denied("open", answer.map(drop), &[Reason::LogRefused]);
        }
        let task = answer.unwrap();
        self.events.push(format!("opened {}", task.generation()));
        assert_eq!(task.ceiling().unix_millis() - START, self.now + CEILING);
        self.tasks.push(TaskModel {
            name: task.name().to_owned(),
            generation: task.generation(),
            handle: Some(task),
            requester: who,
            why: why.clone(),
            ceiling: self.now + CEILING,
            over: false,
            history: Vec::new(),
            counters: BTreeMap::new(),
            muddled: false,
        });
    }

    /// Opening a task sweeps a little; here everything is swept before, so that it finds nothing.
    fn sweep(&mut self) {
        let cue = self.cue.swap(false, Ordering::SeqCst);
        self.broker.sweep(1000);
        self.cue.store(cue, Ordering::SeqCst);
        if !self.tick() {
            return;
        }
        for task in &mut self.tasks {
            if !task.over && self.now >= task.ceiling {
                task.over = true;
                self.events.push(format!("ended {} Ceiling", task.generation));
            }
        }
        let standing = self.broker.standing();
        for grant in self.grants.iter_mut().filter(|grant| grant.ended.is_none()) {
            let idle = grant.idle.is_some_and(|idle| self.now - grant.last_used >= idle);
            let clamped = grant.clamped && !standing.grants.iter().any(|own| own.id == grant.id);
            let past = self.now >= grant.expires || idle || clamped;
            if past && !self.tasks[grant.task].over {
                grant.ended = Some(Reason::Expired);
                self.events.push(format!("grant_ended {} expired", grant.id));
            }
        }
    }

    /// A task without a name of its own is called after its opening.
    fn next_name(&self, answer: &Result<Task, Denial>) -> String {
        match answer {
            Ok(task) => task.name().to_owned(),
            // Only the very first opening can have the name that halts are put on here.
            Err(_)
                if self.events.iter().any(|e| e.contains(" open ") || e.starts_with("opened")) =>
            {
                "a later opening".into()
            }
            Err(_) => "task-1".into(),
        }
    }

    // ---- requesting ----

    fn request(&mut self, task: usize, holder: Option<usize>, wanted: &Wanted, which: usize) {
        let held = |t: &TaskModel| t.handle.is_some();
        let Some(task) = prefer(&self.tasks, task, held, |t| !t.over) else { return };
        let requester = self.tasks[task].requester;
        let holder = holder.map_or(requester, |n| n % self.who.len());
        let said = self.case.contexts[which % self.case.contexts.len()].clone();
        let policy = self.case.policies[self.policy].clone();
        let (scope, must_cover) = self.wanted(wanted, &policy);
        let asked = scope_of(&scope);
        assert!(asked.check().is_ok());
        let handle = self.tasks[task].handle.as_ref().unwrap();
        let answer = handle.request_for(&self.who[holder], asked, &context(&said));
        if !self.tick() {
            return self.denied("request", answer.map(drop), &[Reason::ClockUnreadable]);
        }
        let mut failures = Vec::new();
        let own = &self.tasks[task];
        if own.over {
            failures.push(Reason::TaskOver);
        }
        if self.now >= own.ceiling {
            failures.push(Reason::Expired);
        }
        for capability in &scope {
            if self.stopped(holder, requester, &own.name, Some(&capability.tool)) {
                failures.push(Reason::Halted);
            }
            if labels_of(&policy, &capability.tool).is_none() {
                failures.push(Reason::UnknownTool);
            }
        }
        let failures = failures;
        let told = answer.as_ref().err().map(Denial::reason);
        if told.is_some_and(|reason| failures.contains(&reason)) {
            return self.denied("request", answer.map(drop), &failures);
        }
        if !failures.contains(&Reason::UnknownTool) {
            self.check_decision(task, holder, &scope, &said, &policy, must_cover, &answer);
        }
        match answer {
            Err(denial) if denial.reason() == Reason::LogRefused => {
                assert!(failures.is_empty(), "{failures:?}");
                assert!(!self.accepts("granted"), "{}", denial.explain());
                self.denied("request", Err(denial), &[Reason::LogRefused]);
            }
            Err(denial) => {
                let rules = [Reason::NotCovered, Reason::Forbidden, Reason::ApprovalRequired];
                let all: Vec<Reason> = failures.iter().chain(&rules).copied().collect();
                self.denied("request", Err(denial), &all);
            }
            Ok(grant) => {
                assert!(failures.is_empty(), "granted in spite of {failures:?}");
                assert!(self.accepts("granted"), "granted without a record");
                self.granted(grant, task, holder, scope, &policy);
            }
        }
    }

    fn wanted(&self, wanted: &Wanted, policy: &PolicySaid) -> (Vec<CapabilitySaid>, Option<usize>) {
        let all = &self.case.capabilities;
        match wanted {
            Wanted::Pinned(n) => {
                let call = &self.case.calls[n % self.case.calls.len()];
                (vec![pinned(call)], None)
            }
            Wanted::Free(one, other) => {
                let mut scope = vec![all[one % all.len()].clone()];
                scope.extend(other.map(|n| all[n % all.len()].clone()));
                (scope, None)
            }
            Wanted::OfPermit(n) => {
                let permits: Vec<usize> = (0..policy.rules.len())
                    .filter(|at| policy.rules[*at].effect == Effect::Permit)
                    .collect();
                let Some(at) = permits.get(n % permits.len().max(1)) else {
                    return (vec![all[n % all.len()].clone()], None);
                };
                match of_permit(&policy.rules[*at]) {
                    Some(capability) => (vec![capability], Some(*at)),
                    None => (vec![all[n % all.len()].clone()], None),
                }
            }
        }
    }

    /// What the rules say to a request is not always for a plain model to know: whether one set of
    /// calls lies within another is what the crate has an algebra for. But what it answers has to be
    /// so for each call that can be tried.
    #[expect(clippy::too_many_arguments, reason = "the question and the answer, part by part")]
    fn check_decision(
        &self,
        task: usize,
        holder: usize,
        scope: &[CapabilitySaid],
        context: &ContextSaid,
        policy: &PolicySaid,
        must_cover: Option<usize>,
        answer: &Result<Grant, Denial>,
    ) {
        let own = &self.tasks[task];
        let (requester, now) = (own.requester, self.now);
        let both = [holder, requester].map(|n| &self.case.whos[n]);
        let setting = |who| Setting {
            moment: Moment::Request,
            who,
            why: &own.why,
            context,
            history: &own.history,
            now,
        };
        let reason = answer.as_ref().err().map(Denial::reason);
        let named: Vec<&str> = match answer {
            Ok(grant) => grant.rules().collect(),
            Err(denial) => denial.rules().collect(),
        };
        let rule_named =
            |id: &&str| policy.rules.iter().find(|rule| rule.id == **id).expect("a rule of today");
        let mut useful: BTreeSet<&str> = BTreeSet::new();
        for capability in scope {
            let labels = labels_of(policy, &capability.tool).unwrap();
            let inside = inside(capability, &self.case.calls);
            for who in both {
                let setting = setting(who);
                let question = |call| Question { setting, call, labels };
                let inside: Vec<&CallSaid> =
                    inside.iter().filter(|call| covers(capability, &question(call))).collect();
                let nothing = CallSaid {
                    tool: capability.tool.clone(),
                    args: BTreeMap::new(),
                    resource: None,
                };
                let open = |rule: &RuleSaid| {
                    speaks(rule, &setting) && on_setting(rule, &question(&nothing), false)
                };
                let all =
                    |rule: &RuleSaid| inside.iter().all(|call| on_call(rule, &question(call)));
                let some =
                    |rule: &RuleSaid| inside.iter().any(|call| on_call(rule, &question(call)));
                if reason.is_none() {
                    let covering: Vec<&str> = named
                        .iter()
                        .filter(|id| open(rule_named(id)) && all(rule_named(id)))
                        .copied()
                        .collect();
                    assert!(!covering.is_empty(), "{named:?} do not cover {capability:?}");
                    useful.extend(covering);
                    for rule in policy.rules.iter().filter(|rule| open(rule)) {
                        let on_no_call = rule.conditions.iter().all(|(fact, _)| !of_call(fact));
                        assert!(
                            rule.effect != Effect::Forbid || !on_no_call,
                            "granted although `{}` forbids all of it",
                            rule.id
                        );
                        assert!(
                            rule.effect != Effect::Ask || !rule.per_task || !some(rule),
                            "granted although `{}` asks before",
                            rule.id
                        );
                    }
                }
                for id in &named {
                    let rule = rule_named(id);
                    let so = match reason {
                        Some(Reason::Forbidden) => {
                            rule.effect == Effect::Forbid && open(rule) && all(rule)
                        }
                        Some(Reason::ApprovalRequired) => {
                            rule.effect == Effect::Ask && rule.per_task && open(rule)
                        }
                        _ => continue,
                    };
                    if so {
                        useful.insert(id);
                    }
                }
            }
        }
        if reason == Some(Reason::Forbidden) || reason == Some(Reason::ApprovalRequired) {
            assert!(!named.is_empty(), "a refusal by rules names them");
        }
        for id in &named {
            assert!(useful.contains(id), "`{id}` is named and does not decide");
        }
        if let (Some(at), Some(Reason::NotCovered)) = (must_cover, reason) {
            let labels = labels_of(policy, &scope[0].tool).unwrap();
            let call =
                CallSaid { tool: scope[0].tool.clone(), args: BTreeMap::new(), resource: None };
            let rule = &policy.rules[at];
            let for_both = both.iter().all(|who| {
                let question = Question { setting: setting(who), call: &call, labels };
                speaks(rule, &question.setting) && on_setting(rule, &question, false)
            });
            assert!(!for_both, "`{}` does not cover what it says itself", rule.id);
        }
    }

    fn granted(
        &mut self,
        grant: Grant,
        task: usize,
        holder: usize,
        scope: Vec<CapabilitySaid>,
        policy: &PolicySaid,
    ) {
        let stamps: Vec<(String, LimitsSaid)> = policy
            .rules
            .iter()
            .filter(|rule| grant.rules().any(|id| id == rule.id))
            .map(|rule| (rule.id.clone(), rule.limits))
            .collect();
        let life = stamps.iter().map(|(_, l)| l.ttl.map_or(DEFAULT_TTL, |s| s as i64 * 1000));
        let expires = (self.now + life.min().unwrap()).min(self.tasks[task].ceiling);
        assert_eq!(grant.expires().unix_millis() - START, expires);
        self.events.push(format!("granted {}", grant.id()));
        self.granted += 1;
        let counts =
            |l: &LimitsSaid| l.uses.is_some() || l.rate.is_some() || l.budget_halves.is_some();
        self.grants.push(GrantModel {
            id: grant.id(),
            token: Token::from_text(grant.token().expose().to_owned()),
            handle: Some(grant),
            task,
            holder,
            muddled: scope.len() > 1 && stamps.iter().any(|(_, limits)| counts(limits)),
            scope,
            expires,
            token_expires: expires,
            idle: stamps.iter().filter_map(|(_, l)| l.idle).min().map(|s| s as i64 * 1000),
            stamps,
            last_used: self.now,
            ended: None,
            clamped: false,
        });
    }

    // ---- calling ----

    fn authorize(
        &mut self,
        grant: usize,
        caller: Option<usize>,
        call: usize,
        is_inside: bool,
        which: usize,
    ) {
        let clear = |grant: &GrantModel| !grant.muddled;
        let lives =
            |g: &GrantModel| g.ended.is_none() && !self.tasks[g.task].over && self.now < g.expires;
        let Some(grant) = prefer(&self.grants, grant, clear, lives) else { return };
        let own = &self.grants[grant];
        let (task, holder) = (own.task, own.holder);
        let caller = caller.map_or(holder, |n| n % self.who.len());
        let said = self.case.contexts[which % self.case.contexts.len()].clone();
        let calls = if is_inside {
            inside(&own.scope[call % own.scope.len()], &self.case.calls)
        } else {
            self.case.calls.clone()
        };
        let call = calls[call % calls.len()].clone();
        let dry = self.gate.check(&own.token, &self.who[caller], &call.call(), &context(&said));
        let answer =
            self.gate.authorize(&own.token, &self.who[caller], call.call(), &context(&said));
        if !self.tick() {
            assert_eq!(dry.unwrap_err().reason(), Reason::ClockUnreadable);
            return self.denied("call", answer.map(drop), &[Reason::ClockUnreadable]);
        }
        let failures = self.failures(grant, caller, &call, &said);
        let lenient = own_is_lenient(&self.grants[grant], &self.tasks[task]);
        let limits = [Reason::UsesSpent, Reason::RateExceeded, Reason::BudgetSpent];
        let (mut failures, mut limited) = (failures, Vec::new());
        if lenient {
            // Only the broker knows these.
            let ours = |reason: &Reason| !limits.contains(reason) && *reason != Reason::Expired;
            let hard = self.now >= self.grants[grant].expires;
            failures.retain(|reason| ours(reason) || (hard && *reason == Reason::Expired));
            limited.extend(limits.into_iter().chain([Reason::Expired]));
            if failures.is_empty() {
                let told = dry.as_ref().err().map(Denial::reason);
                failures.extend(told.filter(|reason| limited.contains(reason)));
            }
            self.tasks[task].muddled = true;
        }
        match &dry {
            Ok(_) => assert!(failures.is_empty(), "a dry run passed {failures:?}: {call:?}"),
            Err(denial) => assert!(
                failures.contains(&denial.reason()) || limited.contains(&denial.reason()),
                "a dry run refused: {}, expected {failures:?}: {call:?}",
                denial.explain()
            ),
        }
        if !failures.is_empty() {
            failures.extend(limited);
            return self.denied("call", answer.map(drop), &failures);
        }
        // Reserved: the labels stay, and so does the rate.
        let policy = &self.case.policies[self.policy];
        let labels = labels_of(policy, &call.tool).unwrap().to_vec();
        let now = self.now;
        let amount = match call.args.get("n") {
            Some(V::Halves(n)) => *n,
            _ => 0,
        };
        let mut charges = Vec::new();
        for (rule, limits) in self.grants[grant].stamps.clone() {
            let counter = self.tasks[task].counters.entry(rule.clone()).or_default();
            let amount = if limits.budget_halves.is_some() { amount } else { 0 };
            counter.used += 1;
            counter.sum += amount;
            counter.calls.push(now);
            charges.push((rule, amount));
        }
        self.tasks[task].history.extend(labels);
        self.grants[grant].last_used = now;
        if !self.accepts("permitted") {
            self.give_back(task, &charges);
            return self.denied("call", answer.map(drop), &[Reason::LogRefused]);
        }
        let permit = answer.unwrap_or_else(|denial| panic!("{}: {call:?}", denial.explain()));
        let rules: Vec<&str> = permit.rules().collect();
        assert_eq!(rules, dry.unwrap().iter().map(|id| &**id).collect::<Vec<_>>());
        assert_eq!(permit.call(), &call.call(), "a permit seals the call");
        // P3: today's rules give this very call.
        let policy = &self.case.policies[self.policy];
        let says = decide(policy, &self.question(grant, caller, &call, &said));
        assert_eq!(says, Says::Permit(rules.iter().map(|id| (*id).to_owned()).collect()));
        self.events.push(format!("permitted {}", self.grants[grant].id));
        self.permitted += 1;
        self.permits.push(PermitModel {
            number: permit.number(),
            handle: Some(permit),
            running: None,
            grant,
            tool: call.tool,
            lapses: now + PERMIT_TTL,
            epoch: self.epoch,
            state: State::Reserved,
            charges,
        });
    }

    fn question<'q>(
        &'q self,
        grant: usize,
        caller: usize,
        call: &'q CallSaid,
        context: &'q ContextSaid,
    ) -> Question<'q> {
        let task = &self.tasks[self.grants[grant].task];
        let setting = Setting {
            moment: Moment::Call,
            who: &self.case.whos[caller],
            why: &task.why,
            context,
            history: &task.history,
            now: self.now,
        };
        let labels = labels_of(&self.case.policies[self.policy], &call.tool).unwrap_or_default();
        Question { setting, call, labels }
    }

    /// Every reason for which a call is refused. What is wrong with the token is all that is told of
    /// a token that is no good.
    fn failures(
        &mut self,
        grant: usize,
        caller: usize,
        call: &CallSaid,
        context: &ContextSaid,
    ) -> Vec<Reason> {
        let policy = self.case.policies[self.policy].clone();
        let own = &self.grants[grant];
        let task = &self.tasks[own.task];
        let mut failures = Vec::new();
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        fails(self.now >= own.token_expires || self.now >= task.ceiling, Reason::Expired);
        fails(self.case.whos[caller].id != self.case.whos[own.holder].id, Reason::NotTheHolder);
        fails(task.over, Reason::TaskOver);
        if !failures.is_empty() {
            return failures;
        }
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        fails(own.ended.is_some(), own.ended.unwrap_or(Reason::Revoked));
        fails(self.now >= own.expires, Reason::Expired);
        fails(own.idle.is_some_and(|idle| self.now - own.last_used >= idle), Reason::Expired);
        fails(self.stopped(caller, task.requester, &task.name, Some(&call.tool)), Reason::Halted);
        let known = labels_of(&policy, &call.tool).is_some();
        fails(!known, Reason::UnknownTool);
        let question = self.question(grant, caller, call, context);
        fails(!own.scope.iter().any(|c| covers(c, &question)), Reason::OutOfScope);
        match decide(&policy, &question) {
            Says::Permit(_) => {}
            Says::Ask(_) => fails(true, Reason::ApprovalRequired),
            Says::Forbid(_) => fails(true, Reason::Forbidden),
            Says::NoPermit => fails(true, Reason::NoPermit),
        }
        self.close_lapsed(self.grants[grant].task);
        let none = Counter::default();
        let own = &self.grants[grant];
        for (rule, limits) in &own.stamps {
            let counter = self.tasks[own.task].counters.get(rule).unwrap_or(&none);
            let mut fails = |so: bool, reason| {
                if so {
                    failures.push(reason);
                }
            };
            fails(limits.uses.is_some_and(|most| counter.used >= most), Reason::UsesSpent);
            if let Some((most, window)) = limits.rate {
                let recent =
                    counter.calls.iter().filter(|at| self.now - **at < window as i64 * 1000);
                fails(recent.count() as u64 >= most, Reason::RateExceeded);
            }
            if let Some(most) = limits.budget_halves {
                let fits = match call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && counter.sum + n <= most,
                    _ => false,
                };
                fails(!fits, Reason::BudgetSpent);
            }
        }
        failures
    }

    fn close_lapsed(&mut self, task: usize) {
        for at in 0..self.permits.len() {
            let permit = &self.permits[at];
            let lapsed = permit.state == State::Reserved && self.now >= permit.lapses;
            if lapsed && self.grants[permit.grant].task == task {
                self.close_unrecorded(at, Outcome::Abandoned);
            }
        }
    }

    fn give_back(&mut self, task: usize, charges: &[(String, i64)]) {
        for (rule, amount) in charges {
            let counter = self.tasks[task].counters.get_mut(rule).unwrap();
            counter.used -= 1;
            counter.sum -= amount;
        }
    }

    // ---- running ----

    fn start(&mut self, n: usize, panics: bool) {
        if let Some(at) = pick(&self.permits, n, |p| p.handle.is_some()) {
            self.start_at(at, panics);
        }
    }

    fn start_at(&mut self, at: usize, panics: bool) {
        let handle = self.permits[at].handle.take().unwrap();
        let answer = if panics {
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                handle.run(|_| -> Result<(), ()> { std::panic::resume_unwind(Box::new("a tool")) })
            }));
            match ran {
                Err(_) => Ok(None),
                Ok(Err(RunError::Denied(denial))) => Err(denial),
                Ok(other) => panic!("{other:?}"),
            }
        } else {
            handle.start().map(Some)
        };
        let readable = self.tick();
        let permit = &self.permits[at];
        let grant = &self.grants[permit.grant];
        let task = &self.tasks[grant.task];
        let mut failures = Vec::new();
        let mut fails = |so: bool, reason| {
            if so {
                failures.push(reason);
            }
        };
        if readable {
            fails(task.over, Reason::TaskOver);
            fails(
                permit.state != State::Reserved || self.now >= permit.lapses,
                Reason::PermitLapsed,
            );
            fails(grant.ended.is_some(), grant.ended.unwrap_or(Reason::Revoked));
            let clamped =
                grant.clamped && answer.as_ref().is_err_and(|d| d.reason() == Reason::Expired);
            fails(clamped, Reason::Expired);
            fails(self.now >= grant.expires || self.now >= task.ceiling, Reason::Expired);
            fails(
                grant.idle.is_some_and(|idle| self.now - grant.last_used >= idle),
                Reason::Expired,
            );
            fails(self.epoch != permit.epoch, Reason::PolicyChanged);
            let stopped =
                self.stopped(grant.holder, task.requester, &task.name, Some(&permit.tool));
            fails(stopped, Reason::Halted);
        } else {
            fails(true, Reason::ClockUnreadable);
        }
        match answer {
            Ok(running) => {
                assert!(failures.is_empty(), "started in spite of {failures:?}");
                self.permits[at].state = State::Running;
                self.started += 1;
                match running {
                    Some(running) => self.permits[at].running = Some(running),
                    None => self.close(at, Outcome::Interrupted),
                }
            }
            Err(denial) => {
                self.denied("run", Err(denial), &failures);
                self.close(at, Outcome::Abandoned);
            }
        }
    }

    fn finish_call(&mut self, n: usize, outcome: Outcome) {
        let Some(at) = pick(&self.permits, n, |p| p.running.is_some()) else { return };
        let running = self.permits[at].running.take().unwrap();
        match outcome {
            Outcome::Ok => running.succeed(),
            Outcome::Error => running.fail(),
            _ => drop(running),
        }
        self.close(at, outcome);
    }

    fn close(&mut self, at: usize, outcome: Outcome) {
        if self.close_unrecorded(at, outcome) {
            let over = self.tasks[self.grants[self.permits[at].grant].task].over;
            self.record(format!("outcome {} {outcome:?} {over}", self.permits[at].number));
        }
    }

    fn close_unrecorded(&mut self, at: usize, outcome: Outcome) -> bool {
        let permit = &mut self.permits[at];
        let was = permit.state;
        if matches!(was, State::Closed(_)) {
            return false;
        }
        permit.state = State::Closed(outcome);
        if was == State::Reserved {
            let (task, charges) = (self.grants[permit.grant].task, permit.charges.clone());
            self.give_back(task, &charges);
        }
        true
    }

    // ---- ending ----

    fn revoke(&mut self, grant: usize, how: Revoke) {
        let Some(at) = pick(&self.grants, grant, |_| true) else { return };
        let (task, id) = (self.grants[at].task, self.grants[at].id);
        let lives = self.grants[at].ended.is_none() && !self.tasks[task].over;
        let was = match how {
            Revoke::ByControl => self.control.revoke_grant(id),
            Revoke::ByTask => match (&self.tasks[task].handle, &self.grants[at].handle) {
                (Some(task), Some(grant)) => task.revoke_grant(grant),
                _ => return,
            },
            Revoke::ByGrant => match self.grants[at].handle.take() {
                Some(grant) => grant.revoke(),
                None => return,
            },
            Revoke::GivenUp | Revoke::GivenUpByAnother => {
                let holder = self.grants[at].holder;
                let by = match how {
                    Revoke::GivenUp => holder,
                    _ => (holder + 1) % self.who.len(),
                };
                let answer = self.gate.give_up(&self.grants[at].token, &self.who[by]);
                let readable = self.tick();
                let own = &self.grants[at];
                let good = readable
                    && self.now < own.token_expires
                    && self.case.whos[by].id == self.case.whos[holder].id;
                assert_eq!(answer.is_ok(), good && lives, "{answer:?}");
                if !good {
                    return;
                }
                answer.is_ok()
            }
        };
        assert_eq!(was, lives, "a grant is revoked once");
        if was {
            self.grants[at].ended = Some(Reason::Revoked);
            self.record(format!("grant_ended {id} revoked"));
        }
    }

    fn end(&mut self, task: usize, how: End) {
        if let Some(at) = pick(&self.tasks, task, |t| t.handle.is_some()) {
            self.end_at(at, how);
        }
    }

    fn end_at(&mut self, at: usize, how: End) {
        let was_over = self.tasks[at].over;
        let running: BTreeSet<u64> = self
            .permits
            .iter()
            .filter(|p| p.state == State::Running && self.grants[p.grant].task == at)
            .map(|p| p.number)
            .collect();
        let name = self.tasks[at].name.clone();
        let (ended, word) = match how {
            End::Control => {
                assert_eq!(self.control.revoke_task(&name), !was_over);
                (None, "Revoked")
            }
            _ => {
                let handle = self.tasks[at].handle.take().unwrap();
                match how {
                    End::Complete => (Some(handle.complete()), "Completed"),
                    End::Fail => (Some(handle.fail("it went wrong")), "Failed"),
                    End::Revoke => (Some(handle.revoke()), "Revoked"),
                    End::Drop => {
                        drop(handle);
                        (None, "Dropped")
                    }
                    _ => {
                        let unwound =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                                let _task = handle;
                                std::panic::resume_unwind(Box::new("the errand"));
                            }));
                        assert!(unwound.is_err());
                        (None, "Dropped")
                    }
                }
            }
        };
        if let Some(ended) = ended {
            let told: BTreeSet<u64> = ended.running.into_iter().collect();
            assert_eq!(told, if was_over { BTreeSet::new() } else { running });
        }
        if !was_over {
            self.over(at);
            self.record(format!("ended {} {word}", self.tasks[at].generation));
        }
    }

    fn over(&mut self, task: usize) {
        self.tasks[task].over = true;
    }

    fn reload(&mut self, to: usize) {
        let to = to % self.case.policies.len();
        let next = self.case.policies[to].policy();
        let same = next.digest() == self.case.policies[self.policy].policy().digest();
        let reload = self.broker.reload(&next);
        self.policy = to;
        if same {
            assert_eq!(reload.epoch(), self.epoch);
            return;
        }
        self.epoch += 1;
        assert_eq!(reload.epoch(), self.epoch);
        self.record(format!("reloaded {}", self.epoch));
        for drifted in reload.finish().grants {
            let grant = self.grants.iter_mut().find(|grant| grant.id == drifted.id).unwrap();
            assert!(grant.ended.is_none() && !self.tasks[grant.task].over, "it had ended");
            grant.ended = Some(Reason::Drifted);
            self.record(format!("grant_ended {} drifted", drifted.id));
        }
        let standing = self.broker.standing();
        for grant in self.grants.iter_mut().filter(|grant| grant.ended.is_none()) {
            grant.clamped = true;
            if let Some(told) = standing.grants.iter().find(|told| told.id == grant.id) {
                let expires = told.expires.unix_millis() - START;
                assert!(expires <= grant.expires, "a reload never lengthens");
                grant.expires = expires;
            }
        }
    }

    fn resume(&mut self, what: &Halt) {
        let was = self.halts.contains(what);
        assert_eq!(self.control.resume(what), was);
        if was {
            self.halts.retain(|own| own != what);
            self.record(format!("resumed {what}"));
        }
    }

    fn halt(&mut self, what: &Halt) {
        let told = self.control.halt(what.clone()).running;
        self.tick();
        if !self.halts.contains(what) {
            self.halts.push(what.clone());
        }
        self.record(format!("halted {what}"));
        for permit in self.permits.iter().filter(|p| p.state == State::Running) {
            let grant = &self.grants[permit.grant];
            let task = &self.tasks[grant.task];
            let hit = stops(
                what,
                &self.case.whos,
                grant.holder,
                task.requester,
                &task.name,
                Some(&permit.tool),
            );
            assert!(task.over || !hit || told.contains(&permit.number), "a running call is told");
        }
    }

    // ---- the model's clock, halts and log ----

    /// Time as the broker has it; whether it can be read.
    fn tick(&mut self) -> bool {
        if self.readable {
            self.now = self.now.max(self.wall).max(self.counted);
        }
        self.readable
    }

    fn stopped(&self, who: usize, requester: usize, task: &str, tool: Option<&str>) -> bool {
        self.halts.iter().any(|halt| stops(halt, &self.case.whos, who, requester, task, tool))
    }

    /// Whether the log takes the next record; of one that gives access, what it says instead.
    fn accepts(&mut self, kind: &str) -> bool {
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
    fn record(&mut self, event: String) {
        self.panics = false;
        self.events.push(event);
    }

    fn denied(&mut self, stage: &str, answer: Result<(), Denial>, expected: &[Reason]) {
        let denial = answer.expect_err(&format!("{stage} passed, expected one of {expected:?}"));
        let reason = denial.reason();
        assert!(expected.contains(&reason), "{}, expected {expected:?}", denial.explain());
        shows_nothing(&denial);
        self.record(format!("denied {stage} {reason}"));
    }

    // ---- comparing ----

    fn compare(&mut self) {
        let standing = self.broker.standing();
        if !self.tick() {
            return;
        }
        let live = |task: &TaskModel| !task.over && self.now < task.ceiling;
        let tasks: BTreeSet<u64> =
            self.tasks.iter().filter(|t| live(t)).map(|t| t.generation).collect();
        assert_eq!(tasks, standing.tasks.iter().map(|t| t.generation).collect::<BTreeSet<_>>());
        let grants: BTreeSet<_> = self
            .grants
            .iter()
            .filter(|g| {
                let idle = g.idle.is_some_and(|idle| self.now - g.last_used >= idle);
                live(&self.tasks[g.task]) && g.ended.is_none() && self.now < g.expires && !idle
            })
            .map(|g| g.id)
            .collect();
        let told: BTreeSet<_> = standing.grants.iter().map(|g| g.id).collect();
        for grant in self.grants.iter().filter(|g| grants.contains(&g.id) != told.contains(&g.id)) {
            assert!(grant.clamped && !told.contains(&grant.id), "{:?}", grant.id);
        }
        assert!(told.is_subset(&grants), "what stands and should not");
        for told in &standing.tasks {
            let own = self
                .permits
                .iter()
                .filter(|p| self.tasks[self.grants[p.grant].task].generation == told.generation);
            let open = own.filter(|p| {
                p.state == State::Running || (p.state == State::Reserved && self.now < p.lapses)
            });
            assert!(told.permits >= open.count());
        }
    }

    /// Ends everything, and looks whether nothing is left and everything is written.
    fn finish(&mut self) {
        self.clock.recover();
        self.readable = true;
        self.sink.recover();
        self.cue.store(false, Ordering::SeqCst);
        (self.refuses, self.panics) = (false, false);
        self.tick();
        for at in 0..self.tasks.len() {
            if self.tasks[at].handle.is_some() {
                self.end_at(at, End::Drop);
            }
        }
        assert!(self.broker.standing().is_empty(), "P2: nothing is left behind");
        for at in 0..self.permits.len() {
            if self.permits[at].handle.is_some() {
                self.start_at(at, false);
                assert!(matches!(self.permits[at].state, State::Closed(_)), "P11");
            }
            if self.permits[at].running.is_some() {
                drop(self.permits[at].running.take());
                self.close(at, Outcome::Interrupted);
            }
        }
        for at in 0..self.grants.len() {
            let (token, who) = (&self.grants[at].token, &self.who[self.grants[at].holder]);
            let call = inside(&self.grants[at].scope[0], &self.case.calls)[0].call();
            let denial = self.gate.authorize(token, who, call, &hallpass::Context::new());
            let denial = denial.map(drop).unwrap_err();
            assert!(matches!(denial.code(), Code::InvalidToken | Code::Expired), "P2: {denial:?}");
            self.record(format!("denied call {}", denial.reason()));
        }
        for what in self.halts.clone() {
            assert!(self.control.resume(&what));
            self.record(format!("resumed {what}"));
        }
        self.control.halt(Halt::Everything);
        self.record("halted everything".into());
        assert_eq!(self.broker.pay_record_debts(), 0);
        self.compare_logs();
    }

    fn compare_logs(&self) {
        let verified = self.broker.verify(&self.log).unwrap();
        assert_eq!(verified.without_outcome, Vec::<u64>::new());
        let mut outcomes: BTreeMap<u64, Outcome> = BTreeMap::new();
        let mut told = Vec::new();
        let records = self.log.records();
        for record in &records {
            told.push(match &record.event {
                Event::Opened { generation, .. } => format!("opened {generation}"),
                Event::Granted { grant, .. } => format!("granted {grant}"),
                Event::Permitted { grant, .. } => format!("permitted {grant}"),
                Event::Denied { stage, reason, .. } => {
                    format!("denied {} {reason}", format!("{stage:?}").to_lowercase())
                }
                Event::Outcome { of, outcome, task_over, .. } => {
                    assert!(outcomes.insert(*of, *outcome).is_none(), "P9: one outcome");
                    format!("outcome {of} {outcome:?} {task_over}")
                }
                Event::Ended { generation, how, .. } => format!("ended {generation} {how:?}"),
                Event::GrantEnded { grant, why, .. } => format!("grant_ended {grant} {why}"),
                Event::Reloaded { epoch, .. } => format!("reloaded {epoch}"),
                Event::Halted { what } => format!("halted {what}"),
                Event::Resumed { what } => format!("resumed {what}"),
                Event::Withdrawn { was, .. } => format!("withdrawn {was}"),
            });
        }
        // When a permit that nobody started is found to have lapsed is not for the model to say, nor
        // in which order what is past its time is put away.
        let timeless = |events: &[String]| -> Vec<String> {
            let lazy = ["Abandoned", "Ceiling", "expired"];
            let kept = events
                .iter()
                .filter(|e| e.starts_with("denied") || !lazy.iter().any(|word| e.contains(word)));
            kept.cloned().collect()
        };
        let put_away = |events: &[String]| -> Vec<String> {
            let put = events.iter().filter(|e| e.contains("Ceiling") || e.ends_with("expired"));
            let mut put: Vec<String> = put.filter(|e| !e.starts_with("denied")).cloned().collect();
            put.sort();
            put
        };
        assert_eq!(put_away(&told), put_away(&self.events), "P9: each is put away once");
        assert_eq!(timeless(&told), timeless(&self.events), "P9: the log is what happened");
        for permit in &self.permits {
            let record = &records[permit.number as usize - 1];
            assert_eq!(record.seq, permit.number);
            assert!(
                matches!(&record.event, Event::Permitted { grant, .. }
                    if **grant == self.grants[permit.grant].id.to_string()),
                "P9: a permit carries the number of its record"
            );
            let State::Closed(outcome) = permit.state else { panic!("not closed") };
            assert_eq!(outcomes.get(&permit.number), Some(&outcome));
        }
        assert_eq!(outcomes.len(), self.permits.len());
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

fn stops(
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
            let acts_for = whos[who].acts_for.as_deref();
            [Some(&*whos[who].id), Some(&*whos[requester].id), acts_for].contains(&Some(&**id))
        }
        Halt::Task(name) => **name == *task,
        Halt::Tool(name) => tool == Some(&**name),
    }
}

/// One of those that are so.
fn pick<T>(all: &[T], n: usize, so: impl Fn(&T) -> bool) -> Option<usize> {
    let found: Vec<usize> = (0..all.len()).filter(|at| so(&all[*at])).collect();
    found.get(n % found.len().max(1)).copied()
}

/// As [`pick`], mostly among those that also are as preferred.
fn prefer<T>(
    all: &[T],
    n: usize,
    so: impl Fn(&T) -> bool,
    preferred: impl Fn(&T) -> bool,
) -> Option<usize> {
    let best = if n % 8 == 0 { None } else { pick(all, n / 8, |one| so(one) && preferred(one)) };
    best.or_else(|| pick(all, n, so))
}

fn own_is_lenient(grant: &GrantModel, task: &TaskModel) -> bool {
    grant.clamped || task.muddled
}

fn of_call(fact: &F) -> bool {
    matches!(fact, F::Arg(_) | F::ResourceType | F::ResourceId | F::ResourceAttr(_))
}

/// The capability that names just this call.
fn pinned(call: &CallSaid) -> CapabilitySaid {
    let eq = |text: &str| C::Eq(V::Text(text.into()));
    CapabilitySaid {
        tool: call.tool.clone(),
        args: call.args.iter().map(|(name, v)| (name.clone(), C::Eq(v.clone()))).collect(),
        other_args: false,
        resource: call
            .resource
            .as_ref()
            .map(|r| (eq(&r.kind), eq(&r.id), r.attrs.get("owner").map(|v| C::Eq(v.clone())))),
        any_resource: false,
    }
}

/// What a permit says of calls, as a capability; `None` if it takes more than a capability can say.
pub(crate) fn of_permit(rule: &RuleSaid) -> Option<CapabilitySaid> {
    let tool = match &rule.tools {
        ToolsSaid::Named(names) => names[0].clone(),
        ToolsSaid::Any => TOOLS[0].to_owned(),
        _ => return None,
    };
    let on = |fact: &F| -> Vec<C> {
        rule.conditions.iter().filter(|(own, _)| own == fact).map(|(_, c)| c.clone()).collect()
    };
    let (kind, id, owner) =
        (on(&F::ResourceType), on(&F::ResourceId), on(&F::ResourceAttr("owner".into())));
    let compares = rule.conditions.iter().any(|(_, c)| format!("{c:?}").contains("SameAs"));
    if kind.len() > 1 || id.len() > 1 || owner.len() > 1 || compares {
        return None;
    }
    Some(CapabilitySaid {
        tool,
        args: rule
            .conditions
            .iter()
            .filter_map(|(fact, c)| match fact {
                F::Arg(name) => Some((name.clone(), c.clone())),
                _ => None,
            })
            .collect(),
        other_args: rule.any_args || rule.other_args,
        resource: (!kind.is_empty())
            .then(|| (kind[0].clone(), id[0].clone(), owner.first().cloned())),
        any_resource: rule.any_resource,
    })
}

/// Calls of a capability's tool that are likely to lie within it, at least one.
pub(crate) fn inside(capability: &CapabilitySaid, others: &[CallSaid]) -> Vec<CallSaid> {
    let mut calls = Vec::new();
    for n in 0..24usize {
        let mut call =
            CallSaid { tool: capability.tool.clone(), args: BTreeMap::new(), resource: None };
        for (at, (name, c)) in capability.args.iter().enumerate() {
            let likely = likely(c);
            // The same value for all at first, then each its own.
            let pick = if n < likely.len() { n } else { n * 7 + at * 3 };
            if let Some(value) = likely.get(pick % (likely.len() + usize::from(n >= 12))) {
                call.args.insert(name.clone(), value.clone());
            }
        }
        if capability.other_args && n % 3 == 1 {
            let extra = ["extra", "x", "y", "n"][n % 4].to_owned();
            call.args.entry(extra).or_insert(V::Halves(2));
        }
        if let Some((kind, id, owner)) = &capability.resource {
            let text = |c: &C, n: usize, else_: &str| match likely(c).get(n % 2) {
                Some(V::Text(text)) if !text.is_empty() && !text.contains('é') => text.clone(),
                _ => else_.to_owned(),
            };
            let owners = owner.as_ref().map(likely).unwrap_or_default();
            let kind = text(kind, n, "T").replace('/', "T");
            call.resource = Some(ResourceSaid {
                kind,
                id: text(id, n, "1"),
                attrs: owners
                    .get(n % owners.len().max(1))
                    .map(|v| ("owner".to_owned(), v.clone()))
                    .into_iter()
                    .collect(),
            });
        } else if capability.any_resource && n % 4 == 1 {
            call.resource =
                Some(ResourceSaid { kind: "T".into(), id: "1".into(), attrs: BTreeMap::new() });
        }
        calls.push(call);
    }
    for other in others {
        calls.push(CallSaid { tool: capability.tool.clone(), ..other.clone() });
    }
    calls
}

/// Values of which a constraint may be true.
fn likely(c: &C) -> Vec<V> {
    let text = |t: &str| V::Text(t.into());
    let mut values = match c {
        C::Eq(value) => vec![value.clone(), V::List(vec![value.clone()])],
        C::OneOf(set) => set.iter().cloned().chain([V::List(set.clone())]).collect(),
        C::HasAny(set) | C::HasAll(set) | C::SubsetOf(set) => {
            let one = V::List(vec![set[0].clone()]);
            vec![
                V::List(set.clone()),
                one,
                V::List(set.iter().chain([&V::Null]).cloned().collect()),
            ]
        }
        C::Min(n) | C::Max(n) => vec![V::Halves(*n), V::List(vec![V::Halves(*n)])],
        C::Above(n) => vec![V::Halves(n + 1)],
        C::Below(n) => vec![V::Halves(n - 1)],
        C::Prefix(t) | C::Suffix(t) | C::Contains(t) => vec![text(t), V::List(vec![text(t)])],
        C::All(parts) | C::AnyOf(parts) => parts.iter().flat_map(likely).collect(),
        C::Each(inner) | C::Some(inner) => {
            likely(inner).into_iter().map(|v| V::List(vec![v])).collect()
        }
        C::Fields(named, _) => vec![V::Object(
            named
                .iter()
                .filter_map(|(name, c)| Some((name.clone(), likely(c).first()?.clone())))
                .collect(),
        )],
        _ => Vec::new(),
    };
    values.extend([
        V::Halves(2),
        text("a"),
        text("ab"),
        text("a/b"),
        V::List(vec![text("a"), text("b")]),
        V::Halves(-1),
        text(""),
        V::Null,
        V::List(Vec::new()),
        V::List(vec![V::List(vec![text("a")])]),
        V::Bool(true),
        V::Object(BTreeMap::new()),
    ]);
    values
}
