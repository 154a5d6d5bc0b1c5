//! Hooks that misbehave: sinks, clocks and tools that call back, or take their time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use hallpass::audit::{Entry, Event, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::clock::{Clock, ClockError, ManualClock, Reading};
use hallpass::prelude::*;
use hallpass::{Halt, Task};

use crate::world::{HOUR, MINUTE, World, broad, log_keys, plain, policy, start, verified};

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
        control.halt(Halt::tool("other").unwrap());
        control.resume(&Halt::tool("other").unwrap());
        control.revoke_task("no-such-task").unwrap();
        self.broker.reload(&policy([broad()])).unwrap();
        self.broker.standing();
        self.broker.record_debts();
        self.broker.flush();
        drop(self.broker.verify_log());
        permitted
    }
}

/// attack 142: a sink that calls its own broker is told no, and no thread waits for ever
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
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.log.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            // Each record written makes more to write, so it meddles a limited number of times.
            let left = |left: usize| left.checked_sub(1);
            if let Some(inside) = self.inside.get()
                && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
            {
                assert_eq!(self.busy.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                self.permitted.fetch_add(inside.meddle(), Ordering::SeqCst);
                self.busy.fetch_sub(1, Ordering::SeqCst);
            }
            self.log.append(batch)
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
        for _ in 0..20 {
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

/// attack 140: refused from within the sink, before it has a place in the log, a call costs no use
#[test]
fn what_a_sink_is_denied_costs_no_use() {
    #[derive(Clone, Default)]
    struct Greedy {
        log: MemoryLog,
        inside: Arc<OnceLock<Inside>>,
        refused: Arc<AtomicUsize>,
    }
    impl Sink for Greedy {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.log.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            if let Some(Inside { broker, agent, grant, .. }) = self.inside.get()
                && self.refused.load(Ordering::SeqCst) == 0
            {
                let context = Context::new();
                let denial =
                    broker.gate().authorize(grant.token(), agent, plain(), &context).unwrap_err();
                assert_eq!(denial.reason(), Reason::LogRefused);
                self.refused.fetch_add(1, Ordering::SeqCst);
            }
            self.log.append(batch)
        }
    }
    without_deadlock(|| {
        let sink = Greedy::default();
        let world = World::of(policy([broad().uses(1)]), |builder| builder.log(sink.clone()));
        let (_task, grant) = world.granted();
        let (task, inner) = world.granted();
        let agent = world.broker.assert_identity("agent-7").unwrap();
        let inside = Inside { broker: world.broker.clone(), agent, grant: inner, task };
        assert!(sink.inside.set(inside).is_ok());
        assert_eq!(world.run(&grant, plain()), Ok(()));
        assert_eq!(sink.refused.load(Ordering::SeqCst), 1);
        let inner = &sink.inside.get().unwrap().grant;
        assert_eq!(world.run(inner, plain()), Ok(()));
        assert_eq!(world.attempt(inner, plain()), Err(Reason::UsesSpent));
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
        assert_eq!(ran.unwrap().scrubbed(), 1, "a tool may call the gate");
        assert!(clock.permitted.load(Ordering::SeqCst) > 0, "and so may a clock");
        task.complete();
        world.verify().unwrap();
    });
}

/// attack 133, attack 138: a permit whose record the log refuses after a long wait has no outcome,
/// who calls meanwhile, so the log stays one that verifies
#[test]
fn a_permit_that_lapses_while_its_record_is_written_has_no_outcome() {
    #[derive(Clone)]
    struct Slow {
        log: MemoryLog,
        clock: ManualClock,
        inside: Arc<OnceLock<Inside>>,
    }
    impl Sink for Slow {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.log.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            if let Some(inside) = self.inside.get()
                && batch.iter().any(|entry| entry.line.contains(r#""kind":"permitted""#))
            {
                self.clock.advance(MINUTE);
                assert_eq!(inside.meddle(), 0);
                return Err(SinkError::new("timed out after a minute"));
            }
            self.log.append(batch)
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
        assert_eq!(world.broker.flush(), 0);
        let snapshot = sink.log.snapshot();
        let lines = snapshot.entries().map(|entry| (entry.line, *entry.tag));
        let verified = verified(lines, &log_keys(), None).unwrap();
        assert!(verified.without_outcome.is_empty());
        assert_eq!(world.broker.standing().tasks[0].permits, 0);
    });
}
