//! Time that is asked for: less than policy gives, and from an instant on.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::any;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    clock: ManualClock,
    broker: Broker,
    who: Identity,
    task: Task,
}

fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap()
}

fn after(seconds: u32) -> Timestamp {
    start().checked_add(seconds * SECOND).unwrap()
}

fn world(rule: impl FnOnce(Rule) -> Rule) -> World {
    let clock = ManualClock::new(start());
    let permit = rule(Rule::permit("note").tool("notes.add").arg("text", any()));
    let hand_on = Rule::permit("hand-on").tool("notes.add").any_args().on([Moment::Delegate]);
    let policy = Policy::builder().rules([permit, hand_on]).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&who, Purpose::new("notes")).unwrap();
    World { clock, broker, who, task }
}

fn notes() -> Scope {
    Scope::tool("notes.add").arg("text", any())
}

impl World {
    fn ask(&self, scope: Scope) -> Result<Grant, Denial> {
        self.task.request(scope, &Context::new())
    }

    fn call(&self, grant: &Grant) -> Result<(), Denial> {
        let call = Call::from_json("notes.add", r#"{"text":"x"}"#).unwrap();
        self.broker.gate().authorize(grant, grant.holder(), call, &Context::new()).map(drop)
    }

    fn logged(&self, kind: &str) -> Vec<String> {
        let lines = self.broker.log().unwrap().lines();
        lines.into_iter().filter(|line| line.contains(kind)).collect()
    }
}

#[test]
fn a_shorter_time_is_given_as_asked_and_a_longer_one_as_policy_says() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    for (asked, ends) in [(1, 1), (59, 59), (60, 60), (61, 60), (86_400, 60)] {
        let grant = world.ask(notes().ttl(asked * SECOND)).unwrap();
        assert_eq!(grant.expires(), after(ends), "{asked}");
        assert_eq!(grant.starts(), None);
    }
    // Said twice, and of scopes put together, the shorter counts.
    let twice = notes().ttl(5 * SECOND).ttl(9 * SECOND).and(notes().ttl(3 * SECOND)).and(notes());
    assert_eq!(world.ask(twice).unwrap().expires(), after(3));
    // None at all is not all there is.
    let none = world.ask(notes().ttl(Duration::ZERO)).unwrap_err();
    assert_eq!(none.reason(), Reason::Expired);
    let short = world.ask(notes().ttl(2 * SECOND)).unwrap();
    world.clock.advance(2 * SECOND - Duration::from_millis(1));
    assert!(world.call(&short).is_ok());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.call(&short).unwrap_err().reason(), Reason::Expired);
}

#[test]
fn a_renewal_gives_what_was_asked_for_again_and_no_more() {
    let world = world(|rule| rule.ttl(20 * SECOND).max_life(25 * SECOND));
    let mut grant = world.ask(notes().ttl(10 * SECOND)).unwrap();
    for (wait, ends) in [(5, 15), (9, 24), (6, 25)] {
        world.clock.advance(wait * SECOND);
        world.task.renew(&mut grant, &world.who, &Context::new()).unwrap();
        assert_eq!(grant.expires(), after(ends), "{wait} later");
    }
}

#[test]
fn what_starts_later_is_of_no_use_before_and_ends_no_later() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    let grant = world.ask(notes().starting(after(20))).unwrap();
    assert_eq!((grant.starts(), grant.expires()), (Some(after(20)), after(60)));
    let denial = world.call(&grant).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::NotYet, Code::LimitReached));
    assert_eq!(denial.retry_after(), Some(20 * SECOND));
    world.clock.advance(20 * SECOND - Duration::from_millis(1));
    assert_eq!(world.call(&grant).unwrap_err().reason(), Reason::NotYet);
    world.clock.advance(Duration::from_millis(1));
    assert!(world.call(&grant).is_ok());
    world.clock.advance(40 * SECOND);
    assert_eq!(world.call(&grant).unwrap_err().reason(), Reason::Expired);
}

