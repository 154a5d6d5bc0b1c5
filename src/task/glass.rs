//! What of a task was given where the glass was broken.

use crate::grant::GrantId;

/// The grants that breaking the glass gave, and the permits on them. Kept as long as the task is, so that each
/// record of them is marked, those after their end included. Few: uses are capped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glass {
    pub(super) grants: Vec<GrantId>,
    pub(super) permits: Vec<u64>,
}
