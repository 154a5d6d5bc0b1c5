//! Public keys under which checkpoints verify, in the text form of signed notes.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use super::CheckpointError;
use super::note::is_name;

/// The kinds of signatures that are checked: those of logs, and those of witnesses.
const OF_LOG: u8 = 1;
const OF_WITNESS: u8 = 4;

/// The public key of a log, or of a witness, and what it is called: `NAME+ID+KEY`, as other tools for signed notes
/// write it, too. Pin it: a key that comes with what it is to verify shows nothing.
///
/// ```
/// use hallpass::audit::VerifierKey;
/// let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// assert_eq!(key.name(), "example.com/foo");
/// # Ok::<(), hallpass::audit::CheckpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    kind: u8,
    key: [u8; 32],
}

impl VerifierKey {
    /// The Ed25519 key of a log.
    pub(in crate::audit) fn of_log(name: &str, key: [u8; 32]) -> Self {
        VerifierKey::new(name, OF_LOG, key)
    }

    /// The Ed25519 key of a witness.
    ///
    /// # Errors
    /// [`CheckpointError::NotAKey`] if the name is empty, or has a space, a control character or a plus sign.
    pub fn of_witness(name: &str, key: [u8; 32]) -> Result<Self, CheckpointError> {
        match is_name(name) {
            true => Ok(VerifierKey::new(name, OF_WITNESS, key)),
            false => Err(CheckpointError::NotAKey("its name is empty, or has spaces or `+`")),
        }
    }

    fn new(name: &str, kind: u8, key: [u8; 32]) -> Self {
        VerifierKey { name: name.to_owned(), id: id_of(name, kind, &key), kind, key }
    }

    /// What it is called. That of a log is the origin of its checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the key of a witness, and not that of a log.
    #[must_use]
    pub fn is_of_witness(&self) -> bool {
        self.kind == OF_WITNESS
    }

    /// The key itself: two that have it in common are of one owner, whatever they are called.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        &self.key
    }

    pub(super) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether a signature is one of this message under this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key).verify(message, signature).is_ok()
    }
}

/// Four bytes that tell keys of one name apart, and no more than that.
fn id_of(name: &str, kind: u8, key: &[u8; 32]) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(key)
        .finalize()
        .into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id);
        let key = STANDARD.encode([&[self.kind][..], &self.key].concat());
        write!(f, "{}+{id:08x}+{key}", self.name)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |what| Err(CheckpointError::NotAKey(what));
        // The key itself may have plus signs; neither name nor id does.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return malformed("expected `NAME+ID+KEY`");
        };
        if !is_name(name) {
            return malformed("its name is empty, or has spaces");
        }
        let Ok(bytes) = STANDARD.decode(encoded) else {
            return malformed("its last part is not base64");
        };
        let own = match bytes.split_first() {
            Some((kind @ (&OF_LOG | &OF_WITNESS), key)) => {
                key.try_into().ok().map(|key| VerifierKey::new(name, *kind, key))
            }
            Some(_) => return Err(CheckpointError::UnknownKind),
            None => return malformed("its last part is empty"),
        };
        match own {
            Some(own) if own.to_string() == text => Ok(own),
            Some(_) => malformed("its id is not that of its name and key"),
            None => malformed("expected 32 bytes of an Ed25519 key"),
        }
    }
}
