//! A log in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChainTag, Entry, Kept, Record, Sink, SinkError, Tail};
use crate::sync::{Apart, Mutex, own_part, parts};

/// Text is kept in blocks of this many bytes, so that growing never copies what is there.
const BLOCK: usize = 1 << 20;

/// How many lines are listed together, for the same reason.
const PAGE: usize = 8192;

/// A snapshot copies this many bytes of text, and this many lines of a page, where it would have to
/// close a block or a page that holds no more: a log that is looked at after every record would
/// otherwise be all blocks.
const FEW_BYTES: usize = 16 * 1024;
const FEW_LINES: usize = 64;

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
    /// The last number kept.
    last: u64,
    kept: Records,
    /// The lines after those that a snapshot shares.
    page: Vec<Line>,
    /// The lines next to those records that have one. Apart from what snapshots share, so that it can be erased.
    plain: BTreeMap<u64, Box<str>>,
}

/// Lines in the order of the sequence, and their text in the order in which each part wrote it.
#[derive(Clone, Debug, Default)]
struct Records {
    len: usize,
    pages: Vec<Arc<Vec<Line>>>,
    blocks: Vec<Apart<Block>>,
    /// Where one record stands for several numbers: its index, and the first and last of them.
    sums: Arc<Vec<(usize, u64, u64)>>,
}

/// Text of one thread. What a snapshot shares is never written to again.
#[derive(Debug)]
enum Block {
    Filling(String),
    Shared(Arc<String>),
}

impl Block {
    fn text(&self) -> &str {
        match self {
            Block::Filling(text) => text,
            Block::Shared(text) => text,
        }
    }

    fn len_if_filling(&self) -> Option<usize> {
        match self {
            Block::Filling(text) => Some(text.len()),
            Block::Shared(_) => None,
        }
    }

    /// Shares the text; whether it is closed now. A few records are cheaper to copy.
    fn share(&mut self) -> bool {
        if let Block::Filling(text) = self
            && text.len() > FEW_BYTES
        {
            *self = Block::Shared(Arc::new(std::mem::take(text)));
        }
        matches!(self, Block::Shared(_))
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        Block::Shared(match self {
            Block::Filling(text) => Arc::new(text.clone()),
            Block::Shared(text) => text.clone(),
        })
    }
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

    /// What it holds now; later records do not show in it. It shares the text with the log: taking it
    /// copies no record, so it holds a writer up no longer with a million of them.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { kept: self.state.lock().share() }
    }

    /// The line next to the record of this number, which has the values that the record commits to: what
    /// [`Plain::open`](super::Plain::open) takes.
    #[must_use]
    pub fn plain_line(&self, seq: u64) -> Option<String> {
        self.state.lock().plain.get(&seq).map(|line| line.to_string())
    }

    /// Erases the values of all records up to this number. The records stay as they are, and verify.
    pub fn erase_plain(&self, through: u64) {
        let mut state = self.state.lock();
        state.plain = match through.checked_add(1) {
            Some(next) => state.plain.split_off(&next),
            None => BTreeMap::new(),
        };
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

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let state = &mut *self.state.lock();
        for (kept, entry) in batch.iter().enumerate() {
            match state.push(entry) {
                Ok(()) => {}
                Err(error) if kept == 0 => return Err(error),
                Err(_) => return Ok(Kept::now(kept)),
            }
        }
        Ok(Kept::now(batch.len()))
    }
}

impl State {
    fn push(&mut self, entry: &Entry<'_>) -> Result<(), SinkError> {
        if !entry.follows(self.last) {
            return Err(SinkError::new("the record does not follow the last one"));
        }
        if self.limit.is_some_and(|limit| self.kept.len >= limit) {
            return Err(SinkError::new("the log is full"));
        }
        let filled = self.filled.get_mut(own_part() % PARTS);
        let line = self.kept.keep_text(entry, filled.unwrap_or(&mut None))?;
        if entry.first != entry.seq {
            let sum = (self.kept.len, entry.first, entry.seq);
            Arc::make_mut(&mut self.kept.sums).push(sum);
        }
        if self.page.len() == PAGE {
            let full = std::mem::replace(&mut self.page, Vec::with_capacity(PAGE));
            self.kept.pages.push(Arc::new(full));
        }
        if let Some(plain) = entry.plain {
            self.plain.insert(entry.seq, plain.into());
        }
        self.page.push(line);
        self.kept.len += 1;
        self.last = entry.seq;
        Ok(())
    }

    /// Closes the page and the blocks that are being filled, and shares them with a snapshot.
    fn share(&mut self) -> Records {
        for filled in &mut self.filled {
            let block = filled.and_then(|block| self.kept.blocks.get_mut(block as usize));
            if block.is_some_and(|block| block.0.share()) {
                *filled = None;
            }
        }
        if self.page.len() > FEW_LINES {
            self.kept.pages.push(Arc::new(std::mem::take(&mut self.page)));
        }
        let mut kept = self.kept.clone();
        if !self.page.is_empty() {
            kept.pages.push(Arc::new(self.page.clone()));
        }
        kept
    }
}

impl Records {
    /// Keeps the text in the block that is being filled, or in the next one.
    fn keep_text(
        &mut self,
        entry: &Entry<'_>,
        filled: &mut Option<u32>,
    ) -> Result<Line, SinkError> {
        let too_long = |_| SinkError::new("the record is too long");
        let length = u32::try_from(entry.line.len()).map_err(too_long)?;
        let before = filled.and_then(|block| self.blocks.get(block as usize));
        let has_room = before
            .and_then(|block| block.0.len_if_filling())
            .map(|len| len + entry.line.len() <= BLOCK);
        let block = match (*filled, has_room) {
            (Some(block), Some(true)) => block,
            _ => {
                let next = u32::try_from(self.blocks.len()).map_err(too_long)?;
                let full = filled.and_then(|block| self.blocks.get_mut(block as usize));
                full.map(|block| block.0.share());
                // The first block after a snapshot grows as it needs to, so that a log that is looked
                // at often stays small.
                let room = if has_room.is_some() { BLOCK } else { 0 };
                self.blocks.push(Apart(Block::Filling(String::with_capacity(room))));
                *filled = Some(next);
                next
            }
        };
        let Some(Apart(Block::Filling(text))) = self.blocks.get_mut(block as usize) else {
            return Err(SinkError::new("the log has lost a block"));
        };
        // Within a block, or at its start where the line is longer than one.
        let start = u32::try_from(text.len()).map_err(too_long)?;
        text.push_str(entry.line);
        Ok(Line { block, start, end: start + length, tag: *entry.tag })
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &ChainTag)> {
        self.pages.iter().flat_map(|page| page.iter()).map(|line| {
            let text = self.blocks.get(line.block as usize);
            let range = line.start as usize..line.end as usize;
            (text.and_then(|text| text.0.text().get(range)).unwrap_or_default(), &line.tag)
        })
    }
}
/// What a [`MemoryLog`] held at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    kept: Records,
}

impl Snapshot {
    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut sums = self.kept.sums.iter().copied().peekable();
        let mut last = 0;
        self.kept.lines().enumerate().map(move |(index, (line, tag))| {
            let sum = sums.next_if(|(at, ..)| *at == index);
            let (first, seq) = sum.map_or((last + 1, last + 1), |(_, first, seq)| (first, seq));
            last = seq;
            Entry { first, seq, gives_access: false, tag, line, plain: None }
        })
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
mod tests;
