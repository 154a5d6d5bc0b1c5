//! What an end found.

/// What an end found: which calls were running and will have their outcome recorded later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The numbers, in the log, of the permits whose calls were running.
    pub running: Vec<u64>,
}
