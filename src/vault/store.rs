//! The vault itself: sealed secrets by name.

use std::fmt;
use std::sync::Arc;

use super::cipher::Cipher;
use super::error::VaultError;
use super::sealed::Sealed;
use super::secret::Secret;
use crate::random::RandomError;
use crate::spread::SpreadMap;
use crate::sync::RwLock;
use crate::tool::ToolName;

/// Sealed secrets, by the names under which the catalogue says that tools run with them.
///
/// At rest they are encrypted in memory, under a random key of this vault that never leaves it. They are opened only
/// for the tool of a permitted call, when it starts: see [`Permit::run_with`](crate::Permit::run_with). Nothing gives
/// one out otherwise, to the host that sealed it neither.
///
/// Cloning shares it. The host keeps a clone to rotate what is in it:
///
/// ```
/// # use hallpass::prelude::*;
/// use hallpass::vault::{Secret, Vault};
///
/// # let policy = Policy::from_toml(r#"
/// #     version = 1
/// #     tool = [{ name = "db.query", credential = "orders-db" }]
/// # "#)?;
/// let vault = Vault::new()?;
/// vault.seal("orders-db", Secret::new("fD3kW9sLq2-fD3kW9sLq2")?)?;
/// let broker = Broker::builder(policy).vault(&vault).build()?;
/// // Later: calls that start from now on get this one, and those that are running keep theirs.
/// vault.seal("orders-db", Secret::new("Qw7LmZ0x4T-Qw7LmZ0x4T")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vault {
    store: Arc<Store>,
}

struct Store {
    cipher: Arc<Cipher>,
    sealed: RwLock<SpreadMap<Arc<str>, Arc<Sealed>>>,
}

impl Vault {
    /// An empty vault with a random key of its own.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub fn new() -> Result<Vault, RandomError> {
        let cipher = Arc::new(Cipher::generate()?);
        Ok(Vault { store: Arc::new(Store { cipher, sealed: RwLock::default() }) })
    }

    /// Seals a secret under a name, in place of what was sealed under it before: calls that start from now on get
    /// this one. The one before is gone with the last call that runs with it, and the last task that has used it.
    ///
    /// # Errors
    /// [`VaultError::Name`] of a name that no catalogue can say.
    pub fn seal(&self, name: &str, secret: Secret) -> Result<(), VaultError> {
        let sealed = Arc::new(self.sealed(name, &secret)?);
        let name = sealed.name().clone();
        let before = self.store.sealed.write().insert(name, sealed);
        drop(before);
        Ok(())
    }

    /// Takes a secret out: calls that need it are denied from now on. `false` if there was none.
    pub fn remove(&self, name: &str) -> bool {
        let removed = self.store.sealed.write().remove(name);
        removed.is_some()
    }

    /// Whether a secret is sealed under this name.
    pub fn holds(&self, name: &str) -> bool {
        self.store.sealed.read().contains_key(name)
    }

    /// What is sealed under this name now.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Sealed>> {
        self.store.sealed.read().get(name).cloned()
    }

    /// Seals a secret that is not kept here.
    pub(crate) fn sealed(&self, name: &str, secret: &Secret) -> Result<Sealed, VaultError> {
        if !is_name(name) {
            return Err(VaultError::Name(name.escape_default().to_string().into()));
        }
        Sealed::new(&self.store.cipher, &name.into(), secret)
    }
}

/// Whether a catalogue can say this name: they are spelled as names of tools.
fn is_name(name: &str) -> bool {
    ToolName::new(name).is_ok()
}

/// Shows the names alone.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sealed = self.store.sealed.read();
        let mut names: Vec<_> = sealed.keys().collect();
        names.sort();
        f.debug_struct("Vault").field("names", &names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text).unwrap()
    }

    #[test]
    fn a_name_that_is_sealed_again_gives_the_new_one_and_leaves_the_old_to_those_that_hold_it() {
        let vault = Vault::new().unwrap();
        vault.seal("db", secret("first-first-first")).unwrap();
        let held = vault.find("db").unwrap();
        vault.seal("db", secret("second-second-second")).unwrap();
        assert_eq!(vault.find("db").unwrap().unseal().unwrap().expose(), b"second-second-second");
        assert_eq!(held.unseal().unwrap().expose(), b"first-first-first");
        assert_eq!(Arc::strong_count(&held), 1, "nothing else keeps the old one");
    }

    #[test]
    fn what_was_taken_out_is_not_found() {
        let vault = Vault::new().unwrap();
        vault.seal("db", secret("first-first-first")).unwrap();
        assert!(vault.holds("db") && vault.remove("db"));
        assert!(vault.find("db").is_none() && !vault.holds("db") && !vault.remove("db"));
    }

    /// attack 126
    #[test]
    fn what_holds_a_secret_shows_its_name_alone() {
        let vault = Vault::new().unwrap();
        vault.seal("db", secret("first-first-first")).unwrap();
        let shown = format!("{vault:?} {:?} {:?}", vault.find("db"), secret("first-first-first"));
        assert!(shown.contains("db") && !shown.contains("first"), "{shown}");
    }

    #[test]
    fn a_name_that_no_catalogue_can_say_is_refused_and_shown_escaped() {
        let vault = Vault::new().unwrap();
        for name in ["", "a b", "d\u{0}b", "ключ"] {
            let error = vault.seal(name, secret("first-first-first")).unwrap_err();
            assert!(matches!(&error, VaultError::Name(shown) if shown.is_ascii()), "{error}");
        }
    }
}
