//! Many threads, hooks that misbehave, limits, and what a denial gives away.
//!
//! Of 144, the benches measure that a decision costs the same with many rules and grants; 143 needs
//! the sweep of a later issue.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use hallpass::audit::{Anchor, Entry, Event, MemoryLog, Sink, SinkError, verify};
use hallpass::clock::{Clock, ClockError, ManualClock, Reading, Timestamp};
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, has_any, max};
use hallpass::token::{Claims, KeyRing, Unverified, append_block, mint};
use hallpass::{Halt, Task};
use serde_json::json;

use crate::world::{HOUR, MINUTE, SECOND, World, broad, call, plain, policy, ring, secret, start};

/// attack 139: of sixty-four threads, exactly as many get a permit as there are uses
#[test]
fn uses_are_counted_exactly_under_contention() {
    for uses in [1, 7, 40] {
        let world = World::new([broad().uses(uses)]);
        let (_task, grant) = world.granted();
        let (ready, permitted) = (Barrier::new(64), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    ready.wait();
                    match world.run(&grant, plain()) {
                        Ok(()) => drop(permitted.fetch_add(1, Ordering::SeqCst)),
                        Err(reason) => assert_eq!(reason, Reason::UsesSpent),
                    }
                });
            }
        });
        assert_eq!(permitted.into_inner() as u64, uses);
        assert!(world.verify().unwrap().without_outcome.is_empty());
    }
}

/// attack 140: what never started comes back exactly once, however it ended, and what started does
/// not come back
#[test]
fn a_reservation_is_given_back_exactly_once() {
    type Way = fn(&World, Permit);
    let back: [(&str, Way); 6] = [
        ("dropped", |_, permit| drop(permit)),
        ("never polled", |_, permit| {
            drop(permit.run_async(|_| std::future::pending::<Result<(), ()>>()));
        }),
        ("lapsed, then dropped", |world, permit| {
            world.clock.advance(30 * SECOND);
            drop(permit);
        }),
        ("lapsed, then started", |world, permit| {
            world.clock.advance(30 * SECOND);
            assert!(permit.start().is_err());
        }),
        ("halted, then started", |world, permit| {
            world.control.halt(Halt::Everything);
            assert!(permit.start().is_err());
            world.control.resume(&Halt::Everything);
        }),
        ("dropped while the log refuses", |world, permit| {
            world.sink.fail_next(1);
            drop(permit);
        }),
    ];
    let spent: [(&str, Way); 3] = [
        ("ok", |_, permit| permit.start().unwrap().succeed()),
        ("error", |_, permit| permit.start().unwrap().fail()),
        ("interrupted", |_, permit| drop(permit.start().unwrap())),
    ];
    let rule = || broad().ttl(HOUR).uses(2).budget("args.x", 20);
    let ten = || call(json!({ "x": 10 }));
    for (ways, left) in [(&back[..], 2), (&spent[..], 1)] {
        for (note, way) in ways {
            let world = World::new([rule()]);
            let (_task, grant) = world.granted();
            way(&world, world.authorize(&grant, ten()).unwrap());
            for _ in 0..left {
                assert_eq!(world.run(&grant, ten()), Ok(()), "{note}");
            }
            assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent), "{note}");
        }
    }
    // A record that the sink refuses gives back, too, and a permit that lapsed while others were made
    // gives back when the next call finds it, and not again when it is dropped.
    let world = World::new([rule()]);
    let (_task, grant) = world.granted();
    world.sink.fail_next(1);
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::LogRefused));
    let kept = world.authorize(&grant, ten()).unwrap();
    world.clock.advance(30 * SECOND);
    assert_eq!(world.run(&grant, ten()), Ok(()));
    let second = world.authorize(&grant, ten()).unwrap();
    drop(kept);
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent));
    drop(second);
    assert_eq!(world.run(&grant, ten()), Ok(()));
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent));
    world.verify().unwrap();
}

/// attack 140: a rate is not given back, because it limits attempts
#[test]
fn a_rate_counts_attempts() {
    let world = World::new([broad().rate(2, MINUTE)]);
    let (_task, grant) = world.granted();
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::RateExceeded));
}

