//! What the alias of a grant stands for.

use std::rc::Rc;

use crate::Grant;
use crate::identity::Identity;
use crate::token::Token;

use super::answer::Refusal;

/// What the alias of a grant stands for.
pub(crate) enum Holding {
    /// Kept when the grant ends: presenting it again is what a trace may want to try.
    Granted(Box<Granted>),
    /// Text that was made of a grant's token without asking the broker: attenuated, or bound to one call.
    Offline(Box<Offline>),
    /// It was never granted: what uses it is refused for this reason.
    Refused(Refusal),
}

pub(crate) struct Granted {
    pub(super) holder: Identity,
    pub(super) grant: Grant,
    pub(super) of: Opening,
}

pub(crate) struct Offline {
    pub(super) holder: Identity,
    pub(super) token: Token,
    pub(super) of: Opening,
}

/// One opening of a task, for a name may be opened again.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(super) task: Rc<str>,
    pub(super) generation: u64,
}
