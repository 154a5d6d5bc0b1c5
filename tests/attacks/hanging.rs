//! A broker whose log hangs on cue.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::audit::{Event, MemoryLog, ThreadedSink};
use hallpass::prelude::*;
use hallpass::testing::HangingSink;

use crate::world::{MINUTE, broad, plain, policy};

/// A broker whose log hangs on cue, and for which another thread waits a few milliseconds.
pub(crate) struct Hanging {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) sink: HangingSink<MemoryLog>,
    pub(crate) log: MemoryLog,
    pub(crate) agent: Identity,
    pub(crate) context: Context,
}

impl Hanging {
    pub(crate) fn with(
        threaded: bool,
        change: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Self {
        Hanging::under(policy([broad()]), threaded, change)
    }

    pub(crate) fn under(
        policy: Policy,
        threaded: bool,
        change: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Self {
        let log = MemoryLog::new();
        let sink = HangingSink::new(log.clone());
        let builder = Broker::builder(policy);
        let builder = match threaded {
            true => builder.log(ThreadedSink::new(sink.clone())),
            false => builder.log(sink.clone()),
        };
        let broker = change(builder.log_timeout(Duration::from_millis(5))).build().unwrap();
        let agent = Assertion::agent("agent-7").attr("suspended", false);
        let agent = broker.assert_identity(agent).unwrap();
        let (gate, control, context) = (broker.gate(), broker.control(), Context::new());
        Hanging { broker, gate, control, sink, log, agent, context }
    }

    pub(crate) fn granted(&self) -> (Task, Grant) {
        let task = given(|| self.broker.open(&self.agent, Purpose::new("test")));
        let grant = given(|| task.request(Scope::tool("t").any_args(), &self.context));
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant) -> Result<Permit, Denial> {
        self.gate.authorize(grant, &self.agent, plain(), &self.context)
    }

    /// Does something while one thread is inside the sink, and fails if it does not return.
    pub(crate) fn while_hanging<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.sink.hang();
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let _ = self.broker.open(&self.agent, Purpose::new("inside"));
            });
            self.sink.wait_until_entered();
            let (done, waiting) = mpsc::channel();
            scope.spawn(move || done.send(act()));
            let answer = waiting.recv_timeout(MINUTE).expect("nothing waits for the sink");
            self.sink.release();
            inside.join().unwrap();
            answer
        })
    }

    /// What the log tells once it is back, which verifies.
    pub(crate) fn told(&self) -> Vec<Event<'static>> {
        self.broker.flush_within(MINUTE).unwrap();
        self.broker.verify(&self.log).unwrap();
        self.log.records().into_iter().map(|record| record.event).collect()
    }
}

/// A thread of the log's own may take longer than the few milliseconds that are waited for it.
pub(crate) fn given<T>(mut ask: impl FnMut() -> Result<T, Denial>) -> T {
    (0..10_000).find_map(|_| ask().ok()).expect("it is given once the log has kept up")
}
