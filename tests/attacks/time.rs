//! Time: instants at their edges, clocks that jump, windows.
//!
//! The clock's own table is in `src/clock/timekeeper.rs`. Of 85, approvals come later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::clock::{
    Clock, ClockError, MAX_DURATION, ManualClock, Reading, Timestamp, parse_duration,
};
use hallpass::prelude::*;
use proptest::prelude::*;

use crate::world::{HOUR, MINUTE, SECOND, World, broad, plain, policy, start};

const MILLISECOND: Duration = Duration::from_millis(1);

/// attack 81, attack 85: a grant lives up to its expiry and not a millisecond longer, and from the
/// instant of its issue
#[test]
fn a_grant_is_dead_at_the_instant_of_its_expiry() {
    let world = World::new([broad().ttl(MINUTE)]);
    let (_task, grant) = world.granted();
    assert_eq!(grant.expires(), start().checked_add(MINUTE).unwrap());
    assert_eq!(world.run(&grant, plain()), Ok(()), "now is the instant of issue");
    world.clock.advance(MINUTE - MILLISECOND);
    assert_eq!(world.run(&grant, plain()), Ok(()));
    assert_eq!(world.broker.standing().grants.len(), 1);
    let kept = world.authorize(&grant, plain()).unwrap();
    world.clock.advance(MILLISECOND);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    assert_eq!(kept.start().unwrap_err().reason(), Reason::Expired);
    assert!(world.broker.standing().grants.is_empty());
}

/// attack 81: the ceiling and an idle grant end in the same way, permits handed out included
#[test]
fn a_ceiling_and_an_idle_limit_end_at_their_instant() {
    let world = World::of(policy([broad().ttl(HOUR)]), |builder| builder.ceiling(MINUTE));
    let (task, grant) = world.granted();
    world.clock.advance(MINUTE - MILLISECOND);
    let kept = world.authorize(&grant, plain()).unwrap();
    world.clock.advance(MILLISECOND);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    assert_eq!(kept.start().unwrap_err().reason(), Reason::Expired);
    let request = task.request(Scope::tool("t").any_args(), &world.context);
    assert_eq!(request.unwrap_err().reason(), Reason::Expired);
    assert!(world.broker.standing().is_empty());

    let world = World::new([broad().ttl(HOUR).idle(10 * SECOND)]);
    let (_task, grant) = world.granted();
    world.clock.advance(10 * SECOND - MILLISECOND);
    assert_eq!(world.run(&grant, plain()), Ok(()), "used just in time, and so not idle");
    world.clock.advance(10 * SECOND - MILLISECOND);
    let kept = world.authorize(&grant, plain()).unwrap();
    world.clock.advance(10 * SECOND);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(kept.start().unwrap_err().reason(), Reason::Expired, "what is idle starts nothing");
}

/// attack 81: one decision reads the clock once
#[test]
fn one_decision_reads_the_clock_once() {
    #[derive(Clone)]
    struct Counting(ManualClock, Arc<AtomicUsize>);
    impl Clock for Counting {
        fn read(&self) -> Result<Reading, ClockError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.read()
        }
    }
    let reads = Arc::new(AtomicUsize::new(0));
    let clock = Counting(ManualClock::new(start()), reads.clone());
    let world = World::of(policy([broad().uses(1)]), |builder| builder.clock(clock));
    let (task, grant) = world.granted();
    let count = |step: &mut dyn FnMut()| {
        let before = reads.load(Ordering::SeqCst);
        step();
        reads.load(Ordering::SeqCst) - before
    };
    let mut permit = None;
    assert_eq!(count(&mut || permit = world.authorize(&grant, plain()).ok()), 1, "a permit");
    assert_eq!(count(&mut || drop(world.authorize(&grant, plain()).unwrap_err())), 1, "a denial");
    let mut running = None;
    assert_eq!(count(&mut || running = permit.take().unwrap().start().ok()), 1, "a start");
    let scope = Scope::tool("t").any_args();
    let mut request = || drop(task.request(scope.clone(), &world.context).unwrap());
    assert_eq!(count(&mut request), 1, "a request");
    running.unwrap().succeed();
}

/// attack 82, attack 85: setting the wall clock back revives nothing
#[test]
fn a_clock_set_back_revives_nothing() {
    let world = World::new([broad().ttl(MINUTE).rate(1, MINUTE)]);
    let (task, grant) = world.granted();
    assert_eq!(world.run(&grant, plain()), Ok(()));
    let kept = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    world.clock.set_wall(start().checked_sub(HOUR).unwrap());
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    assert_eq!(world.attempt(&kept, plain()), Err(Reason::Expired));
    // What is granted now is dated by the latest time there was, and its window has not rolled back.
    let late = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(late.expires(), start().checked_add(2 * MINUTE).unwrap());
    assert_eq!(world.run(&late, plain()), Ok(()));
    world.clock.set_wall(start().checked_sub(2 * HOUR).unwrap());
    assert_eq!(world.attempt(&late, plain()), Err(Reason::RateExceeded));

    // One seen expired while the machine slept stays so when the wall clock is set back after: nothing
    // but the latest time there was says so.
    let world = World::new([broad().ttl(MINUTE)]);
    let (_task, grant) = world.granted();
    world.clock.suspend(MINUTE);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    world.clock.set_wall(start());
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
    assert!(world.broker.standing().grants.is_empty());

    // A grant set back before it ever expired does not live longer, either.
    let world = World::new([broad().ttl(MINUTE)]);
    let (_task, grant) = world.granted();
    world.clock.set_wall(start().checked_sub(HOUR).unwrap());
    world.clock.advance(MINUTE);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
}

