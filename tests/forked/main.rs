//! Processes that fork: a broker is in the parent alone. Its copy in the child gives nothing, ends nothing, writes
//! nothing, and waits for no lock, whatever the threads held that the child does not have.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]
#![allow(unsafe_code, reason = "a process can't be forked otherwise")]

mod busy;
mod child;
mod file_log;
mod minted;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use busy::Busy;
use child::{Failed, in_child};
use hallpass::Ended;
use hallpass::audit::{Entry, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::clock::ManualClock;
use hallpass::identity::Identity;
use hallpass::key::SecretKey;
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use hallpass::{BrokerBuilder, BrokerStats, Halt, Running, Session};
use serde_json::json;

const POLICY: &str = r#"
    version = 1
    rule = [{ id = "once", effect = "permit", what = { tool = "bank.pay", args = "any" }, grant = { uses = 3 } }]
"#;

/// A log in memory that counts how often it is called.
#[derive(Clone, Default)]
struct Counting {
    log: MemoryLog,
    calls: Arc<AtomicUsize>,
}

impl Sink for Counting {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.log.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.log.append(batch)
    }
}

/// What a host holds of a broker when it forks.
struct Held {
    broker: Broker,
    control: Control,
    agent: Identity,
    task: Task,
    grant: Grant,
    permit: Permit,
    running: Running,
    session: Session,
    /// Tasks with a call that runs.
    working: [(Task, Running); 2],
}

fn pay() -> Call {
    Call::new("bank.pay", json!({ "amount": 98 })).unwrap()
}

fn to_pay() -> Scope {
    Scope::tool("bank.pay").any_args()
}

