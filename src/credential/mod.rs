//! Minted credentials: what makes and withdraws them, and the ledger of those that are not known to be gone.

mod answers;
mod async_provider;
mod backoff;
mod entry;
mod guarantees;
mod handle;
mod ledger;
mod plan;
mod provider;
mod seen;
mod source;

pub use answers::{Gone, MintError, Minted, Refused, Withdrawn};
pub use async_provider::{AsyncCredentialProvider, ProviderFuture};
pub use guarantees::{Guarantees, Sessions, Withdrawal};
pub use handle::Handle;
pub use plan::{Plan, Want};
pub use provider::CredentialProvider;

pub use entry::Debt;
pub(crate) use entry::Entry;
pub(crate) use handle::{is_broker_name, mark};
pub(crate) use ledger::{Found, InUse, Job, Key, Ledger, Passed, Settlement};
pub(crate) use source::Provider;