/// attack 83: a machine that slept, or a clock that jumped ahead, finds its grants expired
#[test]
fn what_slept_is_expired() {
    type Jump = fn(&ManualClock);
    let jumps: [Jump; 3] = [
        |clock| clock.suspend(2 * HOUR),
        |clock| clock.advance(2 * HOUR),
        |clock| clock.set_wall(start().checked_add(2 * HOUR).unwrap()),
    ];
    for jump in jumps {
        let world = World::new([broad()]);
        let (task, grant) = world.granted();
        let kept = world.authorize(&grant, plain()).unwrap();
        jump(&world.clock);
        assert_eq!(world.attempt(&grant, plain()), Err(Reason::Expired));
        assert!(kept.start().is_err());
        assert!(world.broker.standing().is_empty(), "the task is past its ceiling, too");
        let request = task.request(Scope::tool("t").any_args(), &world.context);
        assert_eq!(request.unwrap_err().reason(), Reason::Expired);
        assert_eq!(world.broker.open(&world.agent, Purpose::new("new")).map(drop), Ok(()));
    }
}

/// attack 84: the end of time is an error, and no length of time overflows into one that is none
#[test]
fn the_end_of_time_denies() {
    for text in [
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "-0001-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
    ] {
        assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
    }
    for millis in [-1, i64::MIN, i64::MAX, Timestamp::MAX.unix_millis() + 1] {
        assert_eq!(Timestamp::from_unix_millis(millis), None, "{millis}");
    }
    for text in ["9223372036854775807s", "18446744073709551615ms", "99999999999999999999d", "-1s"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    // Near the last instant a task that could not end is not opened.
    let clock = ManualClock::new(Timestamp::MAX.checked_sub(MINUTE).unwrap());
    let world = World::of(policy([broad()]), |builder| builder.clock(clock.clone()));
    let open = || world.broker.open(&world.agent, Purpose::new("late")).map(drop);
    assert_eq!(open().unwrap_err().reason(), Reason::ClockUnreadable);
    clock.advance(HOUR);
    assert_eq!(open().unwrap_err().reason(), Reason::ClockUnreadable);

    // The longest lifetime there is ends with its task, and one without end is none.
    let world = World::new([broad().ttl(MAX_DURATION).max_life(MAX_DURATION)]);
    let (task, grant) = world.granted();
    assert_eq!(grant.expires(), task.ceiling());
    for endless in [broad().ttl(Duration::MAX), broad().max_life(Duration::MAX)] {
        assert!(Policy::builder().rule(endless).build().is_err());
    }
    for broken in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
        let builder = || Broker::builder(policy([broad()]));
        assert!(builder().ceiling(broken).build().is_err());
        assert!(builder().default_ttl(broken).build().is_err());
        assert!(builder().permit_ttl(broken).build().is_err());
        assert!(builder().halt_after(1, broken).build().is_err());
    }
}

/// attack 86: a window slides, so a burst at its edge adds nothing
#[test]
fn two_bursts_at_a_windows_edge_are_one() {
    let world = World::new([broad().ttl(HOUR).rate(3, MINUTE)]);
    let (_task, grant) = world.granted();
    world.clock.advance(59 * SECOND);
    for _ in 0..3 {
        assert_eq!(world.run(&grant, plain()), Ok(()));
    }
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::RateExceeded));
    world.clock.advance(SECOND); // a fixed window would start anew here
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::RateExceeded));
    world.clock.advance(59 * SECOND - MILLISECOND);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::RateExceeded));
    world.clock.advance(MILLISECOND);
    assert_eq!(world.run(&grant, plain()), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// attack 86: whenever calls are made, no window holds more than the rate, and a call is denied
    /// only if its window is full
    #[test]
    fn no_window_holds_more_than_the_rate(gaps in prop::collection::vec(0u64..900, 1..40)) {
        let world = World::new([broad().ttl(HOUR).rate(3, SECOND)]);
        let (_task, grant) = world.granted();
        let (mut now, mut permitted) = (0, Vec::<u64>::new());
        for gap in gaps {
            now += gap;
            world.clock.advance(Duration::from_millis(gap));
            let within = permitted.iter().filter(|at| now - **at < 1000).count();
            match world.attempt(&grant, plain()) {
                Ok(()) => {
                    prop_assert!(within < 3, "{permitted:?} then {now}");
                    permitted.push(now);
                }
                Err(reason) => {
                    prop_assert_eq!(reason, Reason::RateExceeded);
                    prop_assert_eq!(within, 3);
                }
            }
        }
    }
}

/// attack 87: counters belong to a task, so two agents' errands under one rule do not share them,
/// and what hangs from one task does
#[test]
fn two_tasks_under_one_rule_have_counters_of_their_own() {
    let world = World::new([broad().uses(1).rate(5, MINUTE)]);
    let other = world.broker.assert_identity("agent-8").unwrap();
    let (task, grant) = world.granted();
    let second = world.broker.open(&other, Purpose::new("test")).unwrap();
    let theirs = second.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(world.run(&grant, plain()), Ok(()));
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::UsesSpent));
    let permit = world.gate.authorize(theirs.token(), &other, plain(), &world.context).unwrap();
    permit.run(|_| Ok::<_, ()>(())).unwrap();
    // Asking again resets nothing.
    let again = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(world.attempt(&again, plain()), Err(Reason::UsesSpent));
}
