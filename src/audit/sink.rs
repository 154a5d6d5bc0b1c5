//! Where records go.

use std::sync::Arc;

use super::{ChainTag, Durable};
use crate::clock::Timestamp;

/// A place that keeps records: a file, a table, a queue, or [`MemoryLog`](super::MemoryLog).
///
/// The broker calls a sink from one thread at a time, in the order of the sequence. A permit whose
/// record a sink refuses is denied.
///
/// Which thread calls it: one that asks for access, one that asks to wait
/// ([`Broker::flush`](crate::Broker::flush), [`Ended::and_flush`](crate::Ended::and_flush)), or the
/// [reaper](crate::Broker::start_reaper). A thread that ends something, reports an outcome or drops
/// a handle never does. While one thread is inside a sink that hangs, each other thread that waits
/// for a record waits no longer than the broker's `log_timeout`; a sink that must never hold its
/// caller up keeps records [later](Kept::later), on a thread of its own, as
/// [`ThreadedSink`](super::ThreadedSink) does.
///
/// A sink may panic; that is a refusal. A sink that calls back into its own broker is refused what
/// would need the log.
///
/// ```
/// use hallpass::audit::{Entry, Kept, Sink, SinkError, Tail};
/// use std::sync::Mutex;
///
/// /// Keeps lines and tags in memory.
/// #[derive(Default)]
/// struct Lines(Mutex<Vec<(u64, String, String)>>);
///
/// impl Sink for Lines {
///     fn open(&self) -> Result<Option<Tail>, SinkError> {
///         Ok(None)
///     }
///
///     fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
///         let mut lines = self.0.lock().map_err(|_| SinkError::new("the list is broken"))?;
///         for entry in batch {
///             lines.push((entry.seq, entry.line.to_owned(), entry.tag.to_string()));
///         }
///         Ok(Kept::now(batch.len()))
///     }
/// }
/// # let sink = std::sync::Arc::new(Lines::default());
/// # let broker = hallpass::Broker::builder(hallpass::Policy::builder().build().unwrap()).log(sink.clone()).build().unwrap();
/// # broker.flush();
/// # assert_eq!(sink.0.lock().unwrap().len(), 2);
/// ```
pub trait Sink: Send + Sync {
    /// Claims the log for one writer and says how it ends; `None` means that it is empty.
    ///
    /// The broker checks that the record was written under a key that it has, and takes the number from
    /// the record. That it is the last one, the broker takes on the sink's word.
    ///
    /// # Errors
    ///
    /// When it has another writer already, or when it cannot be read.
    fn open(&self) -> Result<Option<Tail>, SinkError>;

    /// Takes the handle on which a sink that keeps records [later](Kept::later) reports how far it
    /// has come. Called once, after [`open`](Self::open) and before the first record.
    fn report_to(&self, durable: Durable) {
        drop(durable);
    }

    /// Keeps records: at least one, each following the one before it. Returns how many of them it
    /// has kept, from the first on; the others come again.
    ///
    /// # Errors
    ///
    /// An error says that *none* of them is kept: the same sequence numbers will come again, with
    /// other content. A sink that cannot tell (a write that failed half-way) must refuse everything
    /// from then on, and a sink must refuse an entry that does not follow the one it kept last.
    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError>;

    /// Does what is due by the broker's time, once what was owed is written: a [`FileLog`](super::FileLog) makes its
    /// [checkpoints](super::FileLogOptions::checkpoint_every). Called with no lock held by the reaper and by threads that
    /// flush, of which several may come at once, while another one is inside [`append`](Self::append).
    fn maintain(&self, now: Timestamp) {
        let _ = now;
    }

    /// The broker was closed, and every number that it gave out, up to `through`, is kept. Denials may still
    /// follow, with numbers of their own.
    fn closed(&self, through: u64) {
        let _ = through;
    }
}

impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        (**self).open()
    }

    fn report_to(&self, durable: Durable) {
        (**self).report_to(durable);
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        (**self).append(batch)
    }

    fn maintain(&self, now: Timestamp) {
        (**self).maintain(now);
    }

    fn closed(&self, through: u64) {
        (**self).closed(through);
    }
}

