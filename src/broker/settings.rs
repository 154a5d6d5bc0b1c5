//! What was set when the broker was built.

use std::time::Duration;

/// Lifetimes and bounds that no policy can exceed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) default_ttl: Duration,
    pub(crate) ceiling: Duration,
    pub(crate) permit_ttl: Duration,
    pub(crate) presentation_window: Duration,
    pub(crate) max_grants_per_task: usize,
    pub(crate) max_permits: usize,
    /// How long, and how often, breaking the glass gives something.
    pub(crate) break_glass_ttl: Duration,
    pub(crate) break_glass_uses: u64,
    pub(crate) questions_per_task: usize,
    pub(crate) questions_per_identity: usize,
    /// How long a call waits for another one that mints what both run with.
    pub(crate) credential_wait: Duration,
    /// How long a thread waits for the log.
    pub(crate) log_timeout: Duration,
}
