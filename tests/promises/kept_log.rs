//! A log in memory that outlives its broker, as a file does.

use std::sync::{Arc, Mutex};

use hallpass::audit::{ChainTag, Entry, Kept, Record, Sink, SinkError, Tail};

/// All lines. Clones share one log.
#[derive(Clone, Default)]
pub(crate) struct KeptLog(Arc<Mutex<Vec<Line>>>);

/// A record's line, its tag, and the line next to it.
struct Line {
    seq: u64,
    line: String,
    tag: ChainTag,
    plain: Option<String>,
}

impl Sink for KeptLog {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        let lines = self.0.lock().unwrap();
        let Some(Line { line, tag, .. }) = lines.last() else { return Ok(None) };
        let before = lines.len().checked_sub(2).map(|at| lines[at].tag);
        Ok(Some(Tail { before, line: line.clone(), tag: *tag, used: 0 }))
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let mut lines = self.0.lock().unwrap();
        for entry in batch {
            assert_eq!(entry.first, lines.last().map_or(0, |last| last.seq) + 1);
            let plain = entry.plain.map(str::to_owned);
            let seq = entry.seq;
            lines.push(Line { seq, line: entry.line.to_owned(), tag: *entry.tag, plain });
        }
        Ok(Kept::now(batch.len()))
    }
}

impl KeptLog {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn lines(&self) -> Vec<(String, ChainTag)> {
        let lines = self.0.lock().unwrap();
        lines.iter().map(|own| (own.line.clone(), own.tag)).collect()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let lines = self.0.lock().unwrap();
        lines.iter().map(|own| Record::from_line(&own.line).unwrap()).collect()
    }

    /// Each record and the line next to it.
    pub(crate) fn with_plain(&self) -> Vec<(Record, Option<String>)> {
        let lines = self.0.lock().unwrap();
        lines.iter().map(|own| (Record::from_line(&own.line).unwrap(), own.plain.clone())).collect()
    }
}
