//! What a whole life of a broker is made of: every operation there is, at random.

use std::collections::BTreeMap;
use std::time::Duration;

use hallpass::policy::Moment;
use hallpass::{BrokerBuilder, Halt};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::case::{End, Revoke, Wanted};
use crate::life_minting::{Minting, minting};
use crate::life_notes::IDS;
use crate::small::{BOSS, PEOPLE, SMALL_TOOLS};
use crate::small_drawn::{small_capabilities, small_policies, small_whos};
use crate::universe::*;

#[derive(Clone, Debug)]
pub(crate) struct LifeCase {
    pub(crate) policies: Vec<PolicySaid>,
    pub(crate) whos: Vec<WhoSaid>,
    pub(crate) capabilities: Vec<CapabilitySaid>,
    /// Denials and seconds after which somebody is halted.
    pub(crate) tripwire: Option<(usize, u64)>,
    pub(crate) ops: Vec<Act>,
}

impl LifeCase {
    /// What is set of each broker of the life.
    pub(crate) fn set(&self, builder: BrokerBuilder) -> BrokerBuilder {
        match self.tripwire {
            Some((denials, seconds)) => builder.halt_after(denials, Duration::from_secs(seconds)),
            None => builder,
        }
    }
}

/// For how many seconds at most something is asked for, and in how many it is to start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timed {
    pub(crate) ttl: Option<u64>,
    pub(crate) starts: Option<u64>,
}

/// An operation. Numbers pick among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
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
        trimmed: bool,
        timed: Timed,
    },
    Delegate {
        parent: usize,
        foreign: bool,
        holder: usize,
        wanted: Wanted,
        context: usize,
    },
    Renew {
        grant: usize,
        by: Option<usize>,
        context: usize,
        moves: bool,
    },
    Attenuate {
        token: usize,
        wanted: Wanted,
        seconds: Option<u64>,
    },
    Present {
        token: usize,
        call: usize,
        inside: bool,
        seconds: i64,
    },
    Authorize {
        token: usize,
        bound: bool,
        caller: Option<usize>,
        call: usize,
        context: usize,
    },
    Tools {
        token: usize,
        caller: Option<usize>,
        context: usize,
    },
    Start(usize),
    RunAndPanic(usize),
    DropPermit(usize),
    /// Of a call that runs: which ids it gave.
    Note(usize, Vec<usize>),
    FinishCall(usize, Done),
    Revoke {
        grant: usize,
        how: Revoke,
    },
    RevokePerson(&'static str),
    RevokeTool(&'static str),
    End {
        task: usize,
        how: End,
        wait: bool,
    },
    Reload {
        to: usize,
        scan: Scan,
    },
    Scan,
    Preview(usize),
    Sweep,
    Halt(Halt),
    /// Of somebody that a grant was delegated by; and then a call of it.
    HaltAbove(usize),
    Resume(usize),
    ResumeOther(Halt),
    Advance(u64),
    Suspend(u64),
    StepBack(u64),
    Sink(bool),
    SinkPanics,
    /// While a thread is inside a sink that hangs.
    WhileHanging(Vec<Act>),
    /// Of credentials: how the next is minted, or what has to go does.
    Mint(Minting),
    /// The tokens' key changes, with as many seconds of grace.
    Rotate(u64),
    RotateLog,
    /// Another broker goes on with the log, with its key or another: of one that was closed, or that died.
    Restart {
        closed: bool,
        rekeyed: bool,
    },
    /// While the clock can't be read.
    Timeless(Box<Act>),
}

/// How a running call ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Done {
    Well,
    Badly,
    Dropped,
}

/// When what a reload leaves to be scanned is scanned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scan {
    AtOnce,
    Later,
    Never,
}

fn halts() -> BoxedStrategy<Halt> {
    prop_oneof![
        1 => Just(Halt::Everything),
        3 => select(PEOPLE.to_vec()).prop_map(|name| Halt::identity(name).unwrap()),
        1 => Just(Halt::identity(BOSS).unwrap()),
        1 => select(vec!["errand", "task-1"]).prop_map(|name| Halt::task(name).unwrap()),
        2 => select(SMALL_TOOLS.to_vec()).prop_map(|name| Halt::tool(name).unwrap()),
    ]
    .boxed()
}

