//! What a journal leaves behind unwritten when it is dropped.

use std::sync::Arc;

use super::inside::guarded;
use super::rendered::Rendered;
use super::{Entry, Journal};

/// Gets the records that a broker leaves behind unwritten, with the tags that the chain gives them.
pub(crate) type UnwrittenHook = dyn Fn(&[Entry<'_>]) + Send + Sync;

impl Journal {
    /// Hands what is left unwritten when this is dropped to a hook of the host.
    pub(crate) fn hand_unwritten_to(&mut self, hook: Arc<UnwrittenHook>) {
        self.on_unwritten = Some(hook);
    }
}

impl Drop for Journal {
    /// Calls no sink: hands what is owed to the host's hook. In the child of a fork, nothing is: it is the parent's.
    fn drop(&mut self) {
        if !self.home.is_current_for_sure() {
            return;
        }
        self.sum_up();
        self.parked.end(self.last_seq());
        let Some(hook) = self.on_unwritten.take() else { return };
        let owed = self.queue.lock().drain();
        if owed.is_empty() {
            return;
        }
        let key = &self.writer.lock().key;
        Rendered::lend(&owed, self.progress.tip.held(), key, |rendered| {
            // A hook's panic must not meet another one: this may be dropped while unwinding.
            let _ = guarded(|| {
                rendered.entries(0, |entries| hook(entries));
                Ok(())
            });
        });
    }
}
