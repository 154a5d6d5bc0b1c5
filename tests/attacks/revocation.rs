//! Revocation, and the end of a task.
//!
//! Left for later: of 98, the withdrawal of what a vault has minted downstream.

use hallpass::audit::{Event, How, Outcome, Stage};
use hallpass::grant::GrantId;
use hallpass::prelude::*;
use hallpass::{Halt, RunError};

use crate::world::{MINUTE, World, broad, plain, policy};

pub(crate) fn world() -> World {
    World::new([broad()])
}

/// Asserts that nothing of the grant or the task stands, and that its token is of no use.
#[track_caller]
pub(crate) fn gone(world: &World, grant: &Grant) {
    assert!(world.broker.standing().is_empty());
    let denial = world.authorize(grant, plain()).unwrap_err();
    assert_eq!((denial.code(), denial.reason()), (Code::InvalidToken, Reason::TaskOver));
}

pub(crate) fn ended(world: &World) -> How {
    let how = |event| match event {
        Event::Ended { how, .. } => Some(how),
        _ => None,
    };
    world.events().into_iter().find_map(how).expect("the end is recorded")
}

/// attack 98: a revocation that cannot be recorded has happened all the same; what is owed is visible,
/// and stays so until it has been written
#[test]
fn a_revocation_that_cannot_be_recorded_ends_the_grant_at_once_and_is_owed() {
    let revokes: [fn(&World, &Task, &Grant); 4] = [
        |_, task, grant| assert!(!task.revoke_grant(grant).is_empty()),
        |world, _, grant| assert!(!world.control.revoke_grant(grant.id()).is_empty()),
        |world, _, _| assert_eq!(world.control.revoke_tool("t").unwrap().count(), 1),
        |world, _, grant| _ = world.gate.give_up(grant.token(), &world.agent).unwrap(),
    ];
    for revoke in revokes {
        for panics in [false, true] {
            let world = world();
            let (task, grant) = world.granted();
            let kept = world.authorize(&grant, plain()).unwrap();
            let written = world.records().len();
            match panics {
                true => world.sink.panic_next(),
                false => world.sink.fail_after(0),
            }
            revoke(&world, &task, &grant);
            assert_eq!(world.broker.record_debts(), 1);
            assert_eq!(world.records().len(), written);
            assert!(world.broker.standing().grants.is_empty());
            assert_eq!(kept.start().map(drop).unwrap_err().reason(), Reason::Revoked);
            assert_eq!(world.attempt(&grant, plain()), Err(Reason::Revoked));
            world.sink.recover();
            assert_eq!(world.broker.flush(), 0);
            let revoked =
                |e: &Event<'_>| matches!(e, Event::GrantEnded { why, .. } if *why == "revoked");
            assert_eq!(world.events().iter().filter(|event| revoked(event)).count(), 1);
            world.verify().unwrap();
        }
    }
}

/// attack 95: of two grants for the same, each ends by itself, and where they meet there is neither
/// gap nor doubling
#[test]
fn overlapping_grants_end_each_by_itself() {
    let world = World::new([broad().ttl(MINUTE).uses(2)]);
    let task = world.open();
    let ask = || task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    let first = ask();
    world.clock.advance(MINUTE / 2);
    let second = ask();
    assert_eq!(world.run(&first, plain()), Ok(()));
    world.clock.advance(MINUTE / 2);
    assert_eq!(world.attempt(&first, plain()), Err(Reason::Expired));
    assert_eq!(world.run(&second, plain()), Ok(()));
    assert_eq!(world.attempt(&second, plain()), Err(Reason::UsesSpent), "one counter for both");

    // One that begins at the instant at which the other ends.
    let world = World::new([broad().ttl(MINUTE)]);
    let task = world.open();
    let before = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    world.clock.advance(MINUTE);
    let after = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(world.attempt(&before, plain()), Err(Reason::Expired));
    assert_eq!(world.attempt(&after, plain()), Ok(()));

    // Revoking one leaves the other.
    let other = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert!(!task.revoke_grant(&after).is_empty());
    assert_eq!(world.attempt(&after, plain()), Err(Reason::Revoked));
    assert_eq!(world.attempt(&other, plain()), Ok(()));
}

