//! A task is settled, once, when its last call is done and nothing is left to withdraw of what was minted for it.

use std::sync::{Arc, Mutex};

use hallpass::audit::{Event, Record, Settled};
use hallpass::clock::{Clock, ClockError, ManualClock, Reading};
use hallpass::testing::{Mint as Cue, ScriptedProvider, Verify, Withdraw};

use crate::minting::*;

/// Those of a log, and the record before each.
pub(crate) fn settled(records: &[Record]) -> Vec<(Settled<'static>, &'static str)> {
    let pairs = records.iter().zip(records.iter().skip(1));
    let own = pairs.filter_map(|(before, record)| match &record.event {
        Event::Settled(own) => Some(((**own).clone(), before.event.kind())),
        _ => None,
    });
    own.collect()
}

impl Mint {
    fn settled(&self) -> Vec<(Settled<'static>, &'static str)> {
        self.broker.flush();
        settled(&self.log().records())
    }

    /// Whether the last task that ended left something, by its record.
    fn left_something(&self) -> bool {
        self.broker.flush();
        let ended = self.log().records().into_iter().rev().find_map(|record| match record.event {
            Event::Ended { unsettled, .. } => Some(unsettled),
            _ => None,
        });
        ended.expect("a task has ended")
    }

    fn not_settled(&self) -> Vec<u64> {
        self.broker.flush();
        self.broker.verify_log().unwrap().unsettled
    }

    fn names(&self) -> Vec<String> {
        let planned = |record: Record| match record.event {
            Event::CredentialPlanned { name, .. } => Some(name.into_owned()),
            _ => None,
        };
        self.log().records().into_iter().filter_map(planned).collect()
    }
}

fn gone(own: &Settled<'_>) -> Vec<String> {
    own.gone.iter().map(ToString::to_string).collect()
}

/// attack 176
#[test]
fn a_task_is_settled_when_the_last_of_what_was_minted_for_it_is_gone() {
    let world = Mint::new();
    let (task, grant) = world.open();
    let generation = task.generation();
    let other = world.grant(&task);
    for grant in [&grant, &other] {
        world.run(grant, "db.read").unwrap();
    }
    task.complete();
    assert!(world.left_something());
    world.provider.next_withdrawals(Withdraw::Fails, 1);
    world.tend();
    assert_eq!((world.settled(), world.not_settled()), (vec![], vec![generation]));
    world.clock.advance(2 * SECOND);
    world.tend();
    let told = world.settled();
    let [(own, "credential_gone")] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&*own.task, own.generation), (task_name(&world), generation));
    assert_eq!((own.more, own.owed.len()), (0, 0));
    let (mut gone, mut names) = (gone(own), world.names());
    gone.sort();
    names.sort();
    assert_eq!((gone.len(), gone), (2, names));
    assert_eq!(world.not_settled(), [0_u64; 0]);
    world.clock.advance(900 * SECOND);
    world.tend();
    assert_eq!(world.settled().len(), 1, "once");
}

fn task_name(world: &Mint) -> &'static str {
    let opened = world.log().records().into_iter().find_map(|record| match record.event {
        Event::Opened { task, .. } => Some(task.into_owned()),
        _ => None,
    });
    Box::leak(opened.unwrap().into_boxed_str())
}

#[test]
fn what_was_gone_before_the_end_is_listed_and_what_was_never_minted_too() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    drop(task.revoke_grant(&grant));
    world.tend();
    let grant = world.grant(&task);
    world.provider.next_mints(Cue::Fails, 1);
    world.run(&grant, "db.read").unwrap_err();
    assert_eq!(world.settled(), [], "the task is open");
    task.complete();
    let told = world.settled();
    let [(own, "ended")] = &told[..] else { panic!("{told:?}") };
    assert_eq!(gone(own), world.names());
    assert_eq!(gone(own).len(), 2);
}

/// The last of what was owed turns out to be nothing after the end.
#[test]
fn a_task_is_settled_by_a_mint_that_fails_after_its_end() {
    let world = Mint::new();
    let (task, grant) = world.open();
    let generation = task.generation();
    world.provider.next_mints(Cue::Fails, 1);
    world.provider.hang();
    std::thread::scope(|scope| {
        let minting = scope.spawn(|| world.run(&grant, "db.read"));
        world.provider.wait_until_inside();
        drop(task.complete());
        assert!(world.left_something());
        assert_eq!(world.not_settled(), [generation]);
        world.provider.release();
        minting.join().unwrap().unwrap_err();
    });
    let told = world.settled();
    let [(own, _)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((gone(own), own.owed.len()), (world.names(), 0));
    assert_eq!(world.not_settled(), [0_u64; 0]);
    assert_eq!(world.broker.obligations(), []);
}

#[test]
fn a_task_whose_end_left_nothing_has_no_record_but_that() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.permit(&grant, "ping").run(|_| Ok::<_, ()>(())).unwrap();
    task.complete();
    assert!(!world.left_something());
    assert_eq!((world.settled(), world.not_settled()), (vec![], vec![]));
}

