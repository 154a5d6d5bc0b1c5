//! Random bytes from the operating system: the one place that asks for them.

use ring::rand::{SecureRandom, SystemRandom};

/// The operating system gave no random bytes, so nothing that must be unguessable can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
#[non_exhaustive]
pub struct RandomError;

/// Fills `bytes` with randomness fit for keys.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom::new().fill(bytes).map_err(|_| RandomError)
}
