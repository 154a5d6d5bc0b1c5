//! A call that runs, and permits that never do.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Polled, Wake, Waker};

use hallpass::audit::{Entry, Event, Kept, MemoryLog, Outcome, Sink, SinkError, Tail};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::PolicyError;
use hallpass::scope::eq;
use serde_json::json;

use crate::world::*;
use hallpass::prelude::*;
use hallpass::{Halt, Reason};

/// A running call can be asked whether what permits it still lives, however that ended.
#[test]
fn a_running_call_is_told_that_its_authority_has_ended() {
    type End = fn(&World, Task, Grant);
    let ends: [(&str, End); 7] = [
        ("completed", |_, task, _| drop(task.complete())),
        ("dropped", |_, task, _| drop(task)),
        ("grant revoked", |_, task, grant| {
            assert_eq!(grant.revoke().grants, 1);
            std::mem::forget(task);
        }),
        ("task revoked by name", |world, task, _| {
            let _ = world.control.revoke_task(task.name()).unwrap();
            std::mem::forget(task);
        }),
        ("halted", |world, task, _| {
            world.control.halt(Halt::tool("ping").unwrap());
            std::mem::forget(task);
        }),
        ("expired", |world, task, _| {
            world.pass(seconds(3_600));
            std::mem::forget(task);
        }),
        ("clock gone", |world, task, _| {
            world.clock.fail();
            std::mem::forget(task);
        }),
    ];
    for (end, ends) in ends {
        let world = World::rules([pings("p").ttl(seconds(600))]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        let running = world.start(&grant, &ping());
        assert!(running.is_live(), "{end}");
        ends(&world, task, grant);
        assert!(!running.is_live(), "{end}");
        running.succeed();
    }
}

struct Idle;

impl Wake for Idle {
    fn wake(self: Arc<Self>) {}
}

/// What waits for the end of a call's authority waits no longer than the call runs.
#[test]
fn the_future_of_an_ended_authority_is_done_once_its_call_is() {
    let world = World::rules([pings("p")]);
    let task = world.open(&world.agent("a"));
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let idle = Arc::new(Idle);
    let waker = Waker::from(idle.clone());
    assert!(pin!(running.ended()).poll(&mut Polled::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&idle), 1, "one that is dropped leaves nothing");
    let mut ended = pin!(running.ended());
    let mut polled = Polled::from_waker(Waker::noop());
    assert!(ended.as_mut().poll(&mut polled).is_pending());
    running.succeed();
    assert!(ended.poll(&mut polled).is_ready());
}

type Look = Box<dyn FnOnce() + Send>;

/// A log that refuses one batch, and does something else first.
#[derive(Clone, Default)]
struct Distracted {
    log: MemoryLog,
    first: Arc<Mutex<Option<Look>>>,
}

impl Sink for Distracted {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.log.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let first = self.first.lock().unwrap().take();
        match first {
            Some(first) => {
                first();
                Err(SinkError::new("it is full"))
            }
            None => self.log.append(batch),
        }
    }
}

/// A permit that lapses while its record is being written has no outcome, for the log may refuse it.
#[test]
fn a_permit_that_the_log_refused_after_it_lapsed_has_no_outcome() {
    let (sink, clock) = (Distracted::default(), ManualClock::new(Timestamp::MIN));
    let builder = Broker::builder(policy([pings("p").ttl(seconds(600))]));
    let builder = builder.clock(clock.clone()).log(sink.clone()).permit_ttl(seconds(10));
    let broker = builder.build().unwrap();
    let (gate, agent) = (broker.gate(), broker.assert_identity("a").unwrap());
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(to_ping(), &here()).unwrap();
    let token = Token::from_text(grant.token().expose().to_owned());
    let (asks, who) = (gate.clone(), agent.clone());
    *sink.first.lock().unwrap() = Some(Box::new(move || {
        clock.advance(seconds(10));
        asks.check(&token, &who, &ping(), &here()).unwrap();
    }));
    let refused = gate.authorize(&grant, &agent, ping(), &here()).map(drop).unwrap_err();
    assert_eq!(refused.reason(), Reason::LogRefused);
    assert_eq!(broker.flush(), 0);
    broker.verify(&sink.log).unwrap();
    assert!(sink.log.records().iter().all(|record| record.event.kind() != "outcome"));
}

