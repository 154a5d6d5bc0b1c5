//! What signs checkpoints.

use std::fmt;
use std::sync::Arc;

use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::key::{SecretKey, overwriting};

/// Signs checkpoints with an Ed25519 key, which may live elsewhere: in a device, or with a service.
///
/// A signer is called outside all locks of the broker, by the thread that makes a checkpoint. What it gives is
/// verified before it goes anywhere.
pub trait Signer: Send + Sync {
    /// The public key, which never changes.
    fn public_key(&self) -> [u8; 32];

    /// The signature of a message.
    ///
    /// # Errors
    /// Why there is none. No checkpoint is made then; the next one covers what this one would have.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError>;
}

/// A signer that clones of options share.
#[derive(Clone)]
pub(in crate::audit) struct SharedSigner(Arc<dyn Signer>);

impl SharedSigner {
    pub(in crate::audit) fn new(signer: impl Signer + 'static) -> Self {
        SharedSigner(Arc::new(signer))
    }

    pub(in crate::audit) fn share(&self) -> Arc<dyn Signer> {
        self.0.clone()
    }
}

impl fmt::Debug for SharedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer { .. }")
    }
}

/// Why a signer did not sign, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SignerError {
    reason: Arc<str>,
}

impl SignerError {
    /// An error with this reason.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        SignerError { reason: reason.into() }
    }
}

/// Signs checkpoints with a key of this process.
///
/// What is kept is a seed, derived from the secret for this use alone, in one place, wiped when dropped and never printed.
/// The secret is the right to sign as this log: keep it apart from the log's other key, so that a thief of the one can't
/// write what the other confirms.
///
/// ```
/// use hallpass::audit::{LogSigner, Signer};
/// use hallpass::key::SecretKey;
/// let signer = LogSigner::from_secret(SecretKey::from_base64url("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")?);
/// assert_eq!(format!("{signer:?}"), "LogSigner { .. }");
/// # Ok::<(), hallpass::key::KeyError>(())
/// ```
pub struct LogSigner {
    seed: Box<Zeroizing<[u8; 32]>>,
    public: [u8; 32],
}

impl LogSigner {
    /// A signer whose key comes from this secret, which is wiped.
    #[must_use]
    pub fn from_secret(secret: SecretKey) -> Self {
        let seed = secret.checkpoint_seed();
        // Every 32 bytes are a seed.
        let public = overwriting(|| pair(&seed).map(|pair| public_of(&pair)));
        LogSigner { seed, public: public.unwrap_or_default() }
    }
}

impl Signer for LogSigner {
    fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// The key is made anew from its seed each time, and overwritten: a key that `ring` keeps is not wiped.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        let signed = overwriting(|| pair(&self.seed).map(|pair| pair.sign(message)));
        let signature = signed.and_then(|signature| signature.as_ref().try_into().ok());
        signature.ok_or_else(|| SignerError::new("the seed of the key is not one"))
    }
}

fn pair(seed: &[u8; 32]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).ok()
}

fn public_of(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().unwrap_or_default()
}

/// Shows nothing of the key.
impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSigner").finish_non_exhaustive()
    }
}
