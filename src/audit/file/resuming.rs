//! Going on with a log on file: what it leaves goes to one broker, together with the right to write.
//!
//! Both are taken in one step. A broker that can't be built takes neither, so that the next one finds the log
//! as it was, with every halt.

use std::thread::{self, ThreadId};

use super::{FileLog, State};
use crate::audit::{Resumption, SinkError, Tail};

/// Who may write to a log that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// None yet.
    Free,
    /// The broker that is being built on this thread, if it claims the log; no other one meanwhile.
    Offered(ThreadId),
    /// That broker, which may still fail.
    Taken,
    /// A broker, for as long as the log is open.
    Kept,
}

/// A log that a broker is about to go on with. Unless that [keeps](Self::keep) it, it is handed back.
#[derive(Debug)]
pub(crate) struct Resuming {
    log: FileLog,
    resumption: Resumption,
    begins: bool,
}

impl State {
    /// Claims the log for a broker that is being built on this thread.
    pub(super) fn claim(&mut self) -> Result<Option<Tail>, SinkError> {
        self.claim = match self.claim {
            Claim::Offered(thread) if thread == thread::current().id() => Claim::Taken,
            Claim::Offered(_) | Claim::Taken | Claim::Kept => {
                return Err(SinkError::new("the log has a writer already"));
            }
            // Without what was going on, halts would be lifted.
            Claim::Free if self.tail.is_some() => {
                return Err(SinkError::new(
                    "the log has records, expected that the broker is built with `resume_from`",
                ));
            }
            Claim::Free => Claim::Kept,
        };
        Ok(self.tail.clone())
    }
}

impl FileLog {
    /// Refuses in the child of a fork, which would write to the same files.
    pub(super) fn check_process(&self) -> Result<(), SinkError> {
        match self.home.is_current_for_sure() {
            true => Ok(()),
            false => Err(SinkError::new(
                "the log was opened in the process that this one was forked from: open another here",
            )),
        }
    }

    /// Offers the log, with what was going on when it ended, to the broker that is being built on this thread.
    pub(crate) fn resume(&self) -> Result<Resuming, SinkError> {
        self.check_process()?;
        let mut state = self.state.lock();
        if state.claim != Claim::Free {
            return Err(SinkError::new(
                "the log was resumed from already, expected one broker for each opening",
            ));
        }
        state.claim = Claim::Offered(thread::current().id());
        let (resumption, begins) = (state.resumption.clone(), state.tail.is_none());
        drop(state);
        Ok(Resuming { log: self.clone(), resumption, begins })
    }
}

impl Resuming {
    /// What was going on when the log ended.
    pub(crate) fn resumption(&self) -> &Resumption {
        &self.resumption
    }

    /// Whether the log has no record.
    pub(crate) fn begins(&self) -> bool {
        self.begins
    }

    /// The broker is built: the log is its own.
    ///
    /// # Errors
    /// When its sink did not claim this very log: what goes on with the one would be written to the other.
    pub(crate) fn keep(mut self) -> Result<Resumption, SinkError> {
        let mut state = self.log.state.lock();
        if state.claim != Claim::Taken {
            return Err(SinkError::new(
                "the broker's sink did not claim the log that it resumes from, expected that log or a sink that \
                 wraps it",
            ));
        }
        state.claim = Claim::Kept;
        // They are as large as the log's last line, and all that was going on.
        state.tail = None;
        state.resumption = Resumption::default();
        drop(state);
        Ok(std::mem::take(&mut self.resumption))
    }
}

impl Drop for Resuming {
    fn drop(&mut self) {
        let mut state = self.log.state.lock();
        // It could not be claimed meanwhile, and nothing was written.
        if state.claim != Claim::Kept {
            state.claim = Claim::Free;
        }
    }
}
