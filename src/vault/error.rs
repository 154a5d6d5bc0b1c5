//! What is refused before it is sealed.

use crate::random::RandomError;

/// The fewest bytes of a secret of which nothing is declared.
pub(super) const FEWEST: usize = 16;

/// The fewest bytes of one whose entropy is declared: as many as the scrubber looks at in one step. No fewer have
/// [`FEWEST_BITS`].
const FEWEST_DECLARED: usize = FEWEST_BITS as usize / 8;

/// The least entropy that can be declared: guessed right once in 2^64 results, a scrubber tells nothing.
pub(super) const FEWEST_BITS: u32 = 64;

/// The most bytes of a secret. The longest that hosts have are keys in PEM, of some thousand bytes; and the scrubber
/// keeps back several times as much of a stream.
pub(super) const MOST: usize = 16 * 1024;

/// Why bytes are not taken for a secret. Nothing of them is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// A short text is found in results that do not hold the secret, so scrubbing would destroy them, and
    /// would tell an agent that guesses when it guessed right.
    #[error(
        "the secret has {given} bytes, expected at least {FEWEST}: a longer one, or one whose entropy is \
         declared with `Secret::with_entropy`"
    )]
    TooShort {
        /// How many bytes it has.
        given: usize,
    },
    /// Too large for what the scrubber keeps back of a stream.
    #[error("the secret has {given} bytes, expected at most {MOST}")]
    TooLong {
        /// How many bytes it has.
        given: usize,
    },
    /// All bytes are the same: a buffer that was never filled.
    #[error("all bytes of the secret are the same: it was never filled in")]
    Uniform,
    /// A result can hold it in a type that has room for a number alone, and so none for what would stand in its place.
    #[error(
        "the secret is a number, expected text or bytes: a result of a numeric type that holds it could not be \
         scrubbed"
    )]
    Number,
    /// The declared entropy is too little to scrub by, or more than the bytes can have.
    #[error(
        "an entropy of {bits} bits in {given} bytes, expected at least {FEWEST_BITS} bits, at most 8 for each \
         byte, in at least {FEWEST_DECLARED} bytes"
    )]
    Entropy {
        /// How many bits were declared.
        bits: u32,
        /// How many bytes it has.
        given: usize,
    },
}

/// Why a secret was not sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The system gave no random bytes for a key or a nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// No name that a catalogue could say.
    #[error("`{0}` is not the name of a credential: expected 1 to 128 of `A-Z a-z 0-9 _ . : / -`")]
    Name(Box<str>),
    /// The cipher refused.
    #[error("the secret can't be sealed")]
    Cipher,
}
