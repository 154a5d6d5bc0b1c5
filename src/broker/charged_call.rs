//! A call that has been charged in counters that the nodes of a fleet share, before it is judged again.

use std::sync::Arc;

use crate::grant::{SharedCharge, SharedDemand};

/// What a call has been charged, and for which limits.
pub(super) struct ChargedCall {
    pub(super) demand: Box<SharedDemand>,
    pub(super) charge: Arc<SharedCharge>,
}