/// attack 96: a permit handed out before is worth nothing after
#[test]
fn a_permit_from_before_does_not_start_after() {
    type Ending = fn(&World, &Task, &Grant);
    let endings: [(&str, Ending, Reason); 9] = [
        (
            "revoked by its task",
            |_, task, grant| assert!(!task.revoke_grant(grant).is_empty()),
            Reason::Revoked,
        ),
        (
            "revoked by operators",
            |world, _, grant| {
                assert!(!world.control.revoke_grant(grant.id()).is_empty());
            },
            Reason::Revoked,
        ),
        (
            "given up",
            |world, _, grant| {
                world.gate.give_up(grant.token(), &world.agent).unwrap();
            },
            Reason::Revoked,
        ),
        (
            "task revoked",
            |world, task, _| {
                assert!(!world.control.revoke_task(task.name()).unwrap().is_empty());
            },
            Reason::TaskOver,
        ),
        (
            "everything halted",
            |world, _, _| {
                world.control.halt(Halt::Everything);
            },
            Reason::Halted,
        ),
        (
            "tool halted",
            |world, _, _| {
                world.control.halt(Halt::tool("t").unwrap());
            },
            Reason::Halted,
        ),
        (
            "policy changed",
            |world, _, _| {
                assert_eq!(world.broker.reload(&policy([broad().uses(7)])).unwrap().epoch(), 2);
            },
            Reason::PolicyChanged,
        ),
        (
            "lapsed",
            |world, _, _| {
                world.clock.advance(MINUTE / 2);
            },
            Reason::PermitLapsed,
        ),
        ("clock gone", |world, _, _| world.clock.fail(), Reason::ClockUnreadable),
    ];
    for (note, ending, expected) in endings {
        let world = world();
        let (task, grant) = world.granted();
        let permit = world.authorize(&grant, plain()).unwrap();
        ending(&world, &task, &grant);
        let ran = permit.run(|_| -> Result<(), ()> { panic!("the tool ran: {note}") });
        match ran {
            Err(RunError::Denied(denial)) => assert_eq!(denial.reason(), expected, "{note}"),
            other => panic!("{note}: {other:?}"),
        }
        let (events, id) = (world.events(), grant.id().to_string());
        assert!(
            events.iter().any(|event| matches!(
                event,
                Event::Denied { stage: Stage::Run, reason, grant: Some(own), .. }
                    if *reason == expected.as_str() && **own == *id
            )),
            "{note}: recorded, with the grant"
        );
        let abandoned = |event: &&Event<'_>| {
            matches!(event, Event::Outcome { outcome: Outcome::Abandoned, .. })
        };
        assert_eq!(events.iter().filter(abandoned).count(), 1, "{note}: one outcome");
    }
}

/// attack 97: a holder can give its grant up whatever else is the matter, and only its own
#[test]
fn a_holder_can_always_give_up() {
    let world = World::new([broad().uses(1)]);
    let (_task, grant) = world.granted();
    world.run(&grant, plain()).unwrap();
    world.control.halt(Halt::Everything);
    world.broker.reload(&policy([])).unwrap();
    world.sink.fail_after(0);
    assert_eq!(world.gate.give_up(grant.token(), &world.agent).unwrap().grants, 1);
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Revoked));
    let again = world.gate.give_up(grant.token(), &world.agent).unwrap_err();
    assert_eq!(again.code(), Code::InvalidToken);
    world.sink.recover();
    assert_eq!(world.broker.flush(), 0);
    assert!(world.kinds().contains(&"grant_ended"));
}

/// A name that nothing can have is refused with the likely one: an operator who takes access away by it would
/// believe that it is gone.
#[test]
fn revoking_by_a_name_that_nothing_can_have_is_refused_with_the_likely_spelling() {
    let world = world();
    let (_task, grant) = world.granted();
    let control = &world.control;
    let refused = [
        (control.revoke_identity("agent-7\n"), Some("agent-7")),
        (control.revoke_identity(" "), None),
        (control.revoke_tool("`t`"), Some("t")),
        (control.revoke_tool("t or more"), None),
        (control.revoke_task("'errand'\t"), Some("errand")),
        (control.revoke_task(""), None),
    ];
    for (answer, meant) in refused {
        assert_eq!(answer.unwrap_err().meant(), meant);
    }
    assert_eq!(world.attempt(&grant, plain()), Ok(()), "nothing ended");
}

/// A call that runs on after its grant has ended is told of by every way to take its tool or its caller away.
#[test]
fn revoking_a_tool_or_a_caller_reports_calls_of_grants_that_had_ended() {
    let world = world();
    let (task, grant) = world.granted();
    let running = world.authorize(&grant, plain()).unwrap().start().unwrap();
    let _other = world.granted();
    let number = vec![running.number()];
    assert_eq!(task.revoke_grant(&grant).running, number);
    assert_eq!(world.control.revoke_tool("t").unwrap().running, number);
    task.complete();
    assert_eq!(world.control.revoke_tool("t").unwrap().running, number);
    assert_eq!(world.control.revoke_identity("agent-7").unwrap().running, number);
    running.succeed();
    assert_eq!(world.control.revoke_tool("t").unwrap().running, Vec::<u64>::new());
}

/// attack 100: revoking what is not there changes nothing and tells nothing
#[test]
fn revoking_what_is_not_there_is_no_oracle() {
    let (world, other) = (world(), world());
    let (task, grant) = world.granted();
    let (_their_task, theirs) = other.granted();
    let before = world.broker.standing();
    let records = world.log.len();
    assert!(world.control.revoke_grant(GrantId::from_bytes([1; 16])).is_empty());
    assert!(world.control.revoke_grant(theirs.id()).is_empty(), "another tenant's");
    assert!(world.control.revoke_task("no-such-task").unwrap().is_empty());
    assert!(world.control.revoke_identity("no-such-agent").unwrap().is_empty());
    assert!(world.control.revoke_tool("no-such-tool").unwrap().is_empty());
    assert!(task.revoke_grant(&theirs).is_empty(), "another tenant's");
    assert_eq!(world.broker.standing(), before);
    assert_eq!(world.log.len(), records, "and nothing happened that could be recorded");
    assert_eq!(other.attempt(&theirs, plain()), Ok(()));

    let mine = world.gate.give_up(&Token::from_text("hp1.AAAA.BBBB".into()), &world.agent);
    let foreign = world.gate.give_up(theirs.token(), &world.agent);
    assert_eq!(mine.unwrap_err().to_string(), foreign.unwrap_err().to_string());

    assert!(!world.control.revoke_grant(grant.id()).is_empty());
    assert!(world.control.revoke_grant(grant.id()).is_empty());
    assert!(task.revoke_grant(&grant).is_empty());
    assert!(grant.revoke().is_empty());
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "grant_ended").count(), 1);
}
