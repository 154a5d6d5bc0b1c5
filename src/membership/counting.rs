//! Limits that nodes count together, as a broker asks about them.

use std::sync::Arc;

use crate::args::Args;
use crate::denial::Denial;
use crate::grant::{SharedCharge, SharedDemand};

/// What counts over all nodes of a fleet: it asks the fleet's store, and waits for the answer.
pub(crate) trait CountsShared: Send + Sync {
    /// Charges a call under every limit, or under none.
    ///
    /// # Errors
    /// The [`Denial`] of a limit, or [`LimitUnknown`](crate::denial::Reason::LimitUnknown).
    fn charge(&self, demand: &SharedDemand, args: &Args) -> Result<Arc<SharedCharge>, Denial>;

    /// Whether a call could be charged. Takes nothing.
    ///
    /// # Errors
    /// As [`charge`](Self::charge).
    fn probe(&self, demand: &SharedDemand, args: &Args) -> Result<(), Denial>;
}
