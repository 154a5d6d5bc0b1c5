//! What the holder of a grant presents.

use crate::token::Token;

/// The tokens of a grant.
pub(super) struct Tokens {
    /// For the gate, which finds the scope in its table.
    pub(super) gate: Token,
    /// For verifiers, by audience: the scope is in each.
    pub(super) verifiers: Vec<(Box<str>, Token)>,
}
