//! What the alias of a question stands for.

use crate::Call;
use crate::broker::Pending;
use crate::identity::Identity;

use super::answer::Refusal;

/// What the alias of a question stands for.
pub(crate) enum Asked {
    Parked(Box<Parked>),
    /// Nothing was asked: what uses it is refused for this reason.
    Refused(Refusal),
}

pub(crate) struct Parked {
    pub(super) pending: Pending,
    /// Who asked, in which opening of a task, with which call.
    pub(super) holder: Identity,
    pub(super) generation: u64,
    /// Nothing, where it is a scope.
    pub(super) call: Option<Call>,
}
