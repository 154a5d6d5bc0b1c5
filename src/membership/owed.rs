//! What took effect at one node and concerns all.

use crate::clock::Timestamp;
use crate::task::Halt;

/// What was stopped at this node, for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwedAct {
    /// A halt: of an operator, of a tripwire, of a secret in a result.
    Halt {
        what: Halt,
        /// When it lapses by itself, if it does.
        until: Option<Timestamp>,
    },
    RevokeIdentity(Box<str>),
    RevokeTool(Box<str>),
}
