//! Failures of a provider deny the permit that needs it, and nothing else.

use std::sync::mpsc::channel;
use std::thread;

use hallpass::credential::Guarantees;
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider};

use crate::minting::*;

/// attacks 98, 178
#[test]
fn a_mint_that_goes_wrong_is_denied_gives_the_use_back_and_leaves_nothing() {
    // What goes wrong; what is outside right after it; and what the log says became of it.
    let rows: [(Cue, usize, &[&str]); 8] = [
        (Cue::Fails, 0, &["credential_planned", "credential_gone"]),
        (Cue::Loses, 1, &["credential_planned"]),
        (Cue::LandsLate, 0, &["credential_planned"]),
        (Cue::Panics, 1, &["credential_planned"]),
        (Cue::Outlives(SECOND), 1, &["credential_planned", "credential_minted"]),
        (Cue::Repeats, 2, &["credential_planned", "credential_minted"]),
        (Cue::Shows, 1, &["credential_planned", "credential_minted"]),
        (Cue::Takes(10 * SECOND), 1, &["credential_planned", "credential_minted"]),
    ];
    for (cue, outside, story) in rows {
        let once = POLICY.replace("uses = 100", "uses = 2");
        let world = Mint::of(&once, ScriptedProvider::new("database"), |builder| builder);
        let (task, grant) = world.open();
        let (_other_task, other) = world.open();
        let before = match cue {
            Cue::Repeats => world.run(&other, "db.read").map(|_| world.story().len()).unwrap(),
            _ => 0,
        };
        world.provider.next_mints(cue, 1);
        assert_eq!(world.run(&grant, "db.read"), Err(Reason::CredentialUnavailable), "{cue:?}");
        assert_eq!(world.provider.live().len(), outside, "{cue:?}");
        assert_eq!(&world.story()[before..], story, "{cue:?}");
        // Both uses are left, and the provider is asked again.
        let first = world.run(&grant, "db.read").unwrap();
        assert_eq!(world.run(&grant, "db.write").unwrap(), first, "{cue:?}");
        world.clock.advance(10 * SECOND);
        world.tend();
        let left = 1 + usize::from(cue == Cue::Repeats);
        assert_eq!(world.provider.live().len(), left, "{cue:?}: what was refused is gone");
        task.complete();
        world.tend();
        assert_eq!(world.unsettled().len(), left - 1, "{cue:?}");
    }
}

/// attack 177: a mint may land after it was given up
#[test]
fn a_mint_that_is_not_known_to_have_failed_is_looked_for_until_it_can_land_no_more() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.provider.next_mints(Cue::LandsLate, 1);
    assert!(world.run(&grant, "db.read").is_err());
    task.complete();
    // The provider mints it now, when it is asked to withdraw.
    world.provider.plant("hp_orders_ffffffffffffffffffffffffffffffff", grant.expires());
    assert_eq!(world.tend(), (1, 0, 1), "it is not there, and may still land");
    world.clock.advance(9 * SECOND);
    assert_eq!(world.tend(), (0, 0, 1));
    world.clock.advance(SECOND);
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.provider.live().len(), 1, "what another has planted is not touched");
}

/// attack 126: what a provider says is recorded
#[test]
fn a_handle_that_holds_the_secret_is_recorded_without_it() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    world.provider.next_mints(Cue::Shows, 1);
    assert!(world.run(&grant, "db.read").is_err());
    world.tend();
    let told = format!("{:?} {:?}", world.log().records(), world.broker.obligations());
    assert!(!told.contains("password="), "{told}");
}

#[test]
fn while_one_call_is_minting_others_of_its_grant_time_out_and_nothing_else_waits() {
    let world = Mint::with(ScriptedProvider::new("database"), |builder| {
        builder.credential_wait(std::time::Duration::from_millis(1))
    });
    let (task, grant) = world.open();
    let (_other, elsewhere) = world.open();
    world.provider.hang();
    thread::scope(|scope| {
        let minting = scope.spawn(|| world.run(&grant, "db.read"));
        world.provider.wait_until_inside();
        assert_eq!(world.run(&grant, "db.write"), Err(Reason::CredentialUnavailable));
        let ping = world.permit(&elsewhere, "ping").run(|_| Ok::<_, ()>(()));
        assert!(ping.is_ok());
        assert_eq!(world.broker.standing().tasks.len(), 2);
        // P11: the end returns, and what is minted for it is not lent.
        drop(task.complete());
        world.provider.release();
        assert_eq!(minting.join().unwrap(), Err(Reason::TaskOver));
    });
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.provider.live(), [] as [Box<str>; 0]);
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

