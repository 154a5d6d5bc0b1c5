//! What cannot be told denies: facts, the clock and the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::audit::Event;
use hallpass::clock::{Clock, ClockError, ManualClock, Reading};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, above, all_of, any_of, below, eq, max, not, one_of, present, same_as,
};
use serde_json::json;

use crate::world::{World, broad, call, plain, policy, start};

/// attack 40, attack 45: a forbid that cannot be decided forbids, and a permit that cannot be
/// decided permits nothing; what the host did not supply is not skipped
#[test]
fn what_cannot_be_told_denies() {
    let with = |value: serde_json::Value| {
        Context::new().with("risk", hallpass::value::Value::try_from(value).unwrap())
    };
    // context, what a permit `risk below 50` comes to, what a forbid `risk above 50` comes to
    let rows = [
        (with(json!(10)), Ok(()), Ok(())),
        (with(json!(50)), Err(Reason::NoPermit), Ok(())),
        (with(json!(90)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (Context::new(), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!(null)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!("10")), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!({})), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!(true)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
    ];
    let permitting = World::new([
        broad().on([Moment::Request]),
        Rule::permit("p").tool("t").any_args().when("risk", below(50)).on([Moment::Call]),
    ]);
    let forbidding = World::new([
        broad(),
        Rule::forbid("f").tool("t").when("risk", above(50)).on([Moment::Call]),
    ]);
    let (_task, of_permit) = permitting.granted();
    let (_other, of_forbid) = forbidding.granted();
    for (context, permit, forbid) in rows {
        let asked = |world: &World, grant: &Grant| {
            let answer = world.gate.authorize(grant.token(), &world.agent, plain(), &context);
            answer.map(drop).map_err(|denial| denial.reason())
        };
        assert_eq!(asked(&permitting, &of_permit), permit, "permit: {context:?}");
        assert_eq!(asked(&forbidding, &of_forbid), forbid, "forbid: {context:?}");
    }
    // At request, too: nothing is granted on a fact that is missing.
    let world = World::new([broad().when("risk", below(50))]);
    let denial = world.open().request(Scope::tool("t").any_args(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    let world = World::new([broad(), Rule::forbid("f").when("risk", above(50))]);
    let denial = world.open().request(Scope::tool("t").any_args(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
}

/// attack 40, attack 44: of who and why, too, what is absent or empty does not count as there
#[test]
fn an_attribute_that_is_absent_or_empty_denies() {
    let world = World::new([broad().who_attr("team", present()).ticket(present())]);
    let ask = |team: Option<&str>, ticket: Option<&str>| {
        let caller = Assertion::agent("a");
        let caller = team.into_iter().fold(caller, |caller, team| {
            caller.attr("team", hallpass::value::Value::Text(team.into()))
        });
        let caller = world.broker.assert_identity(caller).unwrap();
        let purpose =
            ticket.into_iter().fold(Purpose::new("test"), |purpose, ticket| purpose.ticket(ticket));
        let task = world.broker.open(&caller, purpose).map_err(|denial| denial.reason())?;
        let grant = task.request(Scope::tool("t").any_args(), &world.context);
        grant.map(drop).map_err(|denial| denial.reason())
    };
    assert_eq!(ask(Some("growth"), Some("T-1")), Ok(()));
    assert_eq!(ask(None, Some("T-1")), Err(Reason::NotCovered));
    assert_eq!(ask(Some(""), Some("T-1")), Err(Reason::NotCovered));
    assert_eq!(ask(Some("growth"), None), Err(Reason::NotCovered));
    assert_eq!(ask(Some("growth"), Some("")), Err(Reason::MalformedPurpose));
    assert_eq!(ask(Some("growth"), Some(" ")), Err(Reason::MalformedPurpose));
}

/// attack 41, attack 141: a clock that fails or panics denies, the denial is recorded, and the next
/// question is answered
#[test]
fn a_clock_that_fails_or_panics_denies_and_is_recorded() {
    #[derive(Clone)]
    struct Cursed(ManualClock, Arc<AtomicBool>);
    impl Clock for Cursed {
        fn read(&self) -> Result<Reading, ClockError> {
            assert!(!self.1.load(Ordering::SeqCst), "the clock panics");
            self.0.read()
        }
    }
    let cursed = Cursed(ManualClock::new(start()), Arc::default());
    let world = World::of(policy([broad()]), |builder| builder.clock(cursed.clone()));
    let (task, grant) = world.granted();
    let kept = world.authorize(&grant, plain()).unwrap();
    type Curse = fn(&Cursed, bool);
    let curses: [Curse; 2] = [
        |clock, on| clock.1.store(on, Ordering::SeqCst),
        |clock, on| if on { clock.0.fail() } else { clock.0.recover() },
    ];
    for curse in curses {
        curse(&cursed, true);
        let denials = [
            world.authorize(&grant, plain()).map(drop).unwrap_err(),
            task.request(Scope::tool("t").any_args(), &world.context).map(drop).unwrap_err(),
            world.broker.open(&world.agent, Purpose::new("test")).map(drop).unwrap_err(),
            world.gate.check(grant.token(), &world.agent, &plain(), &world.context).unwrap_err(),
            world.gate.give_up(grant.token(), &world.agent).unwrap_err(),
        ];
        for denial in denials {
            assert_eq!(denial.reason(), Reason::ClockUnreadable);
            assert_eq!(denial.code(), Code::Unavailable);
        }
        curse(&cursed, false);
        assert_eq!(world.run(&grant, plain()), Ok(()));
    }
    let unreadable = |event: &Event<'_>| matches!(event, Event::Denied { reason, .. } if reason == "clock_unreadable");
    let recorded = world.events().into_iter().filter(unreadable).count();
    assert_eq!(recorded, 8, "a call, a request, an opening and a giving up, twice");

    // A permit handed out before does not start, and an end goes through.
    curses[0](&cursed, true);
    assert_eq!(kept.start().unwrap_err().reason(), Reason::ClockUnreadable);
    task.complete();
    curses[0](&cursed, false);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::TaskOver));
    assert!(world.verify().unwrap().without_outcome.is_empty());
}

/// attack 41, attack 141: a sink that panics denies what needs a record, and the next is answered
#[test]
fn a_sink_that_panics_denies() {
    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    world.sink.panic_next();
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::LogRefused));
    assert_eq!(world.run(&grant, plain()), Ok(()));
    world.sink.panic_next();
    let request = task.request(Scope::tool("t").any_args(), &world.context);
    assert_eq!(request.unwrap_err().reason(), Reason::LogRefused);
    assert_eq!(world.run(&grant, plain()), Ok(()));
    world.sink.panic_next();
    task.complete();
    assert!(world.broker.standing().is_empty());
    world.broker.flush();
    world.verify().unwrap();
}

/// attack 147: an unknown goes through `not`, `any` and `all` and comes out unknown, unless what is
/// known decides
#[test]
fn an_unknown_inside_a_combination_never_helps() {
    let broken = || below(50);
    let yes = || eq("yes");
    let no = || one_of(["no", "never"]);
    // Of the argument `x`, which is the text "yes": a number's bound on it is unknown.
    let rows: [(Constraint, bool, bool); 10] = [
        // constraint, whether a permit applies, whether a forbid applies
        (broken(), false, true),
        (not(broken()), false, true),
        (not(not(broken())), false, true),
        (any_of([broken(), no()]), false, true),
        (any_of([broken(), yes()]), true, true),
        (all_of([broken(), yes()]), false, true),
        (all_of([broken(), no()]), false, false),
        (not(all_of([broken(), yes()])), false, true),
        (not(any_of([broken(), no()])), false, true),
        (same_as("when.missing"), false, true),
    ];
    for (constraint, permits, forbids) in rows {
        let row = format!("{constraint:?}");
        let permitting = World::new([
            broad().on([Moment::Request]),
            Rule::permit("p").tool("t").arg("x", constraint.clone()).on([Moment::Call]),
        ]);
        let (_task, grant) = permitting.granted();
        let answer = permitting.attempt(&grant, call(json!({ "x": "yes" })));
        assert_eq!(answer.is_ok(), permits, "permit: {row}");
        let forbidding = World::new([broad(), Rule::forbid("f").tool("t").arg("x", constraint)]);
        let (_task, grant) = forbidding.granted();
        let answer = forbidding.attempt(&grant, call(json!({ "x": "yes" })));
        assert_eq!(answer == Err(Reason::Forbidden), forbids, "forbid: {row}");
    }
    // The same of an argument that is absent.
    let absent: [(Constraint, bool); 4] =
        [(max(5), false), (not(max(5)), true), (not(present()), true), (present(), false)];
    for (constraint, forbids) in absent {
        let row = format!("{constraint:?}");
        let world = World::new([broad(), Rule::forbid("f").tool("t").arg("x", constraint)]);
        let (_task, grant) = world.granted();
        assert_eq!(world.attempt(&grant, plain()) == Err(Reason::Forbidden), forbids, "{row}");
    }
}
