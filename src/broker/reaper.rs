//! The reaper: a thread that sweeps, for hosts that ask for one.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Broker;

/// How many tasks the reaper looks at before it lets others have the table.
const STEP: usize = 256;

/// A thread that sweeps, until this is dropped.
#[must_use = "the reaper stops when this is dropped"]
#[derive(Debug)]
pub struct Reaper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a thread that sweeps the whole table once in each `interval`, in short steps. Off unless
    /// asked for.
    ///
    /// # Errors
    /// What the system says if it gives no thread.
    pub fn start_reaper(&self, interval: Duration) -> std::io::Result<Reaper> {
        let (stop, stopped) = channel();
        let shared = Arc::downgrade(&self.shared);
        let thread =
            std::thread::Builder::new().name("hallpass-reaper".into()).spawn(move || {
                while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    let Some(shared) = shared.upgrade() else { return };
                    let mut left = shared.table.len().max(shared.spanning.identities());
                    while left > 0 || shared.has_remains() {
                        shared.sweep(STEP.min(left));
                        left = left.saturating_sub(STEP);
                    }
                }
            })?;
        Ok(Reaper { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A reaper that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}