impl Held {
    fn of(broker: Broker) -> Held {
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
        let grant = task.request(to_pay(), &Context::new()).unwrap();
        let permit = || broker.gate().authorize(&grant, &agent, pay(), &Context::new()).unwrap();
        let (permit, running) = (permit(), permit().start().unwrap());
        let session = broker.session(&agent, Purpose::new("pay-bill"), to_pay()).unwrap();
        drop(session.authorize(pay(), &Context::new()).unwrap());
        let working = [(); 2].map(|()| {
            let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
            let grant = task.request(to_pay(), &Context::new()).unwrap();
            let permit = broker.gate().authorize(&grant, &agent, pay(), &Context::new()).unwrap();
            (task, permit.start().unwrap())
        });
        let control = broker.control();
        Held { broker, control, agent, task, grant, permit, running, session, working }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &'static str,
    is: T,
    expected: T,
) -> Result<(), Failed> {
    if is == expected { Ok(()) } else { Err(Failed::new(what, format!("{is:?}"))) }
}

fn denied<T>(what: &'static str, answer: Result<T, Denial>) -> Result<(), Failed> {
    let reason = answer.map(drop).map_err(|denial| denial.reason());
    same(what, reason, Err(Reason::Forked))
}

fn nothing(what: &'static str, ended: Ended) -> Result<(), Failed> {
    same(what, (ended.count(), ended.running.len()), (0, 0))?;
    let refused = ended.and_flush(Duration::from_secs(60)).map(drop);
    let refused = refused.map_err(|error| error.timed_out());
    same(what, refused, Err(false))
}

/// Everything that a copy of a broker is asked in a child.
fn gives_and_ends_nothing(held: Held) -> Result<(), Failed> {
    let Held { broker, control, agent, task, mut grant, permit, running, session, working } = held;
    let (gate, context) = (broker.gate(), Context::new());
    let refused = gate.authorize(&grant, &agent, pay(), &context);
    same("its code", refused.as_ref().map(drop).map_err(|own| own.code()), Err(Code::Unavailable))?;
    denied("a call", refused)?;
    denied("a call as JSON", gate.authorize_json(&grant, &agent, "bank.pay", "{", None, &context))?;
    let own = gate.deny(&agent, "bank.pay", Reason::UnknownTool, "of two of that name");
    denied("a denial of the host's own", Err::<(), _>(own))?;
    denied("a dry run", gate.check(&grant, &agent, &pay(), &context))?;
    denied("a listing", gate.tools(&grant, &agent, &context))?;
    denied("giving up", gate.give_up(&grant, &agent))?;
    denied("opening", broker.open(&agent, Purpose::new("pay-bill")))?;
    denied("opening a session", broker.session(&agent, Purpose::new("pay-bill"), to_pay()))?;
    denied("a session's call", session.authorize(pay(), &context))?;
    denied("attesting anew", session.reattest(&agent))?;
    denied("a request", task.request(to_pay(), &context))?;
    denied("a delegation", task.delegate(&grant, &agent, to_pay(), &context))?;
    denied("a renewal", task.renew(&mut grant, &agent, &context))?;
    denied("a start", permit.start())?;
    same("a call that runs", running.is_live(), false)?;
    running.succeed();

    nothing("a halt", control.halt(Halt::Everything))?;
    same("the halts", control.halts().len(), 0)?;
    same("resuming", control.resume(&Halt::Everything), false)?;
    nothing("revoking a grant", control.revoke_grant(grant.id()))?;
    nothing("revoking a task", control.revoke_task(task.name()).unwrap())?;
    nothing("revoking an identity", control.revoke_identity("agent-7").unwrap())?;
    nothing("revoking a tool", control.revoke_tool("bank.pay").unwrap())?;
    let restated = control.restate(Assertion::agent("agent-7").group("risky")).unwrap();
    same("restating", restated.finish().grants.len(), 0)?;
    same("restating back", control.unrestate("agent-7").is_none(), true)?;

    let policy = Policy::builder().build().unwrap();
    same("reloading", broker.reload(&policy).is_err(), true)?;
    same("a preview", broker.preview(&policy).grants.len(), 0)?;
    let secret = |first| SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap();
    same("rotating", broker.rotate_key(secret(1), Duration::ZERO).is_err(), true)?;
    same("rotating the log", broker.rotate_log_key(secret(2)).is_err(), true)?;
    same("sweeping", broker.sweep(100), 0)?;
    same("what stands", broker.standing().is_empty(), true)?;
    same("statistics", broker.stats(), BrokerStats::default())?;
    same("what waits for people", broker.reviews().list(&agent).len(), 0)?;
    same("flushing", broker.flush_within(Duration::from_secs(60)).is_err(), true)?;
    same("debts", (broker.flush(), broker.record_debts()), (0, 0))?;
    nothing("the end of a session", session.end())?;
    nothing("the end of a task", task.complete())?;
    let [(one, _own), (other, _other)] = working;
    nothing("waiting for its calls", one.complete_and_wait(Duration::ZERO))?;
    let mut completed = std::pin::pin!(other.completed());
    let polled = completed.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
    let Poll::Ready(ended) = polled else { return Err(Failed::new("a future", "waits".into())) };
    nothing("a future of its calls", ended)?;
    nothing("the end of a grant", grant.revoke())?;
    nothing("closing", broker.close(Duration::from_secs(60)))?;
    drop((session, gate, control, broker));
    Ok(())
}

/// P10, P11: the locks of a broker are held by other threads nearly all the time, so some are whenever it is forked.
#[test]
fn a_brokers_copy_in_a_child_gives_ends_and_writes_nothing_and_waits_for_no_lock() {
    let clocks: [fn(BrokerBuilder) -> BrokerBuilder; 2] = [
        |builder| builder,
        |builder| builder.clock(ManualClock::new(hallpass::clock::Timestamp::MIN)),
    ];
    for clock in clocks {
        let sink = Counting::default();
        let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).log(sink.clone());
        let broker = clock(builder).build().unwrap();
        for _ in 0..50 {
            let mut held = Some(Held::of(broker.clone()));
            Busy::with(&broker, || {
                in_child(|| {
                    let before = sink.calls.load(Ordering::SeqCst);
                    gives_and_ends_nothing(held.take().unwrap())?;
                    same("calls of the sink", sink.calls.load(Ordering::SeqCst), before)
                });
            });
            // The parent goes on as if nothing had been asked.
            let Held { agent, task, grant, permit, running, session, .. } = held.unwrap();
            assert!(running.is_live());
            permit.run(|_| Ok::<_, ()>(())).unwrap();
            running.succeed();
            let next = broker.gate().authorize(&grant, &agent, pay(), &Context::new()).unwrap();
            next.run(|_| Ok::<_, ()>(())).unwrap();
            session.end();
            assert_eq!(task.complete().count(), 1);
        }
        broker.close(Duration::from_secs(60));
        broker.verify(&sink.log).unwrap();
    }
}

