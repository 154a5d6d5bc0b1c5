//! A permit handed out, until its outcome is known.

use super::approval::Approval;
use crate::clock::Timestamp;
use crate::grant::{GrantId, Reservation};
use crate::identity::Identity;
use crate::tool::ToolName;

/// A permit handed out, until its outcome is known.
pub(crate) struct OpenPermit {
    /// The number of its record.
    pub(crate) seq: u64,
    pub(crate) grant: GrantId,
    /// Of the token that was presented: once the grant is renewed, a call no longer starts on it.
    pub(crate) serial: u32,
    /// Who presented the token.
    pub(crate) caller: Identity,
    pub(crate) tool: ToolName,
    /// The log has its record. Until then it may be withdrawn, and then it has no outcome.
    pub(crate) recorded: bool,
    pub(crate) running: bool,
    /// How many notes it brought that the task did not have.
    pub(crate) noted: u64,
    /// Unstarted, it is worth nothing from here on.
    pub(crate) lapses: Timestamp,
    pub(crate) reservation: Reservation,
    /// What it was redeemed by.
    pub(crate) approval: Option<Box<Approval>>,
}
