//! A sink that fails on cue.

use std::sync::Arc;

use crate::audit::{Durable, Entry, Kept, Sink, SinkError, Tail};
use crate::clock::Timestamp;
use crate::sync::Mutex;

/// Wraps a [`Sink`] and refuses when it is told to. Clones share their cues.
///
/// ```
/// use hallpass::audit::{ChainTag, Entry, MemoryLog, Sink};
/// use hallpass::testing::FailingSink;
///
/// let log = MemoryLog::new();
/// let sink = FailingSink::new(log.clone());
/// let tag = ChainTag::from_bytes([0; 32]);
/// sink.fail_next(1);
/// let record = Entry { first: 1, seq: 1, gives_access: false, tag: &tag, line: "{}", plain: None };
/// assert!(sink.append(&[record]).is_err());
/// assert!(sink.append(&[record]).is_ok());
/// assert_eq!(log.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct FailingSink<S> {
    sink: S,
    cues: Arc<Mutex<Cues>>,
}

#[derive(Debug, Default)]
struct Cues {
    fail_next: u64,
    good_left: Option<u64>,
    panic_next: bool,
    attempts: u64,
}

impl<S: Sink> FailingSink<S> {
    /// A sink that passes everything on until it gets a cue.
    #[must_use]
    pub fn new(sink: S) -> Self {
        Self { sink, cues: Arc::default() }
    }

    /// Refuses the next `attempts`.
    pub fn fail_next(&self, attempts: u64) {
        self.cues.lock().fail_next = attempts;
    }

    /// Lets `attempts` more through, then refuses until [`recover`](Self::recover).
    pub fn fail_after(&self, attempts: u64) {
        self.cues.lock().good_left = Some(attempts);
    }

    /// Panics at the next attempt.
    pub fn panic_next(&self) {
        self.cues.lock().panic_next = true;
    }

    /// Takes every cue back.
    pub fn recover(&self) {
        let mut cues = self.cues.lock();
        *cues = Cues { attempts: cues.attempts, ..Cues::default() };
    }

    /// How many records it was offered so far, kept or not.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.cues.lock().attempts
    }
}

impl<S: Sink> Sink for FailingSink<S> {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.sink.open()
    }

    fn report_to(&self, durable: Durable) {
        self.sink.report_to(durable);
    }

    /// Passes a batch on up to where a cue refuses, so that a cue counts records.
    #[expect(clippy::panic, reason = "a panic is what the cue asks for")]
    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        // In a statement of its own: no lock is held when the wrapped sink is called.
        let cue = self.cues.lock().next(batch.len());
        match cue {
            Cue::Keep(most) => self.sink.append(batch.get(..most).unwrap_or(batch)),
            Cue::Refuse => Err(SinkError::new("refused on cue")),
            Cue::Panic => panic!("panicked on cue"),
        }
    }

    fn maintain(&self, now: Timestamp) {
        self.sink.maintain(now);
    }

    fn closed(&self, through: u64) {
        self.sink.closed(through);
    }
}

enum Cue {
    /// Keep this many records of the batch.
    Keep(usize),
    Refuse,
    Panic,
}

impl Cues {
    fn next(&mut self, records: usize) -> Cue {
        let offered = |records: usize| u64::try_from(records).unwrap_or(u64::MAX);
        let cue = if std::mem::take(&mut self.panic_next) {
            Cue::Panic
        } else if self.fail_next > 0 {
            self.fail_next -= 1;
            Cue::Refuse
        } else {
            match &mut self.good_left {
                None => Cue::Keep(records),
                Some(0) => Cue::Refuse,
                Some(left) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(records);
                    *left -= offered(most);
                    Cue::Keep(most)
                }
            }
        };
        self.attempts += match cue {
            Cue::Keep(most) => offered(most),
            Cue::Refuse | Cue::Panic => 1,
        };
        cue
    }
}
