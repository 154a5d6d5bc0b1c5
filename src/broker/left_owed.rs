//! What a broker that is dropped owes outside.

use super::shared::Shared;
use crate::contained::contained;

impl Drop for Shared {
    /// Calls no provider: hands what is owed to the host's hook. Every task holds its broker, so that all have ended
    /// by now. In the child of a fork, the parent owes it.
    fn drop(&mut self) {
        if self.is_forked() {
            return;
        }
        let Some(downstream) = &self.downstream else { return };
        let owed = downstream.obligations();
        if let Some(hook) = downstream.on_owed.as_ref().filter(|_| !owed.is_empty()) {
            contained(|| hook(&owed));
        }
    }
}
