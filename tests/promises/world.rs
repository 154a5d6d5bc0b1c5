//! A broker and a model of it, driven side by side by random operations.
//!
//! The model is a list of tasks, grants and permits, a clock and a list of events. After every
//! operation the answers and what stands are compared, at the end the log.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use hallpass::audit::Outcome;
use hallpass::identity::Identity;
use hallpass::token::Token;
use hallpass::{Grant, Halt, Permit, Reason, Running, Task};

use crate::case::{Case, Op};
use crate::stand::{Stand, pick};
use crate::universe::*;

#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) used: u64,
    pub(crate) sum: i64,
    pub(crate) calls: Vec<i64>,
    /// What was spent and not given back, and when.
    pub(crate) spent: Vec<(i64, i64)>,
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
    /// The tools it called, with the labels that they had then.
    pub(crate) called: Vec<(String, Vec<String>)>,
    pub(crate) counters: BTreeMap<String, Counter>,
    /// When a holder used last what a rule gives it: by the rule and the holder's id.
    pub(crate) last_used: BTreeMap<(String, String), i64>,
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
    /// How many calls are running on it: it is in use as long.
    pub(crate) running: usize,
    /// Why it ended, if it has.
    pub(crate) ended: Option<Reason>,
    /// Looked at again under another policy, whose limits it then has in addition to its own.
    pub(crate) clamped: bool,
}

impl GrantModel {
    pub(crate) fn is_idle(&self, now: i64) -> bool {
        let idle = self.idle.filter(|_| self.running == 0);
        idle.is_some_and(|idle| now - self.last_used >= idle)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Reserved,
    Running,
    Closed(Outcome),
}

pub(crate) struct PermitModel {
    /// What was asked for, and has to be what runs.
    pub(crate) asked: hallpass::Call,
    pub(crate) handle: Option<Permit>,
    pub(crate) running: Option<Running>,
    pub(crate) number: u64,
    pub(crate) grant: usize,
    pub(crate) caller: usize,
    pub(crate) tool: String,
    pub(crate) lapses: i64,
    pub(crate) epoch: u64,
    pub(crate) state: State,
    /// What it holds of each rule's limits: one use and this much.
    pub(crate) charges: Vec<(String, i64, i64)>,
}

pub(crate) struct World {
    pub(crate) case: Case,
    pub(crate) stand: Stand,
    pub(crate) who: Vec<Identity>,
    pub(crate) policy: usize,
    pub(crate) epoch: u64,
    pub(crate) halts: Vec<Halt>,
    pub(crate) tasks: Vec<TaskModel>,
    pub(crate) grants: Vec<GrantModel>,
    pub(crate) permits: Vec<PermitModel>,
    /// How many permits and grants there were, so that a property can see that it saw some.
    pub(crate) permitted: usize,
    pub(crate) granted: usize,
    pub(crate) started: usize,
}

impl Deref for World {
    type Target = Stand;

    fn deref(&self) -> &Stand {
        &self.stand
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Stand {
        &mut self.stand
    }
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
        let stand = Stand::new(case.policies[0].policy(), |builder| builder);
        let attest = |who: &WhoSaid| stand.broker.assert_identity(who.assertion()).unwrap();
        World {
            who: case.whos.iter().map(attest).collect(),
            stand,
            policy: 0,
            epoch: 1,
            halts: Vec::new(),
            tasks: Vec::new(),
            grants: Vec::new(),
            permits: Vec::new(),
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
            Op::Advance(s) => self.advance(*s),
            Op::Suspend(s) => self.suspend(*s),
            Op::StepBack(s) => self.step_back(*s),
            Op::Halt(what) => self.halt(what),
            Op::Resume(n) => {
                if let Some(what) = self.halts.get(n % self.halts.len().max(1)).cloned() {
                    self.resume(&what);
                }
            }
            Op::ResumeOther(what) => self.resume(what),
            Op::Sink(works) => self.sink_works(*works),
            Op::SinkPanics => self.sink_panics_once(),
            Op::Timeless(op) => {
                self.lose_the_clock();
                self.apply(op);
                self.compare();
                self.find_the_clock();
            }
        }
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
        Halt::Identity { id, .. } => {
            // Either of them, and all they act for.
            [&whos[who], &whos[requester]]
                .iter()
                .any(|one| one.id == **id || one.acts_for.as_deref() == Some(&**id))
        }
        Halt::Task { name, .. } => **name == *task,
        Halt::Tool { name, .. } => tool == Some(&**name),
    }
}
