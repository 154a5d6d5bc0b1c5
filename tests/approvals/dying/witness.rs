//! The world outside: what the tool was called with, and what it had done as each record was kept.

use std::sync::{Arc, Mutex};

use hallpass::Running;
use hallpass::audit::{Entry, Kept, MemoryLog, Sink, SinkError, Tail};
use hallpass::prelude::*;
use hallpass::testing::FailingSink;

use crate::office::Office;

/// What was really done, which no one who dies takes back.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// The arguments of each run.
    runs: Vec<String>,
    /// Of each record that was kept, whether the tool had run by then.
    at_record: Vec<bool>,
    /// Whether the sink panics when it is called next.
    sink_panics: bool,
}

impl Witness {
    /// The tool: from here on it has run.
    pub(super) fn pays(&self, running: &Running) {
        self.0.lock().unwrap().runs.push(running.args().to_json());
    }

    pub(super) fn runs(&self) -> Vec<String> {
        self.0.lock().unwrap().runs.clone()
    }

    pub(super) fn seen(&self) -> Vec<bool> {
        self.0.lock().unwrap().at_record.clone()
    }

    /// Has the sink panic when it is called next, in silence.
    pub(super) fn panic_next(&self) {
        self.0.lock().unwrap().sink_panics = true;
    }

    fn panics(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap().sink_panics)
    }

    fn note_kept(&self, records: usize) {
        let mut seen = self.0.lock().unwrap();
        let ran = !seen.runs.is_empty();
        seen.at_record.extend(std::iter::repeat_n(ran, records));
    }
}

/// A sink that is watched: it keeps what the one inside keeps.
struct Watched {
    sink: FailingSink<MemoryLog>,
    witness: Witness,
}

impl Sink for Watched {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.sink.open()
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        if self.witness.panics() {
            std::panic::resume_unwind(Box::new("the sink died"));
        }
        let kept = self.sink.append(batch)?;
        self.witness.note_kept(kept.records());
        Ok(kept)
    }
}

/// An office whose log is watched.
pub(super) fn watched(policy: Policy, witness: &Witness) -> Office {
    let witness = witness.clone();
    Office::over(policy, |sink| Watched { sink, witness })
}
