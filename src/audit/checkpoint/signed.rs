//! A checkpoint that its log has signed.

use std::fmt;

use super::{Checkpoint, CheckpointError, Note, NoteSignature, Signer, SignerError, VerifierKey};
use crate::contained::contained;

/// A checkpoint whose signature has been verified under the key of its log. There is no other way to one.
///
/// ```
/// use hallpass::audit::{SignedCheckpoint, VerifierKey};
/// let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// let note = "This is an example message.\n\n\
///     — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/// let refused = SignedCheckpoint::verify(note, &key).unwrap_err();
/// assert!(refused.to_string().starts_with("not a checkpoint"), "{refused}");
/// # Ok::<(), hallpass::audit::CheckpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    key: VerifierKey,
}

impl SignedCheckpoint {
    /// Reads a signed note and verifies that the log of this key has signed it. Signatures of others are kept, and say
    /// nothing.
    ///
    /// # Errors
    /// [`CheckpointError`]: what is wrong with it.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        if key.is_of_witness() {
            return Err(CheckpointError::NotAKey(
                "it is that of a witness, expected that of a log",
            ));
        }
        let note = Note::read(note)?;
        let mut signed = false;
        for signature in note.signatures() {
            if (&*signature.name, signature.key) != (key.name(), key.id()) {
                continue;
            }
            // Also a second one of the same key: a note with a wrong signature is refused.
            if !key.verifies(note.text().as_bytes(), &signature.bytes) {
                return Err(CheckpointError::WrongSignature(key.name().to_owned()));
            }
            signed = true;
        }
        if !signed {
            return Err(CheckpointError::Unsigned(key.name().to_owned()));
        }
        let checkpoint = Checkpoint::read(note.text())?;
        // A key may sign for another log only under that one's name.
        if checkpoint.origin != key.name() {
            let (found, expected) = (checkpoint.origin, key.name().to_owned());
            return Err(CheckpointError::Foreign { found, expected });
        }
        Ok(SignedCheckpoint { checkpoint, note, key: key.clone() })
    }

    /// Signs a checkpoint, and verifies what the signer gave.
    pub(in crate::audit) fn sign(
        checkpoint: &Checkpoint,
        signer: &dyn Signer,
    ) -> Result<Self, SignerError> {
        let key = VerifierKey::of_log(&checkpoint.origin, signer.public_key());
        let text = checkpoint.to_string();
        // Code of the host: a panic of it is a failure to sign.
        let mut signature = Err(SignerError::new("the signer panicked"));
        contained(|| signature = signer.sign(text.as_bytes()));
        let bytes = signature?.to_vec();
        let name = checkpoint.origin.clone();
        let note = Note::new(text, NoteSignature { name, key: key.id(), bytes });
        SignedCheckpoint::verify(&note.to_string(), &key)
            .map_err(|error| SignerError::new(&error.to_string()))
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with the signatures of others.
    pub(super) fn note(&self) -> &Note {
        &self.note
    }

    /// With signatures of others, which have been looked at: each in the place of an older one of the same key.
    pub(in crate::audit) fn and_signatures(mut self, signatures: Vec<NoteSignature>) -> Self {
        self.note.add(signatures);
        self
    }

    /// The signatures of others.
    pub(in crate::audit) fn others(&self) -> Vec<NoteSignature> {
        let own = |signature: &&NoteSignature| {
            (&*signature.name, signature.key) != (self.key.name(), self.key.id())
        };
        self.note.signatures().iter().filter(own).cloned().collect()
    }

    /// The key under which it was verified.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// How many lines of records it covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }
}

/// The signed note.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