fn asks() -> BoxedStrategy<Act> {
    let n = || 0..4096usize;
    let wanted = || {
        prop_oneof![
            3 => n().prop_map(Wanted::OfPermit),
            2 => n().prop_map(Wanted::Pinned),
            3 => (n(), option::weighted(0.2, n())).prop_map(|(a, b)| Wanted::Free(a, b)),
        ]
    };
    let name = option::weighted(0.3, Just("errand"));
    let rarely = || proptest::bool::weighted(0.08);
    let timed = (
        option::weighted(0.2, select(vec![0u64, 3, 15, 50, 900])),
        option::weighted(0.15, select(vec![0u64, 5, 25, 70])),
    )
        .prop_map(|(ttl, starts)| Timed { ttl, starts });
    prop_oneof![
        3 => (n(), whys(), name).prop_map(|(who, why, name)| Act::Open { who, why, name }),
        9 => (n(), option::weighted(0.3, n()), wanted(), n(), proptest::bool::weighted(0.3), timed)
            .prop_map(|(task, holder, wanted, context, trimmed, timed)| Act::Request {
                task, holder, wanted, context, trimmed, timed,
            }),
        11 => (n(), rarely(), n(), wanted(), n()).prop_map(
            |(parent, foreign, holder, wanted, context)| Act::Delegate {
                parent, foreign, holder, wanted, context,
            }
        ),
        5 => (n(), option::weighted(0.06, n()), n(), proptest::bool::weighted(0.75)).prop_map(
            |(grant, by, context, moves)| Act::Renew { grant, by, context, moves }
        ),
        4 => (n(), wanted(), option::weighted(0.3, select(vec![5u64, 30]))).prop_map(
            |(token, wanted, seconds)| Act::Attenuate { token, wanted, seconds }
        ),
    ]
    .boxed()
}

fn calls_made() -> BoxedStrategy<Act> {
    let n = || 0..4096usize;
    let late = || select(vec![-40i64, -10, 0, 0, 0, 0, 10, 40]);
    prop_oneof![
        6 => (n(), n(), proptest::bool::weighted(0.9), late()).prop_map(
            |(token, call, inside, seconds)| Act::Present { token, call, inside, seconds }
        ),
        30 => (n(), proptest::bool::weighted(0.25), option::weighted(0.08, n()), n(), n()).prop_map(
            |(token, bound, caller, call, context)| Act::Authorize {
                token, bound, caller, call, context,
            }
        ),
        4 => (n(), option::weighted(0.1, n()), n())
            .prop_map(|(token, caller, context)| Act::Tools { token, caller, context }),
        14 => n().prop_map(Act::Start),
        1 => n().prop_map(Act::RunAndPanic),
        4 => n().prop_map(Act::DropPermit),
        16 => (n(), vec(0..IDS.len(), 1..5)).prop_map(|(call, ids)| Act::Note(call, ids)),
        8 => (n(), select(vec![Done::Well, Done::Badly, Done::Dropped]))
            .prop_map(|(permit, done)| Act::FinishCall(permit, done)),
    ]
    .boxed()
}

fn ends() -> BoxedStrategy<Act> {
    let n = || 0..4096usize;
    let revoke = select(vec![
        Revoke::ByTask,
        Revoke::ByControl,
        Revoke::ByGrant,
        Revoke::GivenUp,
        Revoke::GivenUp,
        Revoke::GivenUpByAnother,
    ]);
    let end =
        select(vec![End::Complete, End::Fail, End::Revoke, End::Drop, End::Panic, End::Control]);
    let scan = select(vec![Scan::AtOnce, Scan::Later, Scan::Later, Scan::Never]);
    prop_oneof![
        5 => (n(), revoke).prop_map(|(grant, how)| Act::Revoke { grant, how }),
        1 => select(PEOPLE.to_vec()).prop_map(Act::RevokePerson),
        1 => select(SMALL_TOOLS.to_vec()).prop_map(Act::RevokeTool),
        2 => (n(), end, any::<bool>()).prop_map(|(task, how, wait)| Act::End { task, how, wait }),
        8 => (0..3usize, scan).prop_map(|(to, scan)| Act::Reload { to, scan }),
        3 => Just(Act::Scan),
        3 => (0..3usize).prop_map(Act::Preview),
        3 => Just(Act::Sweep),
        3 => halts().prop_map(Act::Halt),
        4 => n().prop_map(Act::HaltAbove),
        16 => n().prop_map(Act::Resume),
        1 => halts().prop_map(Act::ResumeOther),
    ]
    .boxed()
}

