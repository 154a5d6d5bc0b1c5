//! A log in memory.

use std::sync::Arc;

use super::{ChainTag, Entry, Record, Sink, SinkError, Tail};
use crate::sync::{Apart, Mutex, own_part, parts};

/// Text is kept in blocks of this many bytes, so that growing never copies what is there.
const BLOCK: usize = 1 << 20;

/// So many lines are listed together, for the same reason.
const PAGE: usize = 8192;

/// In how many parts threads are, each of which fills blocks of its own: threads that write in turn
/// would otherwise take the end of the text from each other with every record.
const PARTS: usize = parts(16);

/// A [`Sink`] that keeps every record in memory. Clones share one log.
///
/// It takes one writer in its life and forgets nothing, so it grows with every record; with a
/// [limit](Self::with_limit) it refuses once full, and what needs a record is denied from then on.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    claimed: bool,
    limit: Option<usize>,
    /// For each part the block that it fills, if it has one.
    filled: [Option<u32>; PARTS],
    kept: Kept,
}

/// Lines in the order of the sequence, and their text in the order in which each part wrote it.
#[derive(Clone, Debug, Default)]
struct Kept {
    len: usize,
    /// The last lines, and all before them.
    page: Vec<Line>,
    pages: Vec<Vec<Line>>,
    blocks: Vec<Apart<String>>,
}

/// Where a line's text is, and its tag.
#[derive(Clone, Copy, Debug)]
struct Line {
    block: u32,
    start: u32,
    end: u32,
    tag: ChainTag,
}

impl MemoryLog {
    /// An empty log without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty log that refuses once it holds `records`; 0 refuses from the start.
    #[must_use]
    pub fn with_limit(records: usize) -> Self {
        let state = State { limit: Some(records), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().kept.len
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of what it holds now; later records do not show in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { kept: self.state.lock().kept.clone() }
    }

    /// Its lines, copied.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.snapshot().entries().map(|entry| entry.line.to_owned()).collect()
    }

    /// Its records, read back.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.snapshot().records()
    }
}

impl Sink for MemoryLog {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        let mut state = self.state.lock();
        if state.claimed {
            return Err(SinkError::new("the log has a writer already"));
        }
        state.claimed = true;
        Ok(None)
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
        let state = &mut *self.state.lock();
        if entry.seq != state.kept.len as u64 + 1 {
            return Err(SinkError::new("the record does not follow the last one"));
        }
        if state.limit.is_some_and(|limit| state.kept.len >= limit) {
            return Err(SinkError::new("the log is full"));
        }
        let filled = state.filled.get_mut(own_part() % PARTS);
        state.kept.push(entry, filled.unwrap_or(&mut None))
    }
}

impl Kept {
    /// Keeps one record in the block that is being filled, or in the next one.
    fn push(&mut self, entry: &Entry<'_>, filled: &mut Option<u32>) -> Result<(), SinkError> {
        let too_long = |_| SinkError::new("the record is too long");
        let length = u32::try_from(entry.line.len()).map_err(too_long)?;
        let room = filled.and_then(|block| self.blocks.get(block as usize));
        let block = match *filled {
            Some(block) if room.is_some_and(|text| text.len() + entry.line.len() <= BLOCK) => block,
            before => {
                let next = u32::try_from(self.blocks.len()).map_err(too_long)?;
                // A part's first block grows as it needs to, so that a small log stays small.
                let room = if before.is_some() { BLOCK } else { 0 };
                self.blocks.push(Apart(String::with_capacity(room)));
                *filled = Some(next);
                next
            }
        };
        let Some(text) = self.blocks.get_mut(block as usize) else {
            return Err(SinkError::new("the log has lost a block"));
        };
        // Within a block, or at its start where the line is longer than one.
        let start = u32::try_from(text.len()).map_err(too_long)?;
        text.0.push_str(entry.line);
        if self.page.len() == PAGE {
            self.pages.push(std::mem::replace(&mut self.page, Vec::with_capacity(PAGE)));
        }
        self.page.push(Line { block, start, end: start + length, tag: *entry.tag });
        self.len += 1;
        Ok(())
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &ChainTag)> {
        self.pages.iter().flatten().chain(&self.page).map(|line| {
            let text = self.blocks.get(line.block as usize);
            let range = line.start as usize..line.end as usize;
            (text.and_then(|text| text.get(range)).unwrap_or_default(), &line.tag)
        })
    }
}

