//! A provider of either kind, called where neither a panic nor a wait harms anything but its own call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::answers::{Gone, MintError, Minted, Refused, Withdrawn};
use super::async_provider::{AsyncCredentialProvider, ProviderFuture};
use super::backoff::FIRST;
use super::guarantees::Guarantees;
use super::handle::Handle;
use super::plan::{Plan, Want};
use super::provider::CredentialProvider;
use crate::contained::held;
use crate::vault::Secret;

/// A provider, with what it says of itself.
pub(crate) struct Provider {
    name: Arc<str>,
    guarantees: Guarantees,
    calls: Calls,
}

enum Calls {
    Blocking(Box<dyn CredentialProvider>),
    Async(Box<dyn AsyncCredentialProvider>),
}

const PANICKED: &str = "the provider panicked";

impl Provider {
    pub(crate) fn blocking(provider: impl CredentialProvider + 'static) -> Provider {
        let (name, guarantees) = (provider.name().into(), provider.guarantees());
        Provider { name, guarantees, calls: Calls::Blocking(Box::new(provider)) }
    }

    pub(crate) fn on_runtime(provider: impl AsyncCredentialProvider + 'static) -> Provider {
        let (name, guarantees) = (provider.name().into(), provider.guarantees());
        Provider { name, guarantees, calls: Calls::Async(Box::new(provider)) }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn guarantees(&self) -> &Guarantees {
        &self.guarantees
    }

    /// Whether its answers come when the call returns. Futures of such a provider never wait.
    pub(crate) fn blocks(&self) -> bool {
        matches!(self.calls, Calls::Blocking(_))
    }

    pub(crate) fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        let planned = held(|| match &self.calls {
            Calls::Blocking(provider) => provider.plan(want),
            Calls::Async(provider) => provider.plan(want),
        });
        planned.unwrap_or_else(|| Err(Refused::new(PANICKED)))
    }

    pub(crate) async fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let minted = match &self.calls {
            Calls::Blocking(provider) => held(|| provider.mint(plan)),
            Calls::Async(provider) => polled(|| provider.mint(plan)).await,
        };
        minted.unwrap_or_else(|| Err(MintError::unknown(PANICKED)))
    }

    pub(crate) async fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        let withdrawn = match &self.calls {
            Calls::Blocking(provider) => held(|| provider.withdraw(handle, secret)),
            Calls::Async(provider) => polled(|| provider.withdraw(handle, secret)).await,
        };
        withdrawn.unwrap_or_else(|| Withdrawn::retry(FIRST, PANICKED))
    }

    pub(crate) async fn verify(&self, handle: &Handle) -> Gone {
        let gone = match &self.calls {
            Calls::Blocking(provider) => held(|| provider.verify(handle)),
            Calls::Async(provider) => polled(|| provider.verify(handle)).await,
        };
        gone.unwrap_or(Gone::Unknown)
    }

    pub(crate) async fn sweep(&self, mine: &(dyn Fn(&str) -> bool + Send + Sync)) -> Vec<Handle> {
        let found = match &self.calls {
            Calls::Blocking(provider) => held(|| provider.sweep(mine)),
            Calls::Async(provider) => polled(|| provider.sweep(mine)).await,
        };
        found.unwrap_or_default()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What its future comes to; `None` if making or polling it panics.
async fn polled<'p, T>(make: impl FnOnce() -> ProviderFuture<'p, T>) -> Option<T> {
    match held(make) {
        Some(future) => Polled(Some(future)).await,
        None => None,
    }
}

struct Polled<'p, T>(Option<ProviderFuture<'p, T>>);

impl<T> Future for Polled<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(future) = &mut self.0 else { return Poll::Ready(None) };
        match held(|| future.as_mut().poll(context)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(answer)) => Poll::Ready(Some(answer)),
            None => {
                // What panicked is not polled again; its drop is the provider's code, too.
                let broken = self.0.take();
                held(|| drop(broken));
                Poll::Ready(None)
            }
        }
    }
}