#[test]
fn calls_that_wait_for_the_same_credential_get_what_the_first_one_minted() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    world.provider.hang();
    let (started, begun) = channel();
    thread::scope(|scope| {
        let first = scope.spawn(|| world.run(&grant, "db.read").unwrap());
        world.provider.wait_until_inside();
        let second = scope.spawn(|| {
            let permit = world.permit(&grant, "db.write");
            started.send(()).unwrap();
            ran(permit).unwrap()
        });
        begun.recv().unwrap();
        world.provider.release();
        assert_eq!(first.join().unwrap(), second.join().unwrap());
    });
    assert_eq!(world.provider.minted(), 1);
}

/// A hung mint is withdrawn once it can land no more, and is not taken for gone before its provider has come back.
#[test]
fn a_mint_that_comes_back_after_its_time_is_refused_and_withdrawn() {
    let world = Mint::new();
    let (task, grant) = world.open();
    world.provider.hang();
    thread::scope(|scope| {
        let minting = scope.spawn(|| world.run(&grant, "db.read"));
        world.provider.wait_until_inside();
        drop(task.complete());
        assert_eq!(world.broker.obligations().len(), 1, "it is owed while it is on its way");
        assert_eq!(world.tend(), (0, 0, 1), "and is not withdrawn before it can be there");
        world.clock.advance(11 * SECOND);
        world.provider.release();
        assert_eq!(minting.join().unwrap(), Err(Reason::CredentialUnavailable));
    });
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.unsettled(), [] as [Box<str>; 0]);
}

/// P9: a log that takes no plan has nothing minted
#[test]
fn nothing_is_minted_that_the_log_has_not_taken() {
    use hallpass::audit::{Event, MemoryLog};
    use hallpass::testing::FailingSink;
    for (refused, minted) in [(1, 0), (2, 1)] {
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let world = Mint::with(ScriptedProvider::new("database"), |own| own.log(sink.clone()));
        let (task, grant) = world.open();
        let permit = world.permit(&grant, "db.read");
        sink.fail_after(refused - 1);
        assert_eq!(ran(permit), Err(Reason::LogRefused), "{refused}");
        sink.recover();
        assert_eq!(world.provider.minted(), minted);
        task.complete();
        world.tend();
        assert_eq!(world.provider.live(), [] as [Box<str>; 0]);
        assert_eq!(world.broker.flush(), 0);
        assert_eq!(world.broker.verify(&log).unwrap().credentials, [] as [Box<str>; 0]);
        // Of a plan that it has not taken, nothing is said at the end either.
        let ends = log.records().into_iter().filter_map(|record| match record.event {
            Event::Ended { unsettled, .. } => Some(unsettled),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [minted > 0]);
    }
}

#[test]
fn a_plan_that_takes_no_time_or_too_much_is_refused() {
    for within in [0, 61] {
        let provider = ScriptedProvider::new("database").within(within * SECOND);
        let world = Mint::with(provider, |builder| builder);
        let (_task, grant) = world.open();
        assert_eq!(world.run(&grant, "db.read"), Err(Reason::CredentialUnavailable), "{within}");
        assert_eq!(world.story(), [] as [&str; 0]);
    }
}

/// What it takes to withdraw is kept sealed until it is gone, and handed to no one else.
#[test]
fn a_credential_that_is_withdrawn_with_its_own_secret_is_kept_until_it_is_gone() {
    let own = Guarantees::immediate().needs_secret();
    let world = Mint::with(ScriptedProvider::new("tokens").guaranteeing(own), |builder| builder);
    let (task, grant) = world.open();
    world.run(&grant, "db.read").unwrap();
    task.complete();
    assert_eq!(world.tend(), (1, 1, 0));
    assert_eq!(world.provider.live(), [] as [Box<str>; 0]);
}