#[test]
fn what_a_parent_owes_to_its_log_is_handed_over_once() {
    let handed = Arc::new(AtomicUsize::new(0));
    let count = handed.clone();
    let broker = Broker::builder(Policy::from_toml(POLICY).unwrap());
    let broker = broker.on_unwritten(move |owed| {
        count.fetch_add(owed.len(), Ordering::SeqCst);
    });
    let mut held = Some(Held::of(broker.build().unwrap()));
    in_child(|| {
        drop(held.take());
        same("what is handed over", handed.load(Ordering::SeqCst), 0)
    });
    drop(held);
    assert!(handed.load(Ordering::SeqCst) > 0);
}

#[test]
fn a_child_builds_a_broker_of_its_own() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let held = Held::of(broker);
    in_child(|| {
        let own = Held::of(Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap());
        own.permit.run(|_| Ok::<_, ()>(())).unwrap();
        let foreign = own.broker.gate().authorize(&held.grant, &own.agent, pay(), &Context::new());
        let foreign = foreign.map(drop).map_err(|denial| denial.code());
        same("the parent's token", foreign, Err(Code::InvalidToken))?;
        same("its own end", own.task.complete().count(), 1)
    });
    assert!(held.running.is_live());
}

/// P8: what a task has used can't be looked up in a child, so nothing of a result is shown.
#[test]
fn a_tool_that_forks_shows_nothing_in_the_child() {
    let policy = r#"
        version = 1
        tool = [{ name = "mail.send", credential = "key" }]
        rule = [{ id = "send", effect = "permit", what = { tool = "mail.send", args = "any" } }]
    "#;
    let vault = Vault::new().unwrap();
    vault.seal("key", Secret::new("fD3kW9sLq2-fD3kW9sLq2").unwrap()).unwrap();
    let broker = Broker::builder(Policy::from_toml(policy).unwrap()).vault(&vault).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("newsletter")).unwrap();
    let grant = task.request(Scope::tool("mail.send").any_args(), &Context::new()).unwrap();
    let call = Call::new("mail.send", json!({})).unwrap();
    let authorize =
        || broker.gate().authorize(&grant, &agent, call.clone(), &Context::new()).unwrap();
    let (mut before, running) = (Some(authorize()), authorize());
    let said = |secrets: &hallpass::vault::Secrets| {
        let key = secrets.get("key").unwrap().expose();
        format!("250 ok {}", String::from_utf8_lossy(key))
    };
    let receipt = running.run_with(|_, secrets| {
        in_child(|| {
            // Nothing is looked for: its lock may be held, too.
            vault.remove("key");
            denied("unsealing", before.take().unwrap().run_with(|_, _| Ok::<_, ()>(())).map_err(of))
        });
        Ok::<_, ()>(said(secrets))
    });
    assert_eq!(receipt.unwrap().scrubbed(), "250 ok [redacted]");
    child::fork_within(|is_child| {
        let receipt = authorize().run_with(|_, secrets| {
            is_child.fork();
            Ok::<_, ()>(said(secrets))
        });
        same("a result", receipt.unwrap().scrubbed(), "[redacted]".to_owned())
    });
}

fn of(error: hallpass::RunError<()>) -> Denial {
    match error {
        hallpass::RunError::Denied(denial) => denial,
        hallpass::RunError::Tool(_) => panic!("the tool ran"),
    }
}
