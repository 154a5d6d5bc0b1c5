//! P2 outside: what is owed is neither waited for nor forgotten.

use std::sync::{Arc, Mutex};

use hallpass::audit::Event;
use hallpass::credential::Debt;
use hallpass::testing::{ScriptedProvider, Verify, Withdraw};

use crate::minting::*;

/// A credential of a task that has ended.
fn owing() -> Mint {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    world
}

/// attacks 98, 176
#[test]
fn a_withdrawal_that_fails_for_an_hour_is_tried_again_and_seen_all_the_while() {
    let world = owing();
    world.provider.next_withdrawals(Withdraw::Fails, usize::from(u8::MAX));
    let mut attempts = 0;
    for second in 0..3600 {
        let before = world.broker.obligations()[0].attempts;
        world.tend();
        let owed = &world.broker.obligations()[0];
        if owed.attempts > before {
            attempts += 1;
            let waits = owed.due.since(world.clock_now());
            assert!(waits <= 300 * SECOND && !waits.is_zero(), "{second}: {waits:?}");
        }
        assert_eq!(owed.last_error.as_deref(), Some("failed on cue"));
        world.clock.advance(SECOND);
    }
    // 1, 2, 4, … seconds up to five minutes, each less a quarter at most.
    assert!((19..=26).contains(&attempts), "{attempts}");
    let owed = &world.broker.obligations()[0];
    assert_eq!((owed.attempts, owed.debt), (attempts, Debt::Owed));
    let recorded = world.story().iter().filter(|kind| **kind == "credential_owed").count();
    assert_eq!(recorded as u64, attempts, "each attempt is recorded");
    world.provider.recover();
    world.clock.advance(300 * SECOND);
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

impl Mint {
    fn clock_now(&self) -> hallpass::clock::Timestamp {
        use hallpass::clock::Clock as _;
        self.clock.read().unwrap().wall
    }
}

/// attack 176
#[test]
fn nothing_is_gone_before_it_was_looked_for() {
    // What the provider says; what is owed then; and what is outside.
    let rows: [(Option<Withdraw>, Option<Verify>, Debt, usize); 5] = [
        (Some(Withdraw::Panics), None, Debt::Owed, 1),
        (Some(Withdraw::Pretends), None, Debt::Owed, 1),
        (Some(Withdraw::Refuses), None, Debt::Lasting, 1),
        (None, Some(Verify::Unknown), Debt::Withdrawn, 0),
        (None, Some(Verify::Panics), Debt::Withdrawn, 0),
    ];
    for (withdraw, verify, debt, outside) in rows {
        let world = owing();
        withdraw.into_iter().for_each(|cue| world.provider.next_withdrawals(cue, 1));
        verify.into_iter().for_each(|cue| world.provider.next_verifications(cue, 1));
        world.tend();
        let owed = world.broker.obligations();
        assert_eq!((owed.len(), owed[0].debt), (1, debt), "{withdraw:?} {verify:?}");
        assert!(owed[0].last_error.is_some());
        assert_eq!(world.provider.live().len(), outside, "{withdraw:?} {verify:?}");
        assert_eq!(world.tend().1, 0, "not before it is due");
        world.clock.advance(300 * SECOND);
        world.tend();
        let owed = world.broker.obligations().len();
        // What can't be withdrawn stands until it expires, and is looked for then.
        assert_eq!(owed, usize::from(debt == Debt::Lasting), "{withdraw:?} {verify:?}");
        world.clock.advance(300 * SECOND);
        world.tend();
        assert_eq!(world.broker.obligations(), []);
        assert_eq!(world.provider.live(), [] as [Box<str>; 0]);
        assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
    }
}

#[test]
fn what_can_neither_be_withdrawn_nor_looked_for_is_owed_until_it_has_expired() {
    let world = owing();
    world.provider.next_withdrawals(Withdraw::Refuses, 1);
    world.provider.next_verifications(Verify::Unknown, 9);
    world.tend();
    let owed = world.broker.obligations();
    assert_eq!(owed[0].due, owed[0].expires);
    assert_eq!(owed[0].last_error.as_deref(), Some("refused on cue"));
    world.clock.advance(299 * SECOND);
    assert_eq!(world.tend(), (0, 0, 1));
    world.clock.advance(SECOND);
    assert_eq!(world.tend(), (0, 1, 0));
    let gone = world.log().records().into_iter().rev().find_map(|record| match record.event {
        Event::CredentialGone { how, .. } => Some(how),
        _ => None,
    });
    assert_eq!(gone, Some(hallpass::audit::GoneHow::Expired));
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

#[test]
fn a_provider_that_hangs_holds_up_one_thread_that_tends_and_nothing_else() {
    let world = owing();
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    world.provider.hang();
    std::thread::scope(|scope| {
        let tending = scope.spawn(|| world.tend());
        world.provider.wait_until_inside();
        drop(task.complete());
        assert!(world.broker.standing().is_empty());
        assert_eq!(world.broker.obligations().len(), 2);
        world.provider.release();
        assert_eq!(tending.join().unwrap().0, 1);
    });
    assert_eq!(world.tend(), (1, 1, 0));
}

#[test]
fn no_call_to_a_provider_begins_after_the_time_for_tending_is_up() {
    let world = owing();
    assert_eq!(world.broker.tend(std::time::Duration::ZERO).owed, 1);
    assert_eq!(world.provider.live().len(), 1);
}

/// attack 98
#[test]
fn a_broker_that_is_dropped_hands_over_what_is_owed_and_what_its_live_grants_had() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let world = Mint::with(ScriptedProvider::new("database"), |builder| {
        builder.on_owed(move |owed| hook.lock().unwrap().extend_from_slice(owed))
    });
    let (task, grant) = world.open();
    let (live, other) = world.open();
    world.run(&grant, "db.read").unwrap();
    world.run(&other, "db.read").unwrap();
    task.complete();
    let names = world.provider.live();
    drop((world, grant, live, other));
    let mut owed: Vec<_> = told.lock().unwrap().iter().map(|own| own.name.clone()).collect();
    owed.sort();
    assert_eq!(owed, names);
}

#[test]
fn a_broker_that_owes_nothing_hands_nothing_over() {
    let told = Arc::new(Mutex::new(0));
    let hook = Arc::clone(&told);
    let world = Mint::with(ScriptedProvider::new("database"), |builder| {
        builder.on_owed(move |_| *hook.lock().unwrap() += 1)
    });
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    world.tend();
    drop((world, grant));
    assert_eq!(*told.lock().unwrap(), 0);
}

#[test]
fn a_hook_that_panics_does_so_in_no_drop() {
    let world = Mint::with(ScriptedProvider::new("database"), |builder| {
        builder.on_owed(|_| panic!("a hook"))
    });
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    let dropped = std::panic::AssertUnwindSafe(move || drop((world, grant)));
    assert!(std::panic::catch_unwind(dropped).is_ok());
}

#[test]
fn a_closed_broker_mints_nothing_and_still_withdraws() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    let (_other, open) = world.open();
    let permit = world.permit(&open, "db.read");
    world.broker.close(60 * SECOND);
    assert!(ran(permit).is_err());
    assert_eq!(world.provider.minted(), 1);
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

#[test]
fn a_reaper_tends_by_itself() {
    let world = Mint::with(ScriptedProvider::new("database"), |builder| {
        builder.reaped_every(std::time::Duration::from_millis(1))
    });
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    world.provider.hang();
    task.complete();
    // The only thread that withdraws is the reaper's.
    world.provider.wait_until_inside();
    world.provider.release();
}
