//! What a hostile reader tried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use hallpass::audit::{Anchor, Entry, Event, MemoryLog, Sink, SinkError};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{above, all_of, any, eq, has_any, max, optional};
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
    fn open(&self) -> Result<Option<Anchor>, SinkError> {
        self.log.open()
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
        if let Some((at, leave)) = self.turnstile.lock().unwrap().take() {
            at.send(()).unwrap();
            leave.recv().unwrap();
        }
        self.log.append(entry)
    }
}

/// P9: what ends without waiting for a slow log is in the log once the log is done
#[test]
fn an_end_that_did_not_wait_for_the_log_is_recorded_once_the_log_is_free() {
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
    let ended = log.records().into_iter().any(|record| matches!(record.event, Event::Ended { .. }));
    assert!(ended, "not in the log, and {} records owed", broker.record_debts());
}

/// P5: a forbid that does not speak at calls can't wait for them
#[test]
fn asking_for_more_does_not_get_past_a_forbid_that_speaks_before_the_calls_only() {
    let none = Context::new();
    for moment in [Moment::Request, Moment::Delegate] {
        let broker = Broker::new(policy([
            Rule::permit("pay").tool("bank.pay").any_args(),
            Rule::permit("hand-on").tool("bank.pay").any_args().on([Moment::Delegate]),
            Rule::forbid("small").tool("bank.pay").arg("amount", above(100)).on([moment]),
        ]))
        .unwrap();
        let [planner, worker] = ["planner", "worker"].map(|id| broker.assert_identity(id).unwrap());
        let task = broker.open(&planner, Purpose::new("pay")).unwrap();
        let scope = |most: i64| Scope::tool("bank.pay").arg("amount", max(most));
        let ask = |most: i64| match moment {
            Moment::Delegate => {
                let parent = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
                task.delegate(&parent, &worker, scope(most), &none)
            }
            _ => task.request_for(&worker, scope(most), &none),
        };
        assert!(ask(100).is_ok());
        assert_eq!(ask(1000).unwrap_err().reason(), Reason::Forbidden, "{moment:?}");
    }
}

/// P9: what is left to the next record is counted, and can be written without one
#[test]
fn a_record_that_waits_is_a_debt_that_can_be_paid() {
    let broker = Broker::new(delegable()).unwrap();
    let (gate, payer, none) =
        (broker.gate(), broker.assert_identity("payer").unwrap(), Context::new());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    drop(broker.reload(&policy([])));
    assert!(gate.check(grant.token(), &payer, &pay(1), &none).is_err());
    assert!(broker.standing().grants.is_empty());
    assert_eq!(broker.pay_record_debts(), 0);
    let ended = |record: hallpass::audit::Record| matches!(record.event, Event::GrantEnded { .. });
    assert!(broker.log().unwrap().records().into_iter().any(ended));
}

/// P5: nor does it get past an ask that does not speak at calls, per call or not
#[test]
fn asking_for_more_does_not_get_past_an_ask_that_speaks_at_requests_only() {
    let people = Reviewers::in_groups(has_any(["owners"]));
    let broker = Broker::new(policy([
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::ask("large")
            .tool("bank.pay")
            .arg("amount", above(100))
            .approval(ApprovalTerms::per(Per::Call).review(people))
            .on([Moment::Request]),
    ]))
    .unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let ask =
        |most: i64| task.request(Scope::tool("bank.pay").arg("amount", max(most)), &Context::new());
    assert!(ask(100).is_ok());
    assert_eq!(ask(1000).unwrap_err().reason(), Reason::ApprovalRequired);
}

/// What speaks at calls may wait for them: a forbid that only overlaps withholds no grant
#[test]
fn a_forbid_that_speaks_at_calls_acts_on_those_it_forbids() {
    let broker = Broker::new(policy([
        Rule::permit("pay").tool("bank.pay").any_args(),
        Rule::forbid("large").tool("bank.pay").arg("amount", above(100)),
    ]))
    .unwrap();
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let none = Context::new();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &none).unwrap();
    let call = |amount| broker.gate().authorize(grant.token(), &payer, pay(amount), &none);
    assert!(call(100).is_ok());
    assert_eq!(call(101).unwrap_err().reason(), Reason::Forbidden);
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

