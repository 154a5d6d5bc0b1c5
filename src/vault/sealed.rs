//! A secret at rest.

use std::fmt;
use std::sync::Arc;

use super::cipher::{Cipher, Ciphertext};
use super::error::VaultError;
use super::secret::Secret;

/// A sealed secret, under its name. Shared by the vault, the calls that run with it and the tasks that have used it;
/// gone with the last of these.
pub(crate) struct Sealed {
    name: Arc<str>,
    cipher: Arc<Cipher>,
    ciphertext: Ciphertext,
}

impl Sealed {
    pub(super) fn new(
        cipher: &Arc<Cipher>,
        name: &Arc<str>,
        secret: &Secret,
    ) -> Result<Sealed, VaultError> {
        let ciphertext = cipher.seal(name, secret.expose())?;
        Ok(Sealed { name: name.clone(), cipher: cipher.clone(), ciphertext })
    }

    /// What the catalogue calls it.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The secret in the clear, in memory of its own. `None` if memory was tampered with.
    pub(crate) fn unseal(&self) -> Option<Secret> {
        self.cipher.open(&self.name, &self.ciphertext).map(Secret::unsealed)
    }
}

/// Shows the name alone.
impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("name", &self.name).finish_non_exhaustive()
    }
}