/// One record on its way into a [`Sink`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The first number that the record stands for: its own, unless it is a sum of denials.
    pub first: u64,
    /// Its place in the only order there is; numbers begin at 1 and have no gaps.
    pub seq: u64,
    /// Whether it gives access: its permit, grant or task is given only once it is kept.
    pub gives_access: bool,
    /// What ties it to all records before it.
    pub tag: &'a ChainTag,
    /// The record: one JSON object, with no line break and no other raw control character in it.
    pub line: &'a str,
    /// The values that the record commits to in its `plain`, if it has any: one JSON object with the record's number,
    /// on one line. It is to be kept where it can be erased, apart from the record; a sink that does not keep it
    /// loses what decisions could be replayed from, and nothing of the log.
    pub plain: Option<&'a str>,
}

/// How a log ends: its last record, as its [`Entry`] said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The tag of the record before the last one; `None` if there is only one.
    pub before: Option<ChainTag>,
    /// The last record's line.
    pub line: String,
    /// The last record's tag.
    pub tag: ChainTag,
    /// The last number that may have been given out, if that is more than the last record's: the broker
    /// begins after it, so that no number is used twice. Otherwise 0.
    pub used: u64,
}

impl Entry<'_> {
    /// Whether the record follows one of number `last` (0: none).
    ///
    /// ```
    /// use hallpass::audit::{ChainTag, Entry};
    /// let tag = ChainTag::from_bytes([0; 32]);
    /// let sum = Entry { first: 4, seq: 9, gives_access: false, tag: &tag, line: "{}", plain: None };
    /// assert!(sum.follows(3) && !sum.follows(8));
    /// ```
    #[must_use]
    pub fn follows(&self, last: u64) -> bool {
        self.first.checked_sub(1) == Some(last) && self.seq >= self.first
    }
}

/// How many records of a batch a sink has kept, and whether they are durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "records that a sink has not kept come again"]
pub struct Kept {
    records: usize,
    durable: bool,
}

impl Kept {
    /// The first `records` of the batch are kept, as durably as this sink ever keeps.
    pub const fn now(records: usize) -> Self {
        Kept { records, durable: true }
    }

    /// The sink has taken the first `records` of the batch over and answers for them: it never
    /// refuses them any more, and reports to its [`Durable`] once they are kept. What gives access
    /// waits for that.
    pub const fn later(records: usize) -> Self {
        Kept { records, durable: false }
    }

    /// How many records were kept.
    #[must_use]
    pub const fn records(self) -> usize {
        self.records
    }

    /// Whether they are as durable as they ever will be.
    #[must_use]
    pub const fn is_durable(self) -> bool {
        self.durable
    }
}

/// Why a sink did not take a record, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SinkError {
    reason: Arc<str>,
}

impl SinkError {
    /// Longest reason kept, in characters: it is repeated in every record that was not given.
    const LONGEST: usize = 200;

    /// An error with this reason, of which the first 200 characters are kept.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        let end = reason.char_indices().nth(Self::LONGEST).map_or(reason.len(), |(at, _)| at);
        Self { reason: Arc::from(reason.get(..end).unwrap_or(reason)) }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_kept_up_to_its_longest() {
        assert_eq!(SinkError::new("disk full").to_string(), "disk full");
        let long = SinkError::new(&"é".repeat(100_000));
        assert_eq!(long.reason().chars().count(), SinkError::LONGEST);
    }

    #[test]
    fn only_what_begins_after_the_last_number_follows_it() {
        let tag = ChainTag::from_bytes([0; 32]);
        let entry = |first, seq| Entry {
            first,
            seq,
            gives_access: false,
            tag: &tag,
            line: "{}",
            plain: None,
        };
        assert!(entry(1, 1).follows(0) && entry(4, 9).follows(3));
        for (first, seq, last) in [(0, 0, u64::MAX), (2, 2, 0), (4, 9, 8), (4, 3, 3), (1, 1, 1)] {
            assert!(!entry(first, seq).follows(last), "{first}..={seq} after {last}");
        }
    }
}
