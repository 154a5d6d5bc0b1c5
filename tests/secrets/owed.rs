//! P2 outside: what is owed is neither waited for nor forgotten.

use std::sync::{Arc, Mutex};

use hallpass::audit::Event;
use hallpass::credential::{
    CredentialProvider, Debt, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want,
    Withdrawn,
};
use hallpass::testing::{Mint as Cue, ScriptedProvider, Verify, Withdraw};
use hallpass::vault::Secret;

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

/// P2: no end of the grant comes for it, and it is looked for as soon as it has expired
#[test]
fn a_credential_that_has_expired_is_withdrawn_though_its_grant_lives() {
    let policy = POLICY.replace(r#"ttl = "5m","#, r#"ttl = "5m", tail = "1m","#);
    let minute = Guarantees::never().shortest_life(60 * SECOND);
    let tokens = ScriptedProvider::new("tokens").guaranteeing(minute);
    let world = Mint::of(&policy, tokens, |builder| builder);
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    world.clock.advance(59 * SECOND);
    assert_eq!(world.tend(), (0, 0, 0));
    world.clock.advance(SECOND);
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.broker.standing().grants.len(), 1);
    drop((task, grant));
}

/// Once it has come a step further, a failure counts as the first again.
#[test]
fn what_has_come_a_step_further_is_tried_again_soon() {
    let provider = ScriptedProvider::new("database").within(60 * SECOND);
    let world = Mint::with(provider, |builder| builder);
    let (_task, grant) = world.open();
    world.provider.next_mints(Cue::Loses, 1);
    world.run(&grant, "db.read").unwrap_err();
    world.provider.next_withdrawals(Withdraw::Fails, 4);
    for wait in [0, 1, 2, 4] {
        world.clock.advance(wait * SECOND);
        assert_eq!(world.tend(), (0, 0, 1));
    }
    world.clock.advance(8 * SECOND);
    assert_eq!(world.tend(), (1, 0, 1), "it is not there, and another mint may still land");
    world.clock.advance(45 * SECOND);
    world.provider.next_withdrawals(Withdraw::Fails, 1);
    world.tend();
    let owed = &world.broker.obligations()[0];
    assert_eq!(owed.attempts, 5);
    assert!(owed.due.since(world.clock_now()) <= SECOND, "{owed:?}");
}

/// Says more than anybody wants to know, and when to come again.
struct Wordy(ScriptedProvider);

impl CredentialProvider for Wordy {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.0.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        self.0.mint(plan)
    }

    fn withdraw(&self, _: &Handle, _: Option<&Secret>) -> Withdrawn {
        Withdrawn::retry(240 * SECOND, "no ".repeat(10_000))
    }

    fn verify(&self, handle: &Handle) -> Gone {
        self.0.verify(handle)
    }
}

#[test]
fn of_a_providers_words_the_beginning_is_kept_and_it_is_left_alone_for_as_long_as_it_asks() {
    let wordy = Wordy(ScriptedProvider::new("database"));
    let world = Mint::with(wordy.0.clone(), |builder| builder.provider("orders-db", wordy));
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    world.tend();
    let owed = &world.broker.obligations()[0];
    assert!(owed.due.since(world.clock_now()) >= 240 * SECOND);
    let recorded = world.log().records().into_iter().find_map(|record| match record.event {
        Event::CredentialOwed { why, .. } => Some(why),
        _ => None,
    });
    for why in [owed.last_error.as_deref().unwrap(), &*recorded.unwrap()] {
        assert!(why.len() <= 512 && why.starts_with("no no") && why.ends_with('…'), "{why}");
    }
}