#[test]
fn a_task_is_not_settled_while_a_call_of_it_runs() {
    for withdrawn_first in [true, false] {
        let world = Mint::new();
        let (task, grant) = world.open();
        world.run(&grant, "db.read").unwrap();
        let calls = ["ping", "ping"].map(|tool| world.permit(&grant, tool).start().unwrap());
        let generation = task.generation();
        task.complete();
        let [first, second] = calls;
        first.succeed();
        if withdrawn_first {
            world.tend();
            assert_eq!((world.settled(), world.not_settled()), (vec![], vec![generation]));
            second.succeed();
        } else {
            second.succeed();
            assert_eq!((world.settled(), world.not_settled()), (vec![], vec![generation]));
            world.tend();
        }
        let told = world.settled();
        let last = if withdrawn_first { "outcome" } else { "credential_gone" };
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].1, gone(&told[0].0)), (last, world.names()));
        assert_eq!(world.not_settled(), [0_u64; 0]);
    }
}

#[test]
fn a_call_that_outlives_its_task_leaves_a_record_when_it_is_done() {
    let broker = hallpass::Broker::new(hallpass::Policy::from_toml(PING).unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, hallpass::Purpose::new("errand")).unwrap();
    let (scope, context) = (hallpass::Scope::tool("ping").any_args(), hallpass::Context::new());
    let grant = task.request(scope, &context).unwrap();
    let call = hallpass::Call::new("ping", serde_json::json!({})).unwrap();
    let running = broker.gate().authorize(&grant, &agent, call, &context).unwrap().start().unwrap();
    task.complete();
    let told = || {
        broker.flush();
        settled(&broker.log().unwrap().records()).into_iter().map(|(own, _)| own.generation)
    };
    assert_eq!(told().next(), None);
    drop(running);
    assert_eq!(told().count(), 1);
    assert_eq!(broker.verify_log().unwrap().unsettled, [0_u64; 0]);
}

const PING: &str = r#"
    version = 1
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" } }]
"#;

/// attack 176: it stands, and is said to
#[test]
fn what_can_not_be_withdrawn_is_listed_as_owed_until_it_expires() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let expires = world.broker.standing().downstream[0].until;
    task.complete();
    world.provider.next_withdrawals(Withdraw::Refuses, 1);
    world.tend();
    let told = world.settled();
    let [(own, "credential_owed")] = &told[..] else { panic!("{told:?}") };
    assert_eq!(gone(own), [] as [String; 0]);
    let owed: Vec<_> = own.owed.iter().map(|own| (own.name.to_string(), own.until)).collect();
    assert_eq!(owed, [(world.names()[0].clone(), expires)]);
    assert_eq!(world.broker.obligations().len(), 1, "it is looked for still");
    // It stands after all, is withdrawn, and is gone.
    for _ in 0..2 {
        world.clock.advance(301 * SECOND);
        world.tend();
        assert_eq!(world.not_settled(), [0_u64; 0], "its task stays settled");
    }
    assert_eq!((world.broker.obligations(), world.settled().len()), (vec![], 1));
}

/// attack 177: a mint that lands after the end
#[test]
fn what_may_land_late_is_waited_for() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.provider.next_mints(Cue::LandsLate, 1);
    world.run(&grant, "db.read").unwrap_err();
    task.complete();
    world.tend();
    assert_eq!(world.settled(), []);
    world.clock.advance(11 * SECOND);
    world.tend();
    assert_eq!(gone(&world.settled()[0].0), world.names());
}

/// A clock that does something else at one of its readings.
#[derive(Clone)]
struct Interrupting {
    clock: ManualClock,
    at: Arc<Mutex<Interruption>>,
}

type Interruption = Option<(usize, Box<dyn FnOnce() + Send>)>;

impl Clock for Interrupting {
    fn read(&self) -> Result<Reading, ClockError> {
        let mut at = self.at.lock().unwrap();
        match at.take() {
            Some((0, interrupt)) => {
                drop(at);
                interrupt();
            }
            Some((left, interrupt)) => *at = Some((left - 1, interrupt)),
            None => {}
        }
        self.clock.read()
    }
}

/// While what can't be withdrawn is looked at again, what the log says of it changes before it is known what came of that.
#[test]
fn a_last_call_that_is_done_while_what_lasts_is_looked_at_has_the_log_say_what_is_so() {
    for is_gone in [false, true] {
        for reading in 0..10 {
            let (at, clock) = (Arc::new(Mutex::new(None)), clock());
            let interrupting = Interrupting { clock: clock.clone(), at: at.clone() };
            let provider = ScriptedProvider::new("database");
            let world = Mint::with(provider, |builder| builder.clock(interrupting));
            let (task, grant) = world.open();
            world.run(&grant, "db.read").unwrap();
            let call = world.permit(&grant, "ping").start().unwrap();
            task.complete();
            world.provider.next_withdrawals(Withdraw::Refuses, 1);
            world.tend();
            clock.advance(301 * SECOND);
            if is_gone {
                world.provider.next_verifications(Verify::Unknown, 1);
            }
            *at.lock().unwrap() =
                Some((reading, Box::new(move || call.succeed()) as Box<dyn FnOnce() + Send>));
            world.tend();
            let not_reached = at.lock().unwrap().take();
            drop(not_reached);
            for _ in 0..3 {
                world.broker.flush();
                let told = world.broker.verify_log();
                assert_eq!(told.err(), None, "at reading {reading}, gone: {is_gone}");
                clock.advance(301 * SECOND);
                world.tend();
            }
            assert_eq!((world.not_settled(), world.settled().len()), (vec![], 1), "{reading}");
        }
    }
}