/// What becomes of a call that runs elsewhere is not known, and its permit is over.
#[test]
fn a_forwarded_call_is_over_and_its_outcome_says_so() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    let number = permit.number();
    assert_eq!(permit.forward().unwrap(), ping());
    let records = world.log.records();
    let outcomes = records.iter().filter_map(|record| match &record.event {
        Event::Outcome { of, outcome, .. } => Some((*of, *outcome)),
        _ => None,
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [(number, Outcome::Forwarded)]);
    assert_eq!(world.broker.standing().tasks[0].permits, 0);

    // The last check is made then, as at any start.
    let permit = world.authorize(&grant, &ping()).unwrap();
    drop(task.complete());
    assert_eq!(permit.forward().unwrap_err().reason(), Reason::TaskOver);
}

#[test]
fn a_renewal_leaves_the_authority_of_a_running_call() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    task.renew(&mut grant, &agent, &here()).unwrap();
    assert!(running.is_live());
    running.succeed();
}

/// Hosts spawn what they run.
#[test]
fn what_runs_asynchronously_can_be_sent_to_another_thread() {
    fn sent<F: Future + Send>(_: F) {}
    async fn tool(path: &str) -> Result<String, String> {
        std::future::ready(()).await;
        Ok(path.to_owned())
    }
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    sent(permit.run_async(async |running| tool(running.args().text("path").unwrap_or("/")).await));
}

/// attack 196: a permit taken for a yes runs nothing, and under `refund = false` is spent all the same
#[test]
fn a_permit_used_as_a_yes_is_spent_where_the_rule_says_so() {
    for (rule, most) in [(pings("p").uses(1).no_refund(), 1), (pings("p").uses(1), 100)] {
        let world = World::rules([rule]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        let yes = (0..100).filter(|_| world.authorize(&grant, &ping()).is_ok()).count();
        assert_eq!(yes, most);
        task.complete();
    }
}

/// What the log refused was never permitted, so nothing of it is kept.
#[test]
fn what_the_log_refused_is_given_back_under_a_rule_that_keeps_what_is_abandoned() {
    let world = World::rules([pings("p").uses(1).no_refund()]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.sink.fail_next(1);
    assert_eq!(world.denied(&grant, &ping()), Reason::LogRefused);
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

/// A delegate draws on the counter of the one above it: what one of the rules keeps stays spent for both.
#[test]
fn what_one_rule_keeps_stays_spent_beside_one_that_does_not() {
    let keeping = pings("keeps").budget("args.n", 10).no_refund();
    let world = World::rules([keeping, pings("gives").uses(5)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(Scope::tool("ping").arg("n", eq(4)), &here()).unwrap();
    let four = || ping_with(json!({ "n": 4 }));
    drop(world.authorize(&grant, &four()).unwrap());
    drop(world.authorize(&grant, &four()).unwrap());
    assert_eq!(world.denied(&grant, &four()), Reason::BudgetSpent);
}

/// attack 42: a rule that says it keeps something, and counts nothing, does not load
#[test]
fn a_rule_that_keeps_what_it_does_not_count_does_not_load() {
    let refused = |rule: Rule| -> PolicyError { Policy::builder().rule(rule).build().unwrap_err() };
    for rule in [pings("p").no_refund(), pings("p").rate(1, seconds(60)).no_refund()] {
        let error = refused(rule).to_string();
        assert!(error.contains("`refund = false` keeps uses and budgets spent"), "{error}");
    }
    let text = |refund: &str| {
        Policy::from_toml(&format!(
            "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\n\
             what = {{ tool = \"ping\", args = \"any\" }}\ngrant = {{ uses = 1, refund = {refund} }}"
        ))
    };
    let built = |rule: Rule| Policy::builder().rule(rule).build().unwrap().digest();
    assert_eq!(text("false").unwrap().digest(), built(pings("p").uses(1).no_refund()));
    assert_eq!(text("true").unwrap().digest(), built(pings("p").uses(1)));
    assert!(text("\"no\"").unwrap_err().to_string().contains("expected `true` or `false`"));
}

/// A call that goes on after its grant was revoked holds no authority, and keeps nothing in use.
#[test]
fn a_call_of_a_revoked_child_does_not_keep_its_parent_from_going_idle() {
    let world = World::rules([pings("p").idle(seconds(20)).on(EVERYWHERE).depth(1)]);
    let (agent, worker) = (world.agent("a"), world.agent("w"));
    let task = world.open(&agent);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    let running = world.start(&child, &ping());
    world.pass(seconds(15));
    world.call(&parent, &ping()).unwrap();
    assert_eq!(task.revoke_grant(&child).running, [running.number()]);
    world.pass(seconds(20));
    assert_eq!(world.denied(&parent, &ping()), Reason::Expired);
    running.succeed();
    assert_eq!(world.denied(&parent, &ping()), Reason::Expired);
}
