//! A log in memory that outlives its broker, as a file does.

use std::sync::{Arc, Mutex};

use hallpass::audit::{ChainTag, Entry, Kept, Record, Sink, SinkError, Tail};

/// Lines and their tags. Clones share one log.
#[derive(Clone, Default)]
pub(crate) struct KeptLog(Arc<Mutex<Vec<(String, ChainTag)>>>);

impl Sink for KeptLog {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        let lines = self.0.lock().unwrap();
        let Some((line, tag)) = lines.last() else { return Ok(None) };
        let before = lines.len().checked_sub(2).map(|at| lines[at].1);
        Ok(Some(Tail { before, line: line.clone(), tag: *tag, used: 0 }))
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let mut lines = self.0.lock().unwrap();
        for entry in batch {
            assert_eq!((entry.first, entry.seq), (lines.len() as u64 + 1, entry.first));
            lines.push((entry.line.to_owned(), *entry.tag));
        }
        Ok(Kept::now(batch.len()))
    }
}

impl KeptLog {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn lines(&self) -> Vec<(String, ChainTag)> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let lines = self.0.lock().unwrap();
        lines.iter().map(|(line, _)| Record::from_line(line).unwrap()).collect()
    }
}
