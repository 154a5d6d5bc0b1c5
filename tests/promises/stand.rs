//! Where a broker is tested: a clock moved by hand, a log that refuses, panics or hangs when told and that
//! outlives the broker, and with them what time it is and what has been written, as a model has it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::task::{Context as Polled, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use hallpass::audit::{Entry, Kept, Origin, Sink, SinkError, Tail, Verification, verify};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{KeyRing, LogKeys, SecretKey};
use hallpass::policy::Policy;
use hallpass::testing::{FailingSink, HangingSink};
use hallpass::{Broker, BrokerBuilder, Control, Denial, Gate, Reason};

use crate::kept_log::KeptLog;

use crate::universe::{START, at};

pub(crate) const CEILING: i64 = 600_000;
pub(crate) const DEFAULT_TTL: i64 = 300_000;
pub(crate) const PERMIT_TTL: i64 = 30_000;

/// How long a thread waits for a sink that hangs: each act of a life that asks for access may.
const LOG_TIMEOUT: Duration = Duration::from_millis(2);

/// For how long a sink hangs at most: many times what all acts take that a life does meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sink that panics when told, without the noise of a panic's report.
#[derive(Clone)]
struct PanicsOnCue {
    sink: FailingSink<KeptLog>,
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
    pub(crate) log: KeptLog,
    clock: ManualClock,
    sink: FailingSink<KeptLog>,
    cue: Arc<AtomicBool>,
    hanging: HangingSink<PanicsOnCue>,
    /// While the sink hangs.
    inside: Option<Inside>,
    /// How many keys the tokens and the log have had. The last of each is in force.
    token_keys: u64,
    log_keys: u64,
    // The model. All times are milliseconds after `START`.
    wall: i64,
    counted: i64,
    pub(crate) now: i64,
    readable: bool,
    refuses: bool,
    panics: bool,
    pub(crate) events: Vec<String>,
}

/// The thread that is inside the sink while that hangs, and what ends that if anything waits for it.
struct Inside {
    thread: JoinHandle<()>,
    watchdog: Watchdog,
}

/// Lets the sink go on after a long while: what waits for a sink that hangs fails its test, and does not hang, too.
struct Watchdog {
    call_off: Sender<()>,
    bites: JoinHandle<bool>,
}

impl Watchdog {
    fn over(hanging: &HangingSink<PanicsOnCue>) -> Self {
        let (call_off, called_off) = mpsc::channel();
        let hanging = hanging.clone();
        // Once one has bitten, others soon do, so that the case is quickly made smaller.
        static BITTEN: AtomicBool = AtomicBool::new(false);
        let patience = if BITTEN.load(Ordering::SeqCst) { PATIENCE / 30 } else { PATIENCE };
        let bites = std::thread::spawn(move || {
            let bites = called_off.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if bites {
                BITTEN.store(true, Ordering::SeqCst);
                hanging.release();
            }
            bites
        });
        Watchdog { call_off, bites }
    }

    fn call_off(self) {
        drop(self.call_off);
        assert!(!self.bites.join().unwrap(), "P11: something waited for a sink that hangs");
    }
}