/// P7: a renewal is for the holder, whoever else would be permitted the same
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

/// P10: a pattern is asked of a text of bounded length, and a scope's patterns are bounded together:
/// both may be an agent's, and matching costs one times the other.
#[test]
fn patterns_of_an_agent_are_bounded_in_what_they_cost() {
    use hallpass::scope::{MAX_PATTERN_TEXT, MAX_SCOPE_PATTERNS, any_of, glob};
    let policy = Policy::builder().rule(Rule::permit("read").tool("fs.read").any_args());
    let broker = Broker::new(policy.build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reading")).unwrap();
    let context = Context::new();
    let dear = || glob(&format!("*{}b", "a".repeat(900)));
    let grant = task.request(Scope::tool("fs.read").arg("path", dear()), &context).unwrap();
    let path = |length: usize| {
        let text = format!("{}b", "a".repeat(length - 1));
        Call::new("fs.read", serde_json::json!({ "path": text })).unwrap()
    };
    let gate = broker.gate();
    let ask = |length| gate.check(grant.token(), &agent, &path(length), &context);
    assert!(ask(MAX_PATTERN_TEXT).is_ok());
    assert_eq!(ask(MAX_PATTERN_TEXT + 1).unwrap_err().reason(), Reason::OutOfScope);
    assert_eq!(ask(1_000_000).unwrap_err().reason(), Reason::OutOfScope);

    let many = MAX_SCOPE_PATTERNS / 902 + 1;
    let scope = Scope::tool("fs.read").arg("path", any_of((0..many).map(|_| dear())));
    let denial = task.request(scope, &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope, "{}", denial.explain());
}

/// P10: all comparisons of one request have one bound together; past it nothing is shown to be
/// covered, and what is asked for plainly still is.
#[test]
fn a_request_is_bounded_in_what_its_comparisons_cost() {
    use hallpass::scope::{eq, glob};
    let permits = (0..40).map(|n| {
        Rule::permit(format!("p{n}"))
            .tool("t")
            .arg("path", glob(&format!("*/{n}*x*y?z*/**/*{n}*a*b/*")))
    });
    let plain = Rule::permit("plain").tool("t").arg("path", eq("here"));
    let policy = Policy::builder().rules(permits).rule(plain).build().unwrap();
    let broker = Broker::new(policy).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reading")).unwrap();
    let context = Context::new();
    let dear = || glob("*a*?b0?c*?d*?e*/**/*a?????b*?????c*/*0*");
    let denial = task.request(Scope::tool("t").arg("path", dear()), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    // What both a permit and the scope say lies within the permit plainly, so trimming still gives it.
    let (trimmed, cuts) =
        task.request_trimmed(Scope::tool("t").arg("path", dear()), &context).unwrap();
    assert!(!cuts.is_empty() && trimmed.rules().all(|rule| rule != "plain"));
    // The next request has an allowance of its own.
    assert!(task.request(Scope::tool("t").arg("path", eq("here")), &context).is_ok());
}

#[test]
fn a_trimmed_scope_names_no_part_that_covers_no_call() {
    // What both say of the resource, a file and none at all, no call is.
    let of_files = Rule::permit("of-files")
        .tool("t")
        .resource_type(eq("file"))
        .resource_id(any())
        .arg("a", max(3));
    let small = Rule::permit("small").tool("t").any_resource().arg("a", max(5));
    let broker = Broker::new(Policy::builder().rules([of_files, small]).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let wanted = Scope::tool("t").arg("a", any());
    let (trimmed, cuts) = task.request_trimmed(wanted, &Context::new()).unwrap();
    assert_eq!(cuts[0].given.len(), 1, "{cuts:?}");
    assert_eq!(trimmed.scope().check(), Ok(()));
}

/// A grant of nothing would be handed out without whoever has to agree to what was asked for.
#[test]
fn a_trimmed_scope_that_no_call_fits_is_denied() {
    let permit = Rule::permit("some").tool("t").arg("b", max(5)).other_args();
    let broker = Broker::new(policy([permit])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let no_value = all_of([eq(1), eq(2)]);
    let wanted = Scope::tool("t").arg("a", no_value).other_args();
    let denial = task.request_trimmed(wanted, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
}

/// What a permit is closed to must not be there, as `null` neither: a part of the request does without it
/// if it may, and is no part otherwise.
#[test]
fn a_trimmed_scope_leaves_out_what_the_permit_is_closed_to() {
    let closed = Rule::permit("closed").tool("t").arg("a", max(5));
    let broker = Broker::new(policy([closed])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let (context, gate) = (Context::new(), broker.gate());
    let noted = |note| Scope::tool("t").arg("a", any()).arg("note", note);

    let (trimmed, cuts) = task.request_trimmed(noted(optional(max(1))), &context).unwrap();
    assert_eq!(cuts[0].given.len(), 1, "{cuts:?}");
    assert!(!cuts[0].given[0].to_string().contains("note"), "{cuts:?}");
    let may = |args| {
        let call = Call::new("t", args).unwrap();
        gate.check(trimmed.token(), &agent, &call, &context).is_ok()
    };
    assert!(may(json!({ "a": 5 })));
    assert!(!may(json!({ "a": 6 })) && !may(json!({ "a": 5, "note": null })));

    // One that has to be there leaves nothing that both cover.
    let denial = task.request_trimmed(noted(max(1)), &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
}

/// A part that no call fits would not be about what people are asked of, and be given without them.
#[test]
fn a_trimmed_scope_does_not_pass_by_a_review_with_a_part_that_fits_no_call() {
    let closed = Rule::permit("closed").tool("t").arg("a", max(5));
    let review = Rule::ask("review").tool("t").arg("b", eq("x"));
    let review = review.approval(ApprovalTerms::per(Per::Task).confirm());
    let open = Rule::permit("open").tool("t").arg("note", any()).other_args();
    let broker = Broker::new(policy([closed, review, open])).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let wanted = Scope::tool("t").arg("note", any()).other_args();
    let denial = task.request_trimmed(wanted, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
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
    let reload = broker.reload(&lasting(Duration::from_secs(60)));
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
        broker.reload(&rated(new.0, new.1)).finish();
        let gate = broker.gate();
        let permitted = (0..200)
            .filter(|_| gate.authorize(grant.token(), &payer, pay(1), &none).is_ok())
            .count();
        assert!(permitted as u64 <= new.0.min(old.0), "{permitted} at once: {old:?}, then {new:?}");
    }
}

/// P9: an end that did not wait is taken along by whoever pays debts, too
#[test]
fn an_end_that_did_not_wait_for_debts_to_be_paid_is_recorded_by_who_pays_them() {
    let log = MemoryLog::new();
    let sink = Slow { log: log.clone(), turnstile: Arc::default() };
    let broker = Broker::builder(delegable()).log(sink.clone()).build().unwrap();
    let [payer, other] = ["payer", "other"].map(|id| broker.assert_identity(id).unwrap());
    let task = broker.open(&payer, Purpose::new("pay")).unwrap();
    let first = broker.open(&other, Purpose::new("first")).unwrap();
    let (at, reached) = channel();
    let (go, leave) = channel();
    thread::scope(|scope| {
        // A record is left behind by a drift that nobody settles.
        let grant = first.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
        drop(broker.reload(&policy([])));
        let gate = broker.gate();
        assert!(gate.check(grant.token(), &other, &pay(1), &Context::new()).is_err());
        *sink.turnstile.lock().unwrap() = Some((at, leave));
        let paying = scope.spawn(|| broker.pay_record_debts());
        reached.recv().unwrap();
        drop(task);
        go.send(()).unwrap();
        paying.join().unwrap();
    });
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

/// P2: what hung from an ended grant and has yet to be put away is not there to be ended again
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
    assert!(control.revoke_grant(parent.id()));
    assert!(broker.standing().grants.is_empty());
    for child in &children {
        assert!(gate.give_up(child.token(), &worker).is_err());
        assert!(!control.revoke_grant(child.id()));
    }
    assert_eq!((control.revoke_identity("worker"), control.revoke_tool("bank.pay")), (0, 0));
    let ended = |record: &hallpass::audit::Record| matches!(record.event, Event::GrantEnded { .. });
    assert_eq!(broker.log().unwrap().records().iter().filter(|record| ended(record)).count(), 1);
}
