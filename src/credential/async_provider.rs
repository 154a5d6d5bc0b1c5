//! The same of a provider for hosts on a runtime.

use std::future::Future;
use std::pin::Pin;

use super::answers::{Gone, MintError, Minted, Refused, Withdrawn};
use super::guarantees::Guarantees;
use super::handle::Handle;
use super::plan::{Plan, Want};
use crate::vault::Secret;

/// What a provider is doing, on whatever runtime polls it.
pub type ProviderFuture<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// As [`CredentialProvider`](super::CredentialProvider), for hosts on a runtime. Tools that run with what it mints are run by
/// [`run_with_async`](crate::Permit::run_with_async), and what it minted is withdrawn by
/// [`Broker::tended`](crate::Broker::tended). Every method means what it means there; a future that is dropped before it
/// is done counts as one that failed.
pub trait AsyncCredentialProvider: Send + Sync {
    /// What records call it.
    fn name(&self) -> &str;

    /// What it can promise of the end of what it mints. Asked once, when the broker is built.
    fn guarantees(&self) -> Guarantees;

    /// What it would do, without doing anything or waiting for anything.
    ///
    /// # Errors
    /// [`Refused`]: the permit is denied.
    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused>;

    /// Mints as planned, within the plan's time.
    ///
    /// # Errors
    /// [`MintError`], which says whether something may have been made.
    fn mint<'p>(&'p self, plan: &'p Plan) -> ProviderFuture<'p, Result<Minted, MintError>>;

    /// Withdraws what was minted; each of its steps has to bear repetition.
    fn withdraw<'p>(
        &'p self,
        handle: &'p Handle,
        secret: Option<&'p Secret>,
    ) -> ProviderFuture<'p, Withdrawn>;

    /// Whether nothing of it is left.
    fn verify<'p>(&'p self, handle: &'p Handle) -> ProviderFuture<'p, Gone>;

    /// Looks for what an earlier life of the broker has left.
    fn sweep<'p>(
        &'p self,
        mine: &'p (dyn Fn(&str) -> bool + Send + Sync),
    ) -> ProviderFuture<'p, Vec<Handle>> {
        let _ = mine;
        Box::pin(std::future::ready(Vec::new()))
    }
}