impl Stand {
    pub(crate) fn new(policy: Policy, set: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> Self {
        Stand::on(ManualClock::new(at(0)), policy, set)
    }

    pub(crate) fn on(
        clock: ManualClock,
        policy: Policy,
        set: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Self {
        let log = KeptLog::default();
        let sink = FailingSink::new(log.clone());
        let cue = Arc::new(AtomicBool::new(false));
        let hanging = HangingSink::new(PanicsOnCue { sink: sink.clone(), cue: cue.clone() });
        let builder = builder(policy, &clock, &hanging);
        let builder = builder.keys(KeyRing::from_secret(token_key(1))).log_keys(log_keys(1));
        let broker = set(builder).build().unwrap();
        Stand {
            gate: broker.gate(),
            control: broker.control(),
            broker,
            log,
            clock,
            sink,
            cue,
            hanging,
            inside: None,
            token_keys: 1,
            log_keys: 1,
            wall: 0,
            counted: 0,
            now: 0,
            readable: true,
            refuses: false,
            panics: false,
            events: vec!["log_started".into(), "reloaded 1".into()],
        }
    }

    /// Begins another life of a broker on the same log, with the newest key of the tokens alone and, if the
    /// log's key changes meanwhile, another one of that. Returns the broker that was.
    pub(crate) fn restart(
        &mut self,
        policy: Policy,
        rekeyed: bool,
        set: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Broker {
        self.recover();
        self.log_keys += u64::from(rekeyed);
        let builder = builder(policy, &self.clock, &self.hanging);
        let ring = KeyRing::from_secret(token_key(self.token_keys));
        let broker = set(builder.keys(ring).log_keys(log_keys(self.log_keys))).build().unwrap();
        (self.gate, self.control) = (broker.gate(), broker.control());
        // A broker knows only what was read of the clock in its own life.
        (self.now, self.counted) = (self.wall, self.wall);
        std::mem::replace(&mut self.broker, broker)
    }

    /// The whole log, under all keys that there have been.
    pub(crate) fn verify(&self) -> Verification {
        let lines = self.log.lines();
        let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
        let origin = Origin::new("hallpass", "hallpass");
        let verified = verify(lines, &log_keys(self.log_keys), &origin, None).unwrap();
        let last = self.log.records().last().map_or(0, |record| record.seq);
        assert_eq!(verified.anchor.seq, last, "P9: no gap");
        verified
    }

    /// Changes the key of the tokens; those of the one before are good for `seconds` more.
    pub(crate) fn rotate(&mut self, seconds: u64) {
        self.token_keys += 1;
        let key = token_key(self.token_keys);
        self.broker.rotate_key(key, Duration::from_secs(seconds)).unwrap();
    }

    pub(crate) fn rotate_log(&mut self) {
        self.log_keys += 1;
        self.broker.rotate_log_key(log_key(self.log_keys)).unwrap();
    }

    pub(crate) fn is_hanging(&self) -> bool {
        self.inside.is_some()
    }

    /// The sink hangs, with a thread inside that writes what is owed, of which there has to be something.
    pub(crate) fn hang(&mut self) {
        assert!(self.broker.record_debts() > 0);
        self.hanging.hang();
        let mut flushed = Box::pin(self.broker.flushed());
        let thread = std::thread::spawn(move || {
            // One look writes one batch.
            let _ = flushed.as_mut().poll(&mut Polled::from_waker(Waker::noop()));
        });
        self.inside = Some(Inside { thread, watchdog: Watchdog::over(&self.hanging) });
        self.hanging.wait_until_entered();
    }

    /// The sink goes on, and does with the batch that it has what it does by now.
    pub(crate) fn release(&mut self) {
        self.hanging.release();
        let Inside { thread, watchdog } = self.inside.take().unwrap();
        thread.join().unwrap();
        watchdog.call_off();
        self.panics = false;
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.moved(seconds);
    }

    /// Somebody else has moved the clock.
    pub(crate) fn moved(&mut self, seconds: u64) {
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
        self.now = self.next();
        self.readable
    }

    /// What the broker will find the time to be.
    pub(crate) fn next(&self) -> i64 {
        if self.readable { self.now.max(self.wall).max(self.counted) } else { self.now }
    }

    /// Whether the log takes the next record; of one that gives access, what it says instead.
    pub(crate) fn accepts(&mut self, kind: &str) -> bool {
        let takes = !self.refuses && !self.panics && !self.is_hanging();
        // A sink that hangs is not tried, and its cue waits.
        if !self.is_hanging() {
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

fn builder(policy: Policy, clock: &ManualClock, sink: &HangingSink<PanicsOnCue>) -> BrokerBuilder {
    Broker::builder(policy)
        .clock(clock.clone())
        .ceiling(Duration::from_millis(CEILING as u64))
        .default_ttl(Duration::from_millis(DEFAULT_TTL as u64))
        .permit_ttl(Duration::from_millis(PERMIT_TTL as u64))
        .log_timeout(LOG_TIMEOUT)
        // The model asks again and again, and does not know which questions still wait: their bound is tested on its own.
        .max_questions(10_000, 10_000)
        .log(sink.clone())
}

fn token_key(number: u64) -> SecretKey {
    secret(b't', number)
}

fn log_key(number: u64) -> SecretKey {
    secret(b'l', number)
}

/// The last of a number of keys of the log, and those before.
fn log_keys(count: u64) -> LogKeys {
    let active = LogKeys::from_secret(log_key(count));
    (1..count).fold(active, |keys, past| keys.and_past(log_key(past)).unwrap())
}

fn secret(of: u8, number: u64) -> SecretKey {
    let mut bytes = [of; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_bytes(&bytes).unwrap()
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
