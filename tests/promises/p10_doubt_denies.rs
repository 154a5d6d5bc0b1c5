//! P10: doubt denies. Time that cannot be read, a record that cannot be written, an attribute that is
//! not there: each denies, takes nothing, and tells the agent nothing but a code.

use hallpass::clock::{Clock, ClockError, ManualClock, Reading};
use hallpass::prelude::*;
use hallpass::scope::{eq, max};
use hallpass::testing::FailingSink;
use hallpass::{Broker, audit::MemoryLog};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::stand::shows_nothing;
use crate::universe::{at, config};

/// A clock that panics while it is told to.
#[derive(Clone)]
struct Fragile(ManualClock, Arc<AtomicBool>);

impl Clock for Fragile {
    fn read(&self) -> Result<Reading, ClockError> {
        if self.1.load(Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("the clock"));
        }
        self.0.read()
    }
}

fn policy(uses: u64) -> Policy {
    let rule = Rule::permit("secret-rule")
        .tool("bank.pay")
        .arg("to", eq("secret-account"))
        .arg("amount", max(500))
        .when("env", eq("secret-env"))
        .uses(uses)
        .budget("args.amount", 500);
    Policy::builder().rule(rule).build().unwrap()
}

fn pay(amount: i64) -> Call {
    Call::new("bank.pay", serde_json::json!({ "to": "secret-account", "amount": amount })).unwrap()
}

fn scope() -> Scope {
    Scope::tool("bank.pay").arg("to", eq("secret-account")).arg("amount", max(500))
}

/// P9, P10, attack 141: a sink that refuses or panics makes a permit a denial that costs nothing.
#[test]
fn a_permit_that_cannot_be_recorded_is_denied_and_costs_nothing() {
    for panics in [false, true] {
        let sink = FailingSink::new(MemoryLog::new());
        let broker = Broker::builder(policy(1)).log(sink.clone()).build().unwrap();
        let caller = broker.assert_identity("robot").unwrap();
        let context = Context::new().with("env", "secret-env");
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        let grant = task.request(scope(), &context).unwrap();
        let gate = broker.gate();
        for _ in 0..3 {
            if panics {
                sink.panic_next()
            } else {
                sink.fail_next(1)
            }
            let denial = gate.authorize(grant.token(), &caller, pay(500), &context);
            let denial = denial.map(drop).unwrap_err();
            assert_eq!(denial.reason(), Reason::LogRefused);
            shows_nothing(&denial);
        }
        // Its one use and its whole budget are still there.
        let permit = gate.authorize(grant.token(), &caller, pay(500), &context).unwrap();
        permit.run(|_| Ok::<_, ()>(())).unwrap();
        // An end goes through, and leaves a debt.
        sink.fail_after(0);
        task.complete();
        assert!(broker.standing().is_empty());
        assert!(broker.record_debts() > 0);
        sink.recover();
        assert_eq!(broker.flush(), 0);
    }
}

/// P10, attack 141
#[test]
fn a_clock_that_fails_or_panics_denies_everything_and_ends_go_through() {
    let clock = Fragile(ManualClock::new(at(0)), Arc::default());
    let broker = Broker::builder(policy(5)).clock(clock.clone()).build().unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let context = Context::new().with("env", "secret-env");
    let gate = broker.gate();
    for panics in [false, true] {
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        let grant = task.request(scope(), &context).unwrap();
        let permit = gate.authorize(grant.token(), &caller, pay(1), &context).unwrap();
        if panics {
            clock.1.store(true, Ordering::SeqCst)
        } else {
            clock.0.fail()
        }
        for reason in [
            broker.open(&caller, Purpose::new("p")).map(drop).unwrap_err(),
            task.request(scope(), &context).map(drop).unwrap_err(),
            gate.authorize(grant.token(), &caller, pay(1), &context).map(drop).unwrap_err(),
            gate.check(grant.token(), &caller, &pay(1), &context).map(drop).unwrap_err(),
            permit.start().map(drop).unwrap_err(),
        ] {
            assert_eq!(reason.reason(), Reason::ClockUnreadable);
            shows_nothing(&reason);
        }
        task.complete();
        clock.1.store(false, Ordering::SeqCst);
        clock.0.recover();
        assert!(broker.standing().is_empty());
    }
    // Each of them is in the log but the dry run.
    let denied =
        broker.log().unwrap().lines().iter().filter(|l| l.contains("clock_unreadable")).count();
    assert_eq!(denied, 2 * 4);
    broker.verify_log().unwrap();
}

proptest! {
    #![proptest_config(config(64))]

    /// P10: whatever was wrong, an agent sees a code, and no value, rule or id.
    #[test]
    fn a_denial_shows_an_agent_nothing_but_its_code(
        to in "[a-z-]{0,16}",
        amount in 0i64..1000,
        env in "[a-z-]{0,12}",
        extra in any::<bool>(),
    ) {
        let broker = Broker::builder(policy(1)).clock(ManualClock::new(at(0))).build().unwrap();
        let caller = broker.assert_identity("robot").unwrap();
        let good = Context::new().with("env", "secret-env");
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        let grant = task.request(scope(), &good).unwrap();
        let mut args = serde_json::json!({ "to": to, "amount": amount });
        if extra {
            args["extra"] = "secret-extra".into();
        }
        let call = Call::new("bank.pay", args).unwrap();
        let context = Context::new().with("env", env.as_str());
        if let Err(denial) = broker.gate().authorize(grant.token(), &caller, call, &context) {
            shows_nothing(&denial);
            let shown = format!("{denial} {denial:?}");
            prop_assert!(!shown.contains("secret") && !shown.contains(&grant.id().to_string()));
        }
        for attempt in [Context::new(), context] {
            if let Err(denial) = task.request(scope(), &attempt) {
                shows_nothing(&denial);
            }
        }
    }
}
