//! What a permitted call gave.

use crate::denial::Denial;

/// What a permitted call gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<T> {
    /// What the tool returned.
    pub value: T,
    /// The number, in the log, of the permit.
    pub permit: u64,
}

/// Why [`Permit::run`](crate::Permit::run) gave no receipt.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The call never started: what was permitted is no longer.
    #[error(transparent)]
    Denied(Denial),
    /// The tool ran and failed.
    #[error("the tool failed: {0}")]
    Tool(E),
}
