//! How long things are waited for: on the thread, or as a future.

/// Whether a call may wait on its thread, or has to let it go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    OnThread,
    AsFuture,
}
