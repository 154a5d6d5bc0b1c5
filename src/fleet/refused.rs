//! Why a policy is not offered to a fleet.

use crate::broker::ReloadError;
use crate::policy::PolicyError;

/// Why a reload does not become an act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It does not load.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// It can't be in force at this node.
    #[error(transparent)]
    Here(#[from] ReloadError),
    /// The text is too long for an entry.
    #[error("the policy is longer than the eight megabytes, as JSON, that an entry has room for")]
    TooLong,
}
