//! What a hostile reader tried.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use hallpass::audit::{Entry, Event, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::eq;
use serde_json::json;
use std::sync::Mutex;

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "amount": amount })).unwrap()
}

fn delegable() -> Policy {
    policy([
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::permit("hand-on").tool("bank.pay").any_args().on([Moment::Delegate]),
    ])
}

/// P9: a token refused at giving up is a denial like any other
#[test]
fn a_denial_at_giving_up_is_in_the_log() {
    let broker = Broker::new(delegable()).unwrap();
    let none = Context::new();
    let [payer, thief] = ["payer", "thief"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    let denial = broker.gate().give_up(grant.token(), &thief).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    let recorded = broker.log().unwrap().records().into_iter().any(|record| {
        matches!(record.event, Event::Denied { who: Some(who), reason, .. }
            if who == "thief" && reason == "not_the_holder")
    });
    assert!(recorded);
}

/// Where it says that it is at a record, and where it waits for leave.
type Turnstile = (Sender<()>, Receiver<()>);

/// Keeps records, and says when it is at one and waits for leave where it is told to.
#[derive(Clone)]
struct Slow {
    log: MemoryLog,
    turnstile: Arc<Mutex<Option<Turnstile>>>,
}

impl Sink for Slow {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.log.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        if let Some((at, leave)) = self.turnstile.lock().unwrap().take() {
            at.send(()).unwrap();
            leave.recv().unwrap();
        }
        self.log.append(batch)
    }
}

/// P9: what ends while another thread is inside a slow log waits for the next thread that writes
#[test]
fn an_end_that_did_not_wait_for_the_log_is_owed_and_recorded_with_the_next_record() {
    let log = MemoryLog::new();
    let sink = Slow { log: log.clone(), turnstile: Arc::default() };
    let broker = Broker::builder(delegable()).log(sink.clone()).build().unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let (at, reached) = channel();
    let (go, leave) = channel();
    *sink.turnstile.lock().unwrap() = Some((at, leave));
    thread::scope(|scope| {
        let other = scope.spawn(|| broker.open(&payer, Purpose::new("other")).unwrap());
        reached.recv().unwrap();
        drop(task);
        go.send(()).unwrap();
        std::mem::forget(other.join().unwrap());
    });
    assert_eq!(broker.record_debts(), 1);
    std::mem::forget(broker.open(&payer, Purpose::new("next")).unwrap());
    let ended = log.records().into_iter().any(|record| matches!(record.event, Event::Ended { .. }));
    assert!(ended, "not in the log, and {} records owed", broker.record_debts());
}

/// P9: what is left to the next record is counted, and can be written without one
#[test]
fn a_record_that_waits_is_a_debt_that_can_be_paid() {
    let broker = Broker::new(delegable()).unwrap();
    let (gate, payer, none) =
        (broker.gate(), broker.assert_identity("payer").unwrap(), Context::new());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    drop(broker.reload(&policy([])).unwrap());
    assert!(gate.check(grant.token(), &payer, &pay(1), &none).is_err());
    assert!(broker.standing().grants.is_empty());
    assert_eq!(broker.flush(), 0);
    let ended = |record: hallpass::audit::Record| matches!(record.event, Event::GrantEnded { .. });
    assert!(broker.log().unwrap().records().into_iter().any(ended));
}

/// P4, attack 61: a delegate's calls count against the limits of what it was delegated from
#[test]
fn a_delegates_calls_count_against_limits_that_only_its_parent_has() {
    let broker = Broker::new(policy([
        Rule::permit("planner").who_id(eq("planner")).tool("bank.pay").any_args().uses(1),
        Rule::permit("worker").who_id(eq("worker")).tool("bank.pay").any_args(),
        Rule::permit("hand-on").tool("bank.pay").any_args().on([Moment::Delegate]),
    ]))
    .unwrap();
    let (gate, none) = (broker.gate(), Context::new());
    let [planner, worker] = ["planner", "worker"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&planner, Purpose::new("pay")).unwrap();
    let whole = || Scope::tool("bank.pay").any_args();
    let parent = task.request(whole(), &none).unwrap();
    let child = task.delegate(&parent, &worker, whole(), &none).unwrap();
    gate.authorize(child.token(), &worker, pay(1), &none).unwrap().start().unwrap().succeed();
    let denial = gate.authorize(child.token(), &worker, pay(1), &none).unwrap_err();
    assert_eq!(denial.reason(), Reason::UsesSpent);
}