#[test]
fn the_time_asked_for_counts_from_the_start_and_that_of_policy_from_the_request() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    for (starts, ttl, ends) in [(20, 10, 30), (20, 40, 60), (20, 41, 60), (59, 10, 60)] {
        let grant = world.ask(notes().starting(after(starts)).ttl(ttl * SECOND)).unwrap();
        assert_eq!(grant.expires(), after(ends), "{starts} and {ttl}");
    }
    for starts in [60, 61, 3600] {
        let denial = world.ask(notes().starting(after(starts))).unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired, "{starts}");
    }
    // An instant that is past says nothing, and now is past.
    for starts in [Timestamp::MIN, start()] {
        let grant = world.ask(notes().starting(starts)).unwrap();
        assert_eq!((grant.starts(), grant.expires()), (None, after(60)));
    }
    // Of two the later counts.
    let later = notes().starting(after(5)).starting(after(3)).and(notes().starting(after(7)));
    assert_eq!(world.ask(later).unwrap().starts(), Some(after(7)));
}

/// attack 35
#[test]
fn what_has_not_started_is_neither_renewed_nor_delegated_nor_listed() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    let mut grant = world.ask(notes().starting(after(20))).unwrap();
    let worker = world.broker.assert_identity("worker").unwrap();
    let hand_on = || world.task.delegate(&grant, &worker, notes(), &Context::new());
    assert_eq!(hand_on().unwrap_err().reason(), Reason::NotYet);
    assert!(world.broker.gate().tools(&grant, &world.who, &Context::new()).is_err());
    let early = world.task.renew(&mut grant, &world.who, &Context::new()).unwrap_err();
    assert_eq!(early.reason(), Reason::NotYet);
    let early = world.task.checkpoint(&mut grant, &world.who, &Context::new()).unwrap_err();
    assert_eq!(early.reason(), Reason::NotYet);
    world.clock.advance(20 * SECOND);
    // It lives all the same.
    assert!(world.call(&grant).is_ok());
    let child = world.task.delegate(&grant, &worker, notes().starting(after(30)), &Context::new());
    let child = child.unwrap();
    assert_eq!((child.starts(), child.expires()), (Some(after(30)), after(60)));
    assert_eq!(world.call(&child).unwrap_err().reason(), Reason::NotYet);
    world.task.renew(&mut grant, &world.who, &Context::new()).unwrap();
    assert_eq!(grant.expires(), after(80));
    world.clock.advance(10 * SECOND);
    assert!(world.call(&child).is_ok());
}

/// A verifier has no table to look into.
#[test]
fn what_starts_later_does_not_travel_to_a_verifier() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    let denial = world.ask(notes().embedded_for("search").starting(after(5))).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::MalformedScope, Code::BadRequest));
    let short = world.ask(notes().embedded_for("search").ttl(5 * SECOND)).unwrap();
    assert_eq!(short.expires(), after(5));
    assert!(short.token_for("search").is_some());
}

/// Or asking early would be a way to leave something unused for longer.
#[test]
fn a_later_start_does_not_lengthen_the_time_without_use() {
    let world = world(|rule| rule.ttl(60 * SECOND).idle(10 * SECOND));
    for starts in [10, 20] {
        let denial = world.ask(notes().starting(after(starts))).unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired, "{starts}");
    }
    let used = world.ask(notes().starting(after(5))).unwrap();
    let unused = world.ask(notes().starting(after(9))).unwrap();
    world.clock.advance(9 * SECOND);
    assert!(world.call(&used).is_ok());
    world.clock.advance(SECOND);
    assert!(world.call(&used).is_ok());
    assert_eq!(world.call(&unused).unwrap_err().reason(), Reason::Expired);
}

#[test]
fn the_log_says_from_when_to_when() {
    let world = world(|rule| rule.ttl(60 * SECOND));
    let _grant = world.ask(notes().starting(after(20)).ttl(10 * SECOND)).unwrap();
    let _plain = world.ask(notes()).unwrap();
    let [timed, plain] = &world.logged(r#""kind":"granted""#)[..] else { panic!() };
    let times =
        format!(r#""starts":{},"expires":{}"#, after(20).unix_millis(), after(30).unix_millis());
    assert!(timed.contains(&times), "{timed}");
    assert!(!plain.contains("starts"), "{plain}");
}