/// Runs a test on a thread of its own, so that a deadlock fails instead of hanging.
fn without_deadlock(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let runner = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => runner.join().unwrap(),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            runner.join().expect("the test on its own thread");
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("deadlock"),
    }
}

/// What a hook that calls back has in its hands.
struct Inside {
    broker: Broker,
    agent: Identity,
    grant: Grant,
    task: Task,
}

impl Inside {
    /// Everything a hook could think of; answers how many of the calls were permitted.
    fn meddle(&self) -> usize {
        let context = Context::new();
        let (gate, control) = (self.broker.gate(), self.broker.control());
        let permit = gate.authorize(self.grant.token(), &self.agent, plain(), &context);
        let permitted = usize::from(permit.is_ok());
        drop(permit);
        drop(gate.check(self.grant.token(), &self.agent, &plain(), &context));
        drop(self.task.request(Scope::tool("t").any_args(), &context));
        drop(self.broker.open(&self.agent, Purpose::new("inside")));
        control.halt(Halt::tool("other"));
        control.resume(&Halt::tool("other"));
        control.revoke_task("no-such-task");
        self.broker.reload(&policy([broad()]));
        self.broker.standing();
        self.broker.record_debts();
        self.broker.pay_record_debts();
        drop(self.broker.verify_log());
        permitted
    }
}

/// attack 142: a sink that calls its own broker is told no, and nobody waits for ever
#[test]
fn a_sink_that_calls_back_is_told_no() {
    #[derive(Clone, Default)]
    struct Meddling {
        log: MemoryLog,
        inside: Arc<OnceLock<Inside>>,
        busy: Arc<AtomicUsize>,
        left: Arc<AtomicUsize>,
        permitted: Arc<AtomicUsize>,
    }
    impl Sink for Meddling {
        fn open(&self) -> Result<Option<Anchor>, SinkError> {
            self.log.open()
        }
        fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
            // Each record written makes more to write, so it meddles so many times and no more.
            let left = |left: usize| left.checked_sub(1);
            if let Some(inside) = self.inside.get()
                && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
            {
                assert_eq!(self.busy.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                self.permitted.fetch_add(inside.meddle(), Ordering::SeqCst);
                self.busy.fetch_sub(1, Ordering::SeqCst);
            }
            self.log.append(entry)
        }
    }
    without_deadlock(|| {
        let sink = Meddling { left: Arc::new(AtomicUsize::new(20)), ..Meddling::default() };
        let world = World::of(policy([broad()]), |builder| builder.log(sink.clone()));
        let (_task, grant) = world.granted();
        let (task, inner) = world.granted();
        let agent = world.broker.assert_identity("agent-7").unwrap();
        let inside = Inside { broker: world.broker.clone(), agent, grant: inner, task };
        assert!(sink.inside.set(inside).is_ok());
        for _ in 0..3 {
            assert_eq!(world.run(&grant, plain()), Ok(()));
        }
        assert_eq!(sink.left.load(Ordering::SeqCst), 0, "it did meddle");
        assert_eq!(sink.permitted.load(Ordering::SeqCst), 0, "what needs the log is refused");
        let names = |reason: &str| {
            sink.log.records().iter().any(|record| {
                matches!(&record.event, Event::Denied { reason: own, .. } if own == reason)
            })
        };
        assert!(names("log_refused"), "and recorded");
    });
}

