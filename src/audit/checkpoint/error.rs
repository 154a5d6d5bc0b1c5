//! Why a checkpoint, or a key of one, is not believed.

/// Why a checkpoint, or a key of one, is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is not a signed note.
    #[error("not a signed note: {0}")]
    NotANote(&'static str),
    /// The note does not say what a checkpoint says.
    #[error("not a checkpoint: {0}")]
    NotACheckpoint(&'static str),
    /// The text is not a key.
    #[error("not a verifier key: {0}")]
    NotAKey(&'static str),
    /// The key is of a kind that is not checked here.
    #[error("not a verifier key: its kind is not known, expected Ed25519 (1) or a cosignature (4)")]
    UnknownKind,
    /// It is of another log.
    #[error("a checkpoint of `{found}`, expected one of `{expected}`")]
    Foreign {
        /// Which log it is of.
        found: String,
        /// Which one was expected.
        expected: String,
    },
    /// The key that was expected has not signed it.
    #[error("no signature of `{0}`")]
    Unsigned(String),
    /// A signature under a known key is not that of this text.
    #[error("the signature of `{0}` is not one of this text")]
    WrongSignature(String),
}
