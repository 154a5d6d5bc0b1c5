//! The handle of the threads that sweep and tend.

use std::sync::mpsc::Sender;

/// A thread that sweeps, and writes what the log is owed, until this is dropped; and where there are
/// [providers](crate::BrokerBuilder::provider) another one, which withdraws what they minted, so that one that hangs holds
/// up neither sweeping nor the log.
///
/// Dropping it waits for nothing: each thread finishes the step it is in, which may be a sink or a provider that
/// hangs, and ends.
#[must_use = "the reaper stops when this is dropped"]
#[derive(Debug)]
pub struct Reaper {
    pub(super) _stop: Vec<Sender<()>>,
}
