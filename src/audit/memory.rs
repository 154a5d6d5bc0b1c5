//! A log in memory.

use std::sync::Arc;

use super::{Anchor, ChainTag, Entry, Record, Sink, SinkError};
use crate::sync::Mutex;

/// Lines are kept in blocks of this many bytes, so that growing never copies what is there.
const BLOCK: usize = 1 << 20;

/// About as long are the lines that calls write: 130 bytes for an outcome, 300 for a permit.
const USUAL_LINE: usize = 200;

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
    len: usize,
    blocks: Vec<Block>,
}

/// Lines one after the other, and where each ends, with its tag.
#[derive(Clone, Debug, Default)]
struct Block {
    text: String,
    ends: Vec<(usize, ChainTag)>,
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
        self.state.lock().len
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of what it holds now; later records do not show in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { blocks: self.state.lock().blocks.clone() }
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
    fn open(&self) -> Result<Option<Anchor>, SinkError> {
        let mut state = self.state.lock();
        if state.claimed {
            return Err(SinkError::new("the log has a writer already"));
        }
        state.claimed = true;
        Ok(None)
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
        let mut state = self.state.lock();
        if entry.seq != state.len as u64 + 1 {
            return Err(SinkError::new("the record does not follow the last one"));
        }
        if state.limit.is_some_and(|limit| state.len >= limit) {
            return Err(SinkError::new("the log is full"));
        }
        let has_room = |block: &Block| block.text.len() + entry.line.len() <= BLOCK;
        if !state.blocks.last().is_some_and(has_room) {
            // The first block grows as it needs to, so that a small log stays small.
            let block = if state.blocks.is_empty() { Block::default() } else { Block::whole() };
            state.blocks.push(block);
        }
        if let Some(block) = state.blocks.last_mut() {
            block.text.push_str(entry.line);
            block.ends.push((block.text.len(), *entry.tag));
        }
        state.len += 1;
        Ok(())
    }
}

/// What a [`MemoryLog`] held at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    blocks: Vec<Block>,
}

impl Snapshot {
    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (1..).zip(self.blocks.iter().flat_map(Block::lines)).map(|(seq, (line, tag))| Entry {
            seq,
            tag,
            line,
        })
    }

    /// Its records, read back.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        // Only a broker writes here, and it reads back what it writes; `verify` names a line that
        // cannot be read, so leaving it out hides nothing.
        self.entries().filter_map(|entry| serde_json::from_str(entry.line).ok()).collect()
    }
}

impl Block {
    /// With all its room from the start, so that growing copies nothing.
    fn whole() -> Self {
        let ends = Vec::with_capacity(BLOCK / USUAL_LINE);
        Block { text: String::with_capacity(BLOCK), ends }
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &ChainTag)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        let lines = starts.zip(&self.ends);
        lines.map(|(start, (end, tag))| (self.text.get(start..*end).unwrap_or(""), tag))
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
}