/// P2: with a grant that has lain idle ends what was delegated from it
#[test]
fn a_delegate_is_dead_once_its_parent_has_lain_idle() {
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let minute = Duration::from_secs(60);
    let policy = policy([
        Rule::permit("planner").who_id(eq("planner")).tool("bank.pay").any_args().idle(minute),
        Rule::permit("worker").who_id(eq("worker")).tool("bank.pay").any_args(),
        Rule::permit("hand-on").tool("bank.pay").any_args().on([Moment::Delegate]),
    ]);
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let (gate, none) = (broker.gate(), Context::new());
    let [planner, worker] = ["planner", "worker"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&planner, Purpose::new("pay")).unwrap();
    let whole = || Scope::tool("bank.pay").any_args();
    let parent = task.request(whole(), &none).unwrap();
    let child = task.delegate(&parent, &worker, whole(), &none).unwrap();
    clock.advance(minute - Duration::from_millis(1));
    drop(gate.authorize(child.token(), &worker, pay(1), &none).unwrap());
    clock.advance(minute);
    let denial = gate.authorize(child.token(), &worker, pay(1), &none).unwrap_err();
    assert_eq!(denial.reason(), Reason::Expired);
    assert!(broker.standing().grants.is_empty());
}

/// P7: a renewal is for the holder, also if others would be permitted the same
#[test]
fn a_grant_is_renewed_for_its_holder_and_nobody_else() {
    let broker = Broker::new(delegable()).unwrap();
    let none = Context::new();
    let [payer, other] = ["payer", "other"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let mut grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    let denial = task.renew(&mut grant, &other, &none).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    let denial = broker.gate().authorize(grant.token(), &other, pay(1), &none).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    assert!(broker.standing().grants.is_empty(), "doubt ends the grant");
}

/// P3: a checkpoint after a reload is held to today's lifetime, as any other use of the grant is
#[test]
fn a_checkpoint_does_not_keep_a_lifetime_that_todays_policy_no_longer_gives() {
    let lasting = |ttl| policy([Rule::permit("pay").tool("bank.pay").any_args().ttl(ttl)]);
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let hour = Duration::from_secs(3600);
    let broker = Broker::builder(lasting(hour)).clock(clock.clone()).build().unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let mut grant = task.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
    let reload = broker.reload(&lasting(Duration::from_secs(60))).unwrap();
    task.checkpoint(&mut grant, &payer, &Context::new()).unwrap();
    reload.finish();
    clock.advance(Duration::from_secs(61));
    assert!(broker.gate().authorize(grant.token(), &payer, pay(1), &Context::new()).is_err());
    assert!(broker.standing().grants.is_empty());
}

/// P3: nor do calls go on at a rate that today's policy does not allow
#[test]
fn a_reload_holds_live_grants_to_todays_rate_in_each_of_its_windows() {
    let rated = |calls, seconds| {
        let window = Duration::from_secs(seconds);
        policy([Rule::permit("pay").tool("bank.pay").any_args().rate(calls, window)])
    };
    for (old, new) in [((100, 200), (10, 10)), ((10, 10), (100, 200)), ((5, 10), (50, 20))] {
        let broker = Broker::new(rated(old.0, old.1)).unwrap();
        let (payer, none) = (broker.assert_identity("payer").unwrap(), Context::new());
        let task = broker.open(&payer, Purpose::new("pay")).unwrap();
        let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
        broker.reload(&rated(new.0, new.1)).unwrap().finish();
        let gate = broker.gate();
        let permitted = (0..200)
            .filter(|_| gate.authorize(grant.token(), &payer, pay(1), &none).is_ok())
            .count();
        assert!(permitted as u64 <= new.0.min(old.0), "{permitted} at once: {old:?}, then {new:?}");
    }
}

/// P9: what ends while another thread writes what is owed is owed in its turn
#[test]
fn an_end_that_did_not_wait_for_a_flush_is_recorded_by_the_next() {
    let log = MemoryLog::new();
    let sink = Slow { log: log.clone(), turnstile: Arc::default() };
    let broker = Broker::builder(delegable()).log(sink.clone()).build().unwrap();
    let [payer, other] = ["payer", "other"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let first = broker.open(&other, Purpose::new("first")).unwrap();
    let (at, reached) = channel();
    let (go, leave) = channel();
    thread::scope(|scope| {
        // A record is left behind by a drift that no thread settles.
        let grant = first.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
        drop(broker.reload(&policy([])).unwrap());
        let gate = broker.gate();
        assert!(gate.check(grant.token(), &other, &pay(1), &Context::new()).is_err());
        *sink.turnstile.lock().unwrap() = Some((at, leave));
        let paying = scope.spawn(|| broker.flush());
        reached.recv().unwrap();
        drop(task);
        go.send(()).unwrap();
        assert_eq!(paying.join().unwrap(), 1);
    });
    assert_eq!(broker.flush(), 0);
    let ended = log.records().into_iter().any(|record| matches!(record.event, Event::Ended { .. }));
    assert!(ended, "not in the log, and {} records owed", broker.record_debts());
}

/// P10: a dry run knows every bound that the call would run into
#[test]
fn a_check_is_denied_where_the_task_has_no_room_for_another_permit() {
    let broker = Broker::new(delegable()).unwrap();
    let (gate, payer, none) =
        (broker.gate(), broker.assert_identity("payer").unwrap(), Context::new());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    let mut permits: Vec<_> =
        std::iter::from_fn(|| gate.authorize(grant.token(), &payer, pay(1), &none).ok()).collect();
    let denial = gate.authorize(grant.token(), &payer, pay(1), &none).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooMany);
    let asked = gate.check(grant.token(), &payer, &pay(1), &none);
    assert_eq!(asked.unwrap_err().reason(), Reason::TooMany);
    permits.pop();
    assert!(gate.check(grant.token(), &payer, &pay(1), &none).is_ok());
}

/// P2: what descends from an ended grant and has yet to be removed is not there to be ended again
#[test]
fn what_ended_with_its_parent_does_not_end_once_more() {
    let broker = Broker::new(delegable()).unwrap();
    let [planner, worker] = ["planner", "worker"].map(|id| broker.assert_identity(id).unwrap());
    let (gate, none) = (broker.gate(), Context::new());
    let task = broker.open(&planner, Purpose::new("pay")).unwrap();
    let scope = || Scope::tool("bank.pay").any_args();
    let parent = task.request(scope(), &none).unwrap();
    let children: Vec<_> =
        (0..1100).map(|_| task.delegate(&parent, &worker, scope(), &none).unwrap()).collect();
    let control = broker.control();
    assert!(!control.revoke_grant(parent.id()).is_empty());
    assert!(broker.standing().grants.is_empty());
    for child in &children {
        assert!(gate.give_up(child.token(), &worker).is_err());
        assert!(control.revoke_grant(child.id()).is_empty());
    }
    assert_eq!(
        (
            control.revoke_identity("worker").unwrap().count(),
            control.revoke_tool("bank.pay").unwrap().count()
        ),
        (0, 0)
    );
    let ended = |record: &hallpass::audit::Record| matches!(record.event, Event::GrantEnded { .. });
    assert_eq!(broker.log().unwrap().records().iter().filter(|record| ended(record)).count(), 1);
}
