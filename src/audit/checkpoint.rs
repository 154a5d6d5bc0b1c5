//! Checkpoints: signed statements of how many records a log has, and of the root of the tree over them.
//!
//! The chain of a log shows to who has its key that nothing was changed, and its owner can write another chain. A
//! checkpoint is checked with a public key, so that a stranger can do it, and one that was given away pins the log
//! down: its signer, too, can no longer show another one of that size. They are written as C2SP's `tlog-checkpoint`
//! says, as signed notes, which other people's tools read.

mod body;
mod cosignature;
mod error;
mod failure;
mod fault;
mod name;
mod note;
mod receipt;
mod signed;
mod signer;
mod verifier_key;
mod witness;
mod witness_policy;

pub use body::Checkpoint;
pub use error::CheckpointError;
pub use failure::CheckpointFailure;
pub use fault::CheckpointFault;
pub(super) use name::origin_of;
pub(super) use note::{Note, NoteSignature};
pub use receipt::{Receipt, ReceiptError};
pub use signed::SignedCheckpoint;
pub(super) use signer::SharedSigner;
pub use signer::{LogSigner, Signer, SignerError};
pub use verifier_key::VerifierKey;
pub(super) use witness::request as witness_request;
pub use witness::{Witness, WitnessError, WitnessReply};
pub use witness_policy::{WitnessPolicy, WitnessPolicyError, Witnessed};

#[cfg(test)]
mod tests;
