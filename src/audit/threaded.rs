//! A sink with a thread of its own, so that no thread of the host is ever held up by a slow one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::{ChainTag, Durable, Entry, Kept, Sink, SinkError, Tail};
use crate::clock::Timestamp;
use crate::process::HomeProcess;
use crate::sync::{Condvar, Mutex};

/// How many records wait for the thread at most; more are refused. At half a kilobyte a record this
/// is near 32 MiB.
const MOST_WAITING: usize = 65_536;

/// How many records the thread gives to its sink at once.
const BATCH: usize = 256;

/// How long the thread waits before it offers records again that its sink has refused.
const RETRY: Duration = Duration::from_millis(50);

/// Long enough to count as waiting for the next record.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// Runs another [`Sink`] on a thread of its own.
///
/// The broker hands records over and never waits inside the sink: a thread that asks for access waits
/// for its record as long as the broker's `log_timeout` says, and is denied then, even while the sink
/// hangs. Records that were handed over keep their numbers: if the sink refuses them, they are
/// offered again, as they are, until it takes them.
///
/// The thread ends once the broker is dropped and the sink has taken, or refuses, what is left.
///
/// ```
/// use hallpass::audit::{MemoryLog, ThreadedSink};
/// use hallpass::prelude::*;
///
/// let log = MemoryLog::new();
/// let policy = Policy::builder().build()?;
/// let broker = Broker::builder(policy).log(ThreadedSink::new(log.clone())).build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("reading"))?;
/// assert_eq!(log.len(), 3, "the beginning of the log, the policy, and the task");
/// # task.complete();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ThreadedSink {
    sink: Arc<dyn Sink>,
    work: Arc<Work>,
    home: HomeProcess,
}

#[derive(Default)]
struct Work {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Owned>,
    /// The last number that was handed over, if one was.
    last: Option<u64>,
    /// The broker is gone.
    ended: bool,
}

struct Owned {
    first: u64,
    seq: u64,
    gives_access: bool,
    tag: ChainTag,
    line: Box<str>,
    plain: Option<Box<str>>,
}

impl ThreadedSink {
    /// Wraps a sink. Its thread starts when a broker is built with it.
    #[must_use]
    pub fn new(sink: impl Sink + 'static) -> Self {
        ThreadedSink { sink: Arc::new(sink), work: Arc::default(), home: HomeProcess::current() }
    }
}

impl Sink for ThreadedSink {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.sink.open()
    }

    fn report_to(&self, durable: Durable) {
        self.sink.report_to(durable.clone());
        let (sink, work) = (self.sink.clone(), self.work.clone());
        let thread = std::thread::Builder::new().name("hallpass-log".into());
        if thread.spawn(move || work.write(&*sink, &durable)).is_err() {
            // Without a thread nothing is ever kept, so nothing is taken over.
            self.work.waiting.lock().ended = true;
        }
    }

    fn maintain(&self, now: Timestamp) {
        self.sink.maintain(now);
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let mut waiting = self.work.waiting.lock();
        if waiting.ended {
            return Err(SinkError::new("the log's thread is not running"));
        }
        let room = MOST_WAITING.saturating_sub(waiting.records.len()).min(batch.len());
        if room == 0 {
            return Err(SinkError::new("the log's thread is too far behind"));
        }
        if let (Some(last), Some(next)) = (waiting.last, batch.first())
            && !next.follows(last)
        {
            return Err(SinkError::new("the record does not follow the last one"));
        }
        for entry in batch.iter().take(room) {
            let Entry { first, seq, gives_access, tag, line, plain } = *entry;
            let (tag, line, plain) = (*tag, line.into(), plain.map(Into::into));
            waiting.records.push_back(Owned { first, seq, gives_access, tag, line, plain });
            waiting.last = Some(seq);
        }
        drop(waiting);
        self.work.changed.notify_all();
        Ok(Kept::later(room))
    }

    fn closed(&self, through: u64) {
        self.sink.closed(through);
    }
}

impl Drop for ThreadedSink {
    /// The child of a fork has no such thread, and its lock may be held for good.
    fn drop(&mut self) {
        if self.home.is_current_for_sure() {
            self.work.waiting.lock().ended = true;
            self.work.changed.notify_all();
        }
    }
}

impl Work {
    /// What the thread does, until the broker is gone.
    fn write(&self, sink: &dyn Sink, durable: &Durable) {
        let mut batch = VecDeque::new();
        loop {
            if batch.is_empty() {
                let mut waiting = self.waiting.lock();
                let idle = |waiting: &mut Waiting| waiting.records.is_empty() && !waiting.ended;
                self.changed.wait_while_for(&mut waiting, idle, IDLE);
                let most = BATCH.min(waiting.records.len());
                batch.extend(waiting.records.drain(..most));
                if batch.is_empty() && waiting.ended {
                    return;
                }
            }
            if !write_some(sink, &mut batch, durable) {
                let mut waiting = self.waiting.lock();
                if waiting.ended {
                    return;
                }
                self.changed.wait_while_for(&mut waiting, |waiting| !waiting.ended, RETRY);
            }
        }
    }
}

/// Gives what is left of a batch to the sink; whether it has taken any.
fn write_some(sink: &dyn Sink, batch: &mut VecDeque<Owned>, durable: &Durable) -> bool {
    let entries: Vec<_> = batch
        .iter()
        .map(|own| Entry {
            first: own.first,
            seq: own.seq,
            gives_access: own.gives_access,
            tag: &own.tag,
            line: &own.line,
            plain: own.plain.as_deref(),
        })
        .collect();
    if entries.is_empty() {
        return true;
    }
    // Unwind safety: nothing is changed here before the sink has answered.
    let kept = match catch_unwind(AssertUnwindSafe(|| sink.append(&entries))) {
        Ok(Ok(kept)) => kept,
        Ok(Err(_)) => return false,
        Err(payload) => {
            // A payload may panic when it is dropped.
            std::mem::forget(payload);
            return false;
        }
    };
    let taken = kept.records().min(batch.len());
    let last = batch.drain(..taken).next_back();
    match last {
        // A sink that keeps records later still reports on its own.
        Some(last) if kept.is_durable() => durable.reached(last.seq),
        Some(_) => {}
        None => return false,
    }
    true
}

impl std::fmt::Debug for ThreadedSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.work.waiting.lock().records.len();
        f.debug_struct("ThreadedSink").field("waiting", &waiting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::parked::Parked;
    use super::*;
    use crate::audit::MemoryLog;

    /// A record that is waiting when the broker is gone is written still.
    #[test]
    fn what_waits_is_written_before_the_thread_ends() {
        let (log, work) = (MemoryLog::new(), Work::default());
        let records = (1..=3).map(|seq| Owned {
            first: seq,
            seq,
            gives_access: false,
            tag: ChainTag::from_bytes([9; 32]),
            line: format!("line {seq}").into(),
            plain: None,
        });
        *work.waiting.lock() = Waiting { records: records.collect(), last: Some(3), ended: true };
        work.write(&log, &Durable::new(Arc::new(Parked::default())));
        assert_eq!(log.snapshot().entries().count(), 3);
    }
}
