//! The vault: what tools run with, sealed in memory until a started call needs it.

mod cipher;
mod error;
mod sealed;
mod secret;
mod secrets;
mod store;

pub use error::{SecretError, VaultError};
pub use secret::Secret;
pub use secrets::Secrets;
pub use store::Vault;

pub(crate) use sealed::Sealed;
pub(crate) use secrets::Lent as LentSecret;
