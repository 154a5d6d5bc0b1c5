//! What a witness adds to a checkpoint (C2SP `tlog-cosignature`, the kind under Ed25519): when it has seen that log at
//! that size with that root, and none that is longer.

use super::{CheckpointError, NoteSignature, VerifierKey};
use crate::clock::Timestamp;

/// When the witness of this key signed this text; nothing if the signature is not one of that key.
///
/// # Errors
/// [`CheckpointError::WrongSignature`] where it says that it is, and is not.
pub(super) fn signed_at(
    text: &str,
    signature: &NoteSignature,
    key: &VerifierKey,
) -> Result<Option<Timestamp>, CheckpointError> {
    if (&*signature.name, signature.key) != (key.name(), key.id()) {
        return Ok(None);
    }
    let wrong = || CheckpointError::WrongSignature(key.name().to_owned());
    let (seconds, bytes) = signature.bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
    let seconds = u64::from_be_bytes(*seconds);
    let message = format!("cosignature/v1\ntime {seconds}\n{text}");
    if !key.verifies(message.as_bytes(), bytes) {
        return Err(wrong());
    }
    let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
    millis.and_then(Timestamp::from_unix_millis).map(Some).ok_or_else(wrong)
}