/// attack 142: a clock and a tool that call back get an answer
#[test]
fn a_clock_or_tool_that_calls_back_gets_an_answer() {
    #[derive(Clone)]
    struct Meddling {
        clock: ManualClock,
        inside: Arc<OnceLock<Inside>>,
        deep: Arc<AtomicUsize>,
        permitted: Arc<AtomicUsize>,
    }
    impl Clock for Meddling {
        fn read(&self) -> Result<Reading, ClockError> {
            if let Some(inside) = self.inside.get()
                && self.deep.fetch_add(1, Ordering::SeqCst) == 0
            {
                self.permitted.fetch_add(inside.meddle(), Ordering::SeqCst);
                self.deep.store(0, Ordering::SeqCst);
            }
            self.clock.read()
        }
    }
    without_deadlock(|| {
        let clock = Meddling {
            clock: ManualClock::new(start()),
            inside: Arc::default(),
            deep: Arc::default(),
            permitted: Arc::default(),
        };
        let world = World::of(policy([broad()]), |builder| builder.clock(clock.clone()));
        let (task, grant) = world.granted();
        let (inner_task, inner) = world.granted();
        let agent = world.broker.assert_identity("agent-7").unwrap();
        let inside = Inside { broker: world.broker.clone(), agent, grant: inner, task: inner_task };
        assert!(clock.inside.set(inside).is_ok());
        let permit = world.authorize(&grant, plain()).unwrap();
        let ran = permit.run(|_| {
            let inside = clock.inside.get().unwrap();
            Ok::<_, ()>(inside.meddle())
        });
        assert_eq!(ran.unwrap().value, 1, "a tool may call the gate");
        assert!(clock.permitted.load(Ordering::SeqCst) > 0, "and so may a clock");
        task.complete();
        world.verify().unwrap();
    });
}

