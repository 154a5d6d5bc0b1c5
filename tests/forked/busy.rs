//! Threads that hold the locks of a broker for most of their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::Halt;
use hallpass::prelude::*;

use crate::{pay, to_pay};

/// Stops the threads when it is dropped, by a panic too.
pub(crate) struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Busy {
    /// Does this while other threads use the broker.
    pub(crate) fn with(broker: &Broker, work: impl FnOnce()) {
        let stopped = Arc::new(AtomicBool::new(false));
        let rounds = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let busy = Busy(stopped.clone());
            let again = |round: fn(&Broker)| {
                while !stopped.load(Ordering::SeqCst) {
                    round(broker);
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            };
            scope.spawn(move || again(decide));
            scope.spawn(move || again(change));
            while rounds.load(Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            work();
            drop(busy);
        });
    }
}

fn decide(broker: &Broker) {
    let other = broker.assert_identity("agent-8").unwrap();
    let task = broker.open(&other, Purpose::new("pay-bill")).unwrap();
    let grant = task.request(to_pay(), &Context::new()).unwrap();
    for _ in 0..50 {
        let _ = broker.gate().check(&grant, &other, &pay(), &Context::new());
    }
    let _ = broker.gate().authorize(&grant, &other, pay(), &Context::new());
}

/// What takes locks for writing, and looks at every task.
fn change(broker: &Broker) {
    let control = broker.control();
    let halt = Halt::identity("agent-9").unwrap();
    control.halt(halt.clone());
    control.resume(&halt);
    let _ = control.restate(Assertion::agent("agent-9"));
    let _ = control.unrestate("agent-9");
    let _ = broker.standing();
    let _ = broker.flush_within(Duration::from_secs(60));
}
