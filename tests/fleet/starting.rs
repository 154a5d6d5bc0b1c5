//! A start is the last reading of the lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hallpass::clock::{Clock, ClockError, ManualClock, Reading, Timestamp};
use hallpass::fleet::{Fleet, MemoryStore};
use hallpass::prelude::*;

use crate::world::{ALL, LEASE, secret};

/// A clock that moves on by itself from its n-th reading on.
struct Jumping {
    clock: ManualClock,
    left: Arc<AtomicU32>,
    by: Duration,
    is_armed: Arc<AtomicBool>,
}

impl Clock for Jumping {
    fn read(&self) -> Result<Reading, ClockError> {
        if self.is_armed.load(Ordering::SeqCst) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.clock.advance(self.by);
            self.is_armed.store(false, Ordering::SeqCst);
        }
        self.clock.read()
    }
}

/// A thread may be stopped after the call was marked as running: what it finds then counts.
#[test]
fn a_call_whose_lease_ran_out_as_it_started_does_not_start_and_gives_back_what_it_took() {
    let wall = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    for (reading, starts) in [(1, false), (2, false), (3, true)] {
        let clock = ManualClock::new(wall);
        let (left, is_armed) =
            (Arc::new(AtomicU32::new(reading)), Arc::new(AtomicBool::new(false)));
        let jumping = Jumping { clock, left: left.clone(), by: LEASE, is_armed: is_armed.clone() };
        let policy = Policy::from_toml(ALL).unwrap();
        let broker = Broker::builder(policy).clock(jumping).build().unwrap();
        let fleet = Fleet::builder("acme", "n0").lease(LEASE);
        let fleet = fleet.join(&broker, &secret(0), MemoryStore::new()).unwrap();
        fleet.tend();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grant = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
        let permit = || {
            let call = Call::new("read", serde_json::json!({})).unwrap();
            broker.gate().authorize(&grant, &agent, call, &Context::new())
        };
        let first = permit().unwrap();
        is_armed.store(true, Ordering::SeqCst);
        let started = first.start();
        assert_eq!(started.is_ok(), starts, "the clock jumps at reading {reading}");
        let Err(denial) = started else { continue };
        assert_eq!(denial.reason(), Reason::NoLease);
        assert_eq!(broker.standing().tasks.iter().map(|task| task.permits).sum::<usize>(), 0);

        // Three uses were given, and none is spent.
        is_armed.store(false, Ordering::SeqCst);
        fleet.tend();
        for _ in 0..3 {
            drop(permit().unwrap().start().unwrap());
        }
        assert_eq!(permit().unwrap_err().reason(), Reason::UsesSpent);
        let log = broker.log().unwrap().snapshot();
        let abandoned = log.entries().filter(|entry| entry.line.contains("\"abandoned\"")).count();
        assert_eq!(abandoned, 1, "its one outcome");
        assert!(broker.verify_log().is_ok());
        assert_eq!(task.complete().running.len(), 0);
    }
}

/// Nor is its grant in use by it.
#[test]
fn a_call_that_did_not_start_leaves_its_grant_to_go_idle() {
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let (left, is_armed) = (Arc::new(AtomicU32::new(2)), Arc::new(AtomicBool::new(false)));
    let jumping = Jumping { clock: clock.clone(), left, by: LEASE, is_armed: is_armed.clone() };
    let rule = Rule::permit("read").tool("read").any_args().idle(3 * LEASE).ttl(9 * LEASE);
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(jumping).build().unwrap();
    let fleet = Fleet::builder("acme", "n0").lease(LEASE);
    let fleet = fleet.join(&broker, &secret(0), MemoryStore::new()).unwrap();
    fleet.tend();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
    let call = || Call::new("read", serde_json::json!({})).unwrap();
    let authorize = || broker.gate().authorize(&grant, &agent, call(), &Context::new());
    let permit = authorize().unwrap();
    is_armed.store(true, Ordering::SeqCst);
    assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::NoLease);
    clock.advance(3 * LEASE);
    fleet.tend();
    assert_eq!(authorize().map(drop).unwrap_err().reason(), Reason::Expired);
}
