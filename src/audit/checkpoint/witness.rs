//! Asking a witness to look at a checkpoint (C2SP `tlog-witness`).

use std::fmt::Write;
use std::sync::Arc;

use super::SignedCheckpoint;
use crate::audit::TreeHash;

/// Somebody who looks at checkpoints of a log, and signs those that extend the ones it has seen: so that the log's
/// owner can't show different logs to different people.
///
/// The crate speaks no HTTP: a host posts `body` to the witness's `add-checkpoint`, with its own client and its own
/// time limit, and hands back what came. No lock is held meanwhile.
pub trait Witness: Send + Sync {
    /// What its key is called, in the policy and in its signatures.
    fn name(&self) -> &str;

    /// Sends the body of a request, and waits for the reply.
    ///
    /// # Errors
    /// Why there is no reply.
    fn add_checkpoint(&self, body: &str) -> Result<WitnessReply, WitnessError>;
}

/// What a witness replied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessReply {
    /// The status code of HTTP: 200 with signatures, 409 with the size that it has seen.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Why a witness gave no reply, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct WitnessError {
    reason: Arc<str>,
}

impl WitnessError {
    /// An error with this reason.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        WitnessError { reason: reason.into() }
    }
}

/// The body of a request: what the witness has seen, what shows that the checkpoint extends it, and the checkpoint.
pub(in crate::audit) fn request(
    old: u64,
    proof: &[TreeHash],
    checkpoint: &SignedCheckpoint,
) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        // Writing to a text does not fail.
        let _ = writeln!(body, "{hash}");
    }
    let _ = write!(body, "\n{checkpoint}");
    body
}