fn world() -> BoxedStrategy<Act> {
    prop_oneof![
        10 => select(vec![1u64, 2, 5, 9, 10, 20, 29, 30]).prop_map(Act::Advance),
        1 => select(vec![5u64, 20, 20, 300]).prop_map(Act::Suspend),
        3 => select(vec![5u64, 100]).prop_map(Act::StepBack),
        3 => proptest::bool::weighted(0.8).prop_map(Act::Sink),
        1 => Just(Act::SinkPanics),
        2 => select(vec![0u64, 20, 20, 300]).prop_map(Act::Rotate),
        1 => Just(Act::RotateLog),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(closed, rekeyed)| Act::Restart { closed, rekeyed }),
    ]
    .boxed()
}

fn acts() -> BoxedStrategy<Act> {
    let usual = prop_oneof![
        32 => asks(),
        58 => calls_made(),
        12 => ends(),
        8 => world(),
        9 => minting().prop_map(Act::Mint),
    ];
    prop_oneof![
        58 => usual.clone(),
        2 => usual.clone().prop_map(|act| Act::Timeless(Box::new(act))),
        1 => vec(usual, 1..8).prop_map(Act::WhileHanging),
    ]
    .boxed()
}

/// What most lives begin with, so that there is something in them.
fn first_request(n: usize) -> Act {
    let wanted = Wanted::OfPermit(n);
    let timed = Timed::default();
    Act::Request { task: 0, holder: None, wanted, context: n, trimmed: false, timed }
}

pub(crate) fn life_cases(length: usize) -> BoxedStrategy<LifeCase> {
    let why = WhySaid { name: "reporting".into(), ticket: None };
    (
        vec(small_policies(), 3),
        vec(small_whos(), 3..6),
        vec(small_capabilities(), 3..7),
        option::weighted(0.15, Just((6usize, 40u64))),
        vec(acts(), 1..length),
    )
        .prop_map(move |(mut policies, whos, capabilities, tripwire, mut ops)| {
            let open = Act::Open { who: 0, why: why.clone(), name: None };
            ops.splice(0..0, [open, first_request(0), first_request(8)]);
            forget_alike(&mut policies);
            LifeCase { policies, whos, capabilities, tripwire, ops }
        })
        .boxed()
}

/// When the sweep has forgotten a counter of an identity, only a policy under which the rule counts longer
/// than it did can tell (`docs/design.md`): here all policies have a rule count as long as the first does.
fn forget_alike(policies: &mut [PolicySaid]) {
    let mut first: BTreeMap<String, LimitsSaid> = BTreeMap::new();
    for rule in policies.iter_mut().flat_map(|policy| &mut policy.rules) {
        // In an emergency alone it counts nothing here, and has to count in all.
        let is_emergency = rule.moments.contains(&Moment::BreakGlass);
        let limits = &mut rule.limits;
        if !limits.per_identity || is_emergency {
            continue;
        }
        let as_long = *first.entry(rule.id.clone()).or_insert(*limits);
        let calls = limits.rate.map_or(1, |(calls, _)| calls);
        limits.rate = as_long.rate.map(|(_, window)| (calls, window));
        let uses = limits.uses.or(limits.uses_in.map(|(uses, _)| uses)).unwrap_or(5);
        let most = limits.budget_halves.or(limits.budget_in.map(|(most, _)| most)).unwrap_or(9);
        limits.uses = as_long.uses.map(|_| uses);
        limits.uses_in = as_long.uses_in.map(|(_, window)| (uses, window));
        limits.budget_halves = as_long.budget_halves.map(|_| most);
        limits.budget_in = as_long.budget_in.map(|(_, window)| (most, window));
    }
}