/// attack 154: a budget counts what is there, exactly, and never wraps
#[test]
fn a_budget_takes_only_numbers_that_count() {
    let world = World::new([broad().budget("args.x", 100)]);
    let (_task, grant) = world.granted();
    let attempt = |args: &str| world.attempt(&grant, Call::from_json("t", args).unwrap());
    let rows = [
        "{}",
        r#"{"x":null}"#,
        r#"{"x":"5"}"#,
        r#"{"x":true}"#,
        r#"{"x":[1]}"#,
        r#"{"x":-1}"#,
        r#"{"x":-0.0000001}"#,
        r#"{"x":100.0000001}"#,
        r#"{"x":9223372036854775807}"#,
        r#"{"x":18446744073709551615}"#,
        r#"{"x":99999999999999999999999999999999999999}"#,
    ];
    for args in rows {
        assert_eq!(attempt(args), Err(Reason::BudgetSpent), "{args}");
    }
    for args in [r#"{"x":99.5}"#, r#"{"x":0}"#, r#"{"x":0.5}"#] {
        let permit = world.authorize(&grant, Call::from_json("t", args).unwrap()).unwrap();
        permit.run(|_| Ok::<_, ()>(())).unwrap();
    }
    assert_eq!(attempt(r#"{"x":0.0000001}"#), Err(Reason::BudgetSpent), "it is spent exactly");
    assert_eq!(attempt(r#"{"x":0}"#), Ok(()));

    // The largest sums there are do not wrap into small ones.
    let most = "99999999999999999999999999999999999999";
    let most_number = hallpass::value::Number::parse(most).unwrap();
    let world = World::new([broad().budget("args.x", most_number)]);
    let (_task, grant) = world.granted();
    let huge = || Call::from_json("t", &format!(r#"{{"x":{most}}}"#)).unwrap();
    assert_eq!(world.run(&grant, huge()), Ok(()));
    assert_eq!(world.attempt(&grant, huge()), Err(Reason::BudgetSpent));
    assert_eq!(world.attempt(&grant, call(json!({ "x": 1 }))), Err(Reason::BudgetSpent));
    assert_eq!(world.attempt(&grant, call(json!({ "x": 0 }))), Ok(()));

    // By many threads at once, too, no more is spent than there is.
    let world = World::new([broad().budget("args.x", 100)]);
    let (_task, grant) = world.granted();
    let permitted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..4 {
                    if world.run(&grant, call(json!({ "x": 3 }))).is_ok() {
                        permitted.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(permitted.into_inner(), 33);
}

/// Reasons that no public way leads to yet, each with what has to come first.
const OUT_OF_REACH: [Reason; 1] = [Reason::NoRandomness];

/// A denial of every reason, with something of its story that only operators may learn.
fn denials() -> Vec<(Denial, &'static str)> {
    let mut denials = Vec::new();
    let mut note = |denial: Denial, secret| denials.push((denial, secret));
    let asks = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["o"])));
    let rules = [
        Rule::permit("hush-permit").tool("t").arg("x", max(100)).uses(3).ttl(HOUR),
        Rule::permit("hush-rate").tool("r").any_args().rate(1, MINUTE),
        Rule::permit("hush-budget").tool("b").any_args().budget("args.x", 41_414_141),
        Rule::permit("hush-request").tool("n").any_args().on([Moment::Request]),
        Rule::permit("hush-call").tool("n").arg("x", max(5)).on([Moment::Call]),
        Rule::permit("hush-asked").tool("a").any_args(),
        Rule::ask("hush-ask").tool("a").approval(asks),
        Rule::forbid("hush-forbid").tool("t").arg("x", eq(66)),
    ];
    let tools = ["t", "r", "b", "n", "a"].map(Tool::new);
    let catalogue = tools.into_iter().fold(Policy::builder(), |builder, tool| builder.tool(tool));
    let guarded = catalogue.rules(rules).build().unwrap();
    let mut rotated = ring();
    rotated.rotate(secret(1), SECOND, start()).unwrap();
    let world = World::of(guarded, |builder| builder.keys(rotated));
    let context = Context::new();
    let task = world.broker.open_named("hush-task", &world.agent, Purpose::new("test")).unwrap();
    let grant_of = |tool: &str| task.request(Scope::tool(tool).any_args(), &context).unwrap();
    let x = |x: i64| call(json!({ "x": x }));
    let grant = task.request(Scope::tool("t").arg("x", max(70)), &context).unwrap();
    let deny = |grant: &Grant, call: Call| world.authorize(grant, call).map(drop).unwrap_err();
    let of = |tool: &str, args| Call::new(tool, args).unwrap();

    let open = |name: &str, purpose: Purpose| {
        world.broker.open_named(name, &world.agent, purpose).map(drop).unwrap_err()
    };
    note(open("next", Purpose::new("hush purpose")), "hush purpose");
    note(open("hush-task", Purpose::new("test")), "hush-task");
    let ask = |scope: Scope| task.request(scope, &context).map(drop).unwrap_err();
    note(ask(Scope::tool("hush tool")), "hush tool");
    note(ask(Scope::tool("hush-tool")), "hush-tool");
    note(ask(Scope::tool("t").arg("x", max(4242))), "4242");
    note(deny(&grant, x(10).on(Resource::new("hush type", "1"))), "hush type");
    let bad = Context::new().with("seen", "hush");
    let answer = world.gate.authorize(grant.token(), &world.agent, x(10), &bad);
    note(answer.map(drop).unwrap_err(), "seen");
    note(deny(&grant, x(99)), "99");
    note(deny(&grant, x(66)), "hush-forbid");
    note(deny(&grant_of("n"), of("n", json!({ "x": 6 }))), "hush-call");
    note(deny(&grant_of("a"), of("a", json!({}))), "hush-ask");
    let rate = grant_of("r");
    world.run(&rate, of("r", json!({}))).unwrap();
    note(deny(&rate, of("r", json!({}))), "hush-rate");
    note(deny(&grant_of("b"), of("b", json!({ "x": 51_515_151 }))), "51515151");

    // Tokens.
    let mut keys = ring();
    keys.rotate(secret(1), SECOND, start()).unwrap();
    let keys = keys.for_audience("hallpass").unwrap();
    let unverified = Unverified::parse(grant.token().expose()).unwrap();
    let verified = unverified.verify(&keys, start()).unwrap();
    let claims = *verified.claims();
    let minted = |claims: &Claims<'_>| mint(&keys, claims).unwrap().expose().to_owned();
    let present = |text: &str| world.present(text).unwrap_err();
    note(present("hp1.AAAA"), "token");
    let stranger = KeyRing::from_secret(secret(9)).for_audience("hallpass").unwrap();
    note(present(mint(&stranger, &claims).unwrap().expose()), "key");
    let mut cut = grant.token().expose().to_owned();
    let last = if cut.pop() == Some('A') { 'E' } else { 'A' };
    cut.push(last);
    note(present(&cut), "");
    note(present(&minted(&Claims { issuer: "hush", ..claims })), "issuer");
    note(present(append_block(grant.token(), b"hush").unwrap().expose()), "");
    let thief = world.broker.assert_identity("hush-thief").unwrap();
    let answer = world.gate.authorize(grant.token(), &thief, x(1), &context);
    note(answer.map(drop).unwrap_err(), "hush-thief");
    let other = World::new([broad()]);
    let answer = world.gate.authorize(grant.token(), &other.agent, x(1), &context);
    note(answer.map(drop).unwrap_err(), "agent-7");
    note(present(&minted(&Claims { task: "task-0", ..claims })), "");
    note(present(&minted(&Claims { serial: 9, ..claims })), "");
    let old = mint(&ring().for_audience("hallpass").unwrap(), &claims).unwrap();
    world.clock.advance(SECOND);
    note(present(old.expose()), "key");
    let dead = grant_of("b");
    assert!(task.revoke_grant(&dead));
    note(deny(&dead, of("b", json!({ "x": 1 }))), "");

    // Permits, halts and the log.
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.clock.advance(30 * SECOND);
    note(kept.start().map(drop).unwrap_err(), "");
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.control.halt(Halt::identity("agent-7"));
    note(kept.start().map(drop).unwrap_err(), "agent-7");
    world.control.resume(&Halt::identity("agent-7"));
    world.sink.fail_next(1);
    note(deny(&grant, x(1)), "refused on cue");
    world.clock.fail();
    note(deny(&grant, x(1)), "clock");
    world.clock.recover();
    let kept = world.authorize(&grant, x(1)).unwrap();
    world.broker.reload(&Policy::builder().rule(broad()).build().unwrap());
    note(kept.start().map(drop).unwrap_err(), "epoch");
    for _ in 0..3 {
        drop(world.authorize(&grant, x(1)).map(|permit| permit.start().unwrap().succeed()));
    }
    // `t` is `broad` now, whose stamps are the old ones: three uses.
    note(deny(&grant, x(1)), "hush-permit");
    let many: Vec<_> =
        (0..1024).map(|_| world.authorize(&grant_of("t"), plain()).unwrap()).collect();
    note(deny(&grant_of("t"), plain()), "permits");
    drop(many);
    world.clock.advance(HOUR);
    note(deny(&grant, x(1)), "");
    let (_drifting, drifted) = other.granted();
    other.broker.reload(&policy([]));
    note(other.authorize(&drifted, plain()).map(drop).unwrap_err(), "");
    other.broker.reload(&policy([broad()]));
    let (over, gone) = other.granted();
    over.complete();
    note(other.authorize(&gone, plain()).map(drop).unwrap_err(), "");

    // Presentations bound to one call.
    let (_task, bound) = other.granted();
    let mut present = |at: Timestamp, times: usize| {
        let presentation = bound.token().present(&plain(), at).unwrap();
        let gate = other.broker.gate();
        let ask = || gate.authorize(&presentation, &other.agent, plain(), &Context::new());
        (1..times).for_each(|_| drop(ask().unwrap()));
        note(ask().map(drop).unwrap_err(), "");
    };
    let now = other.clock.read().unwrap().wall;
    present(now, 2);
    present(now.checked_sub(10 * MINUTE).unwrap(), 1);
    denials
}

/// attack 145: to an agent a denial is one of a few words and no more; an operator learns the rule,
/// the value, the name
#[test]
fn a_denial_tells_the_agent_a_word_and_the_operator_the_story() {
    let denials = denials();
    let seen: BTreeSet<Reason> = denials.iter().map(|(denial, _)| denial.reason()).collect();
    let missing: Vec<Reason> = Reason::ALL
        .into_iter()
        .filter(|reason| !seen.contains(reason) && !OUT_OF_REACH.contains(reason))
        .collect();
    assert_eq!(missing, [], "every reason is in the table");
    for (denial, told) in &denials {
        let (code, reason) = (denial.code(), denial.reason());
        assert_eq!(denial.to_string(), format!("denied: {code}"));
        let debug = format!("{denial:?}");
        assert_eq!(debug, format!("Denial {{ code: {code:?}, reason: {reason:?}, .. }}"));
        let explanation = denial.explain().to_string();
        assert!(explanation.starts_with(&format!("{reason} ({code})")), "{explanation}");
        assert!(explanation.contains(told), "{reason}: `{told}` is not in {explanation}");
        assert!(!denial.to_string().contains("hush") && !debug.contains("hush"));
    }
    // Whether a tool is unknown, unpermitted or forbidden is no word an agent can tell apart, and
    // neither is what is wrong with a token.
    let word = |reason: Reason| reason.code();
    let same = [Reason::UnknownTool, Reason::NotCovered, Reason::NoPermit, Reason::Forbidden];
    assert_eq!(same.map(word), [Code::NotPermitted; 4]);
    assert!(Code::ALL.len() <= 10);
}

/// attack 145: what the agent is told does not depend on what other agents hold
#[test]
fn a_denial_is_no_oracle_of_what_others_hold() {
    let world = World::new([broad().who_id(eq("agent-7"))]);
    let (task, grant) = world.granted();
    let nobody = world.broker.assert_identity("nobody").unwrap();
    let theirs = world.broker.open(&nobody, Purpose::new("test")).unwrap();
    let ask = |tool: &str| {
        let scope = Scope::tool(tool).arg("x", any());
        theirs.request(scope, &world.context).map(drop).unwrap_err().to_string()
    };
    assert_eq!(ask("t"), ask("never-heard-of"));
    let present = |text: &str| {
        let token = Token::from_text(text.to_owned());
        let answer = world.gate.authorize(&token, &nobody, plain(), &world.context);
        answer.map(drop).unwrap_err().to_string()
    };
    let live = present(grant.token().expose());
    task.complete();
    assert_eq!(live, present(grant.token().expose()), "a stolen token looks dead, live or not");
    assert_eq!(live, present("hp1.AAAA.BBBB"));
}

/// attack 133, attack 138: a permit whose record the log refuses after a long wait has no outcome,
/// whoever calls meanwhile, so the log stays one that verifies
#[test]
fn a_permit_that_lapses_while_its_record_is_written_has_no_outcome() {
    #[derive(Clone)]
    struct Slow {
        log: MemoryLog,
        clock: ManualClock,
        inside: Arc<OnceLock<Inside>>,
    }
    impl Sink for Slow {
        fn open(&self) -> Result<Option<Anchor>, SinkError> {
            self.log.open()
        }
        fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
            if let Some(inside) = self.inside.get()
                && entry.line.contains(r#""kind":"permitted""#)
            {
                self.clock.advance(MINUTE);
                assert_eq!(inside.meddle(), 0);
                return Err(SinkError::new("timed out after a minute"));
            }
            self.log.append(entry)
        }
    }
    without_deadlock(|| {
        let clock = ManualClock::new(start());
        let sink = Slow { log: MemoryLog::new(), clock: clock.clone(), inside: Arc::default() };
        let rules = policy([broad().ttl(HOUR).uses(1)]);
        let world = World::of(rules, |builder| builder.log(sink.clone()).clock(clock));
        let (task, grant) = world.granted();
        let token = grant.token().expose().to_owned();
        let agent = world.broker.assert_identity("agent-7").unwrap();
        let inside = Inside { broker: world.broker.clone(), agent, grant, task };
        assert!(sink.inside.set(inside).is_ok());
        assert_eq!(world.present(&token).unwrap_err().reason(), Reason::LogRefused);
        assert_eq!(world.broker.pay_record_debts(), 0);
        let snapshot = sink.log.snapshot();
        let lines = snapshot.entries().map(|entry| (entry.line, *entry.tag));
        let verified = verify(lines, &ring().chain_key("hallpass"), None).unwrap();
        assert!(verified.without_outcome.is_empty());
        assert_eq!(world.broker.standing().tasks[0].permits, 0);
    });
}
