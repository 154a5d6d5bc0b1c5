//! Where a broker is tested: a clock moved by hand, a log that refuses or panics when told, and with
//! them what time it is and what has been written, as a model has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::audit::{Entry, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Policy;
use hallpass::testing::FailingSink;
use hallpass::{Broker, BrokerBuilder, Control, Denial, Gate, Reason};

use crate::universe::{START, at};

pub(crate) const CEILING: i64 = 600_000;
pub(crate) const DEFAULT_TTL: i64 = 300_000;
pub(crate) const PERMIT_TTL: i64 = 30_000;

/// A sink that panics when told, without the noise of a panic's report.
struct PanicsOnCue {
    sink: FailingSink<MemoryLog>,
    cue: Arc<AtomicBool>,
}

impl Sink for PanicsOnCue {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.sink.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        if self.cue.swap(false, Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new("on cue"));
        }
        self.sink.append(batch)
    }
}

pub(crate) struct Stand {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) log: MemoryLog,
    clock: ManualClock,
    sink: FailingSink<MemoryLog>,
    cue: Arc<AtomicBool>,
    // The model. All times are milliseconds after `START`.
    wall: i64,
    counted: i64,
    pub(crate) now: i64,
    readable: bool,
    refuses: bool,
    panics: bool,
    pub(crate) events: Vec<String>,
}

impl Stand {
    pub(crate) fn new(policy: Policy, set: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> Self {
        let clock = ManualClock::new(at(0));
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let cue = Arc::new(AtomicBool::new(false));
        let builder = Broker::builder(policy)
            .clock(clock.clone())
            .ceiling(Duration::from_millis(CEILING as u64))
            .default_ttl(Duration::from_millis(DEFAULT_TTL as u64))
            .permit_ttl(Duration::from_millis(PERMIT_TTL as u64))
            .log(PanicsOnCue { sink: sink.clone(), cue: cue.clone() });
        let broker = set(builder).build().unwrap();
        Stand {
            gate: broker.gate(),
            control: broker.control(),
            broker,
            log,
            clock,
            sink,
            cue,
            wall: 0,
            counted: 0,
            now: 0,
            readable: true,
            refuses: false,
            panics: false,
            events: vec!["log_started".into(), "reloaded 1".into()],
        }
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.wall += seconds as i64 * 1000;
        self.counted += seconds as i64 * 1000;
    }

    /// Nothing counts while the machine sleeps; the wall clock knows afterwards.
    pub(crate) fn suspend(&mut self, seconds: u64) {
        self.clock.suspend(Duration::from_secs(seconds));
        self.wall += seconds as i64 * 1000;
    }

    pub(crate) fn step_back(&mut self, seconds: u64) {
        self.wall -= seconds as i64 * 1000;
        self.clock.set_wall(Timestamp::from_unix_millis(START + self.wall).unwrap());
    }

    pub(crate) fn lose_the_clock(&mut self) {
        self.readable = false;
        self.clock.fail();
    }

    pub(crate) fn find_the_clock(&mut self) {
        self.readable = true;
        self.clock.recover();
    }

    pub(crate) fn sink_works(&mut self, works: bool) {
        self.refuses = !works;
        if works { self.sink.recover() } else { self.sink.fail_after(0) }
    }

    pub(crate) fn sink_panics_once(&mut self) {
        self.panics = true;
        self.cue.store(true, Ordering::SeqCst);
    }

    /// Everything works again.
    pub(crate) fn recover(&mut self) {
        self.find_the_clock();
        self.sink_works(true);
        self.panics = false;
        self.cue.store(false, Ordering::SeqCst);
    }

    /// Does something whose records are not those of the operation at hand: a cue waits for those.
    pub(crate) fn aside<T>(&mut self, what: impl FnOnce(&Broker) -> T) -> T {
        let cue = self.cue.swap(false, Ordering::SeqCst);
        let done = what(&self.broker);
        self.cue.store(cue, Ordering::SeqCst);
        done
    }

    /// Time as the broker has it; whether it can be read.
    pub(crate) fn tick(&mut self) -> bool {
        if self.readable {
            self.now = self.now.max(self.wall).max(self.counted);
        }
        self.readable
    }

    /// Whether the log takes the next record; of one that gives access, what it says instead.
    pub(crate) fn accepts(&mut self, kind: &str) -> bool {
        let takes = !self.refuses && !self.panics;
        if !self.refuses || self.panics {
            self.panics = false;
        }
        if !takes {
            self.events.push(format!("withdrawn {kind}"));
        }
        takes
    }

    /// A record of what stands anyway: the log is not tried.
    pub(crate) fn record(&mut self, event: String) {
        self.events.push(event);
    }

    /// Takes it that the operation was denied, for one of these reasons; which.
    pub(crate) fn denied(
        &mut self,
        stage: &str,
        answer: Result<(), Denial>,
        expected: &[Reason],
    ) -> Reason {
        let denial = answer.expect_err(&format!("{stage} passed, expected one of {expected:?}"));
        let reason = denial.reason();
        assert!(expected.contains(&reason), "{}, expected {expected:?}", denial.explain());
        shows_nothing(&denial);
        self.record(format!("denied {stage} {reason}"));
        reason
    }
}

/// P10: neither form of a denial that an agent may see says more than its code and reason.
pub(crate) fn shows_nothing(denial: &Denial) {
    assert_eq!(denial.to_string(), format!("denied: {}", denial.code()));
    let (code, reason) = (denial.code(), denial.reason());
    assert_eq!(
        format!("{denial:?}"),
        format!("Denial {{ code: {code:?}, reason: {reason:?}, .. }}")
    );
    assert_eq!(reason.code(), code);
}

/// One of those that are so.
pub(crate) fn pick<T>(all: &[T], n: usize, so: impl Fn(&T) -> bool) -> Option<usize> {
    let found: Vec<usize> = (0..all.len()).filter(|at| so(&all[*at])).collect();
    found.get(n % found.len().max(1)).copied()
}

/// As [`pick`], mostly among those that also are as preferred.
pub(crate) fn prefer<T>(
    all: &[T],
    n: usize,
    so: impl Fn(&T) -> bool,
    preferred: impl Fn(&T) -> bool,
) -> Option<usize> {
    let best =
        if n.is_multiple_of(8) { None } else { pick(all, n / 8, |one| so(one) && preferred(one)) };
    best.or_else(|| pick(all, n, so))
}