/// What a [`MemoryLog`] held at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    kept: Kept,
}

impl Snapshot {
    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (1..).zip(self.kept.lines()).map(|(seq, (line, tag))| Entry { seq, tag, line })
    }

    /// Its records, read back.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        // Only a broker writes here, and it reads back what it writes; `verify` names a line that
        // cannot be read, so leaving it out hides nothing.
        self.entries().filter_map(|entry| Record::from_line(entry.line).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: ChainTag = ChainTag::from_bytes([0; 32]);

    fn entry(seq: u64, line: &str) -> Entry<'_> {
        Entry { seq, tag: &TAG, line }
    }

    /// attack 136
    #[test]
    fn a_second_writer_is_refused() {
        let log = MemoryLog::new();
        assert_eq!(log.open(), Ok(None));
        assert!(log.clone().open().is_err());
    }

    /// attack 136, attack 133: whoever writes without a claim cannot repeat or skip a number
    #[test]
    fn a_record_that_does_not_follow_the_last_is_refused() {
        let log = MemoryLog::new();
        assert!(log.append(&entry(0, "{}")).is_err());
        assert!(log.append(&entry(2, "{}")).is_err());
        log.append(&entry(1, "{}")).unwrap();
        assert!(log.append(&entry(1, "{}")).is_err());
        assert!(log.append(&entry(3, "{}")).is_err());
        assert_eq!(log.len(), 1);
    }

    /// attack 135
    #[test]
    fn a_full_log_refuses_and_forgets_nothing() {
        let log = MemoryLog::with_limit(1);
        log.append(&entry(1, "a")).unwrap();
        assert!(log.append(&entry(2, "b")).is_err());
        assert_eq!(log.lines(), ["a"]);
        assert!(MemoryLog::with_limit(0).append(&entry(1, "a")).is_err());
    }

    /// attack 137
    #[test]
    fn a_snapshot_is_a_copy() {
        let log = MemoryLog::new();
        log.append(&entry(1, "a")).unwrap();
        let before = log.snapshot();
        log.append(&entry(2, "b")).unwrap();
        assert_eq!(before.entries().count(), 1);
        assert_eq!(log.snapshot().entries().count(), 2);
    }

    /// attack 133
    #[test]
    fn lines_of_any_length_come_back_in_order() {
        let log = MemoryLog::new();
        let lines: Vec<String> = [0, 1, BLOCK, BLOCK + 1, 3, BLOCK - 3, 0, 700_000, 700_000]
            .map(|n| "x".repeat(n))
            .into();
        for (seq, line) in (1..).zip(&lines) {
            log.append(&entry(seq, line)).unwrap();
        }
        assert_eq!(log.lines(), lines);
        let numbers: Vec<u64> = log.snapshot().entries().map(|entry| entry.seq).collect();
        assert_eq!(numbers, (1..=9).collect::<Vec<_>>());
    }

    /// attack 133: each thread has text of its own, and the order is one for all
    #[test]
    fn lines_of_threads_that_take_turns_come_back_in_order() {
        let log = MemoryLog::new();
        let lines: Vec<String> = (0..3 * PAGE).map(|n| format!("{n:0>60}")).collect();
        let turn = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for own in 0..2 {
                let (log, lines, turn) = (&log, &lines, &turn);
                scope.spawn(move || {
                    for (round, some) in lines.chunks(1000).enumerate() {
                        for (line, at) in some.iter().zip(round * 1000 + 1..) {
                            if round % 2 == own {
                                log.append(&entry(at as u64, line)).unwrap();
                            }
                        }
                        turn.wait();
                    }
                });
            }
        });
        assert_eq!(log.lines(), lines);
        assert!(log.state.lock().kept.blocks.len() > 1);
    }
}
