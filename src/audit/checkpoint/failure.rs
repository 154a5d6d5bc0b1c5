//! Why no checkpoint was made.

use std::io;

use super::{CheckpointError, SignerError};

/// Why no checkpoint was made. The log goes on; the next checkpoint covers what this one would have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFailure {
    /// The log was opened without a signer.
    #[error("the log has no signer, expected one given with `checkpoints` before it is opened")]
    NoSigner,
    /// There is nothing to sign.
    #[error("the log has no record yet, expected a broker that writes to it")]
    Empty,
    /// The disk failed, or the log's files were changed by another process.
    #[error("the log can't be read back or synced: {0}")]
    Io(#[from] io::Error),
    /// A signature of a witness is not what it says it is.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The signer did not sign.
    #[error("the signer did not sign: {0}")]
    Signer(#[from] SignerError),
}
