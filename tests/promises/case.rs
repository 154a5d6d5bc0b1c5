//! What a random life of a broker is made of.

use hallpass::Halt;
use hallpass::policy::{Effect, Moment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::door;
use crate::universe::*;

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
        2 => select(vec!["agent/a", "robot", "ada"]).prop_map(|name| Halt::identity(name).unwrap()),
        1 => select(vec!["errand", "task-1"]).prop_map(|name| Halt::task(name).unwrap()),
        1 => select(TOOLS.to_vec()).prop_map(|name| Halt::tool(name).unwrap()),
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
