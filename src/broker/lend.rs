//! Lending a call what its tool runs with: unsealed from the vault, or minted for its grant.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::credentials::unavailable;
use super::current::DecidingRules;
use super::downstream::Downstream;
use super::flight::Flight;
use super::open_call::OpenCall;
use super::shared::Shared;
use super::waits::Waits;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::credential::{Found, InUse, Key, Provider};
use crate::denial::Denial;
use crate::sync::Apart;
use crate::vault::{LentSecret, Secrets};

/// What one call is to run with.
pub(super) struct Lent {
    pub(super) secrets: Secrets,
    /// Minted credentials, in use until this is dropped.
    pub(super) minted: Option<MintedInUse>,
    /// When the clock was read, if nothing that takes time was done since.
    pub(super) read: Option<Timestamp>,
}

/// Entries of the ledger that a call runs with. Given back when it is dropped.
pub(super) struct MintedInUse {
    shared: Arc<Apart<Arc<Shared>>>,
    entries: Vec<u64>,
}

impl Drop for MintedInUse {
    fn drop(&mut self) {
        let Some(downstream) = &self.shared.downstream else { return };
        let Some(at) = self.shared.time_of_end() else { return };
        for entry in &self.entries {
            downstream.ledger.give_back(*entry, at);
        }
    }
}

impl OpenCall {
    /// As [`lend`](Self::lend), on a thread that may wait.
    pub(super) fn lend_now(&self, call: &Call, rules: &DecidingRules) -> Result<Lent, Denial> {
        let lent = pin!(self.lend(call, rules, Waits::OnThread));
        match lent.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(lent) => lent,
            // No future of a provider whose answers come when its calls return does.
            Poll::Pending => Err(unavailable("it", "its provider has not answered")),
        }
    }

    /// Gets what a call is about to run with, with no lock held. What it lives on is checked afterwards, by
    /// [`start`](Self::start): this may take time.
    pub(super) async fn lend(
        &self,
        call: &Call,
        rules: &DecidingRules,
        waits: Waits,
    ) -> Result<Lent, Denial> {
        let credentials = rules.credentials_and_origins_of(call.tool());
        // Of another process nothing is locked, the vault neither.
        let read = self.shared().now()?;
        let mut secrets = Secrets::NONE;
        let mut minted = None;
        for (name, origins) in credentials {
            let origins = origins.cloned();
            let (sealed, secret, outside) = match self.shared().sources.provider(name) {
                None => {
                    let (sealed, secret) = self.shared().sources.unseal(name)?;
                    (sealed, secret, None)
                }
                Some(provider) => {
                    let found = self.find_or_mint(call, name, provider, waits).await?;
                    let none =
                        || MintedInUse { shared: self.shared().clone(), entries: Vec::new() };
                    minted.get_or_insert_with(none).entries.push(found.entry);
                    let secret = found.sealed.unseal();
                    let secret = secret.ok_or_else(|| unavailable(name, "it can't be unsealed"))?;
                    (found.sealed, secret, Some(found.name))
                }
            };
            secrets = secrets.and(LentSecret { sealed, secret, outside, origins });
        }
        let read = minted.is_none().then_some(read);
        Ok(Lent { secrets, minted, read })
    }

    /// What was minted for the call's grant, or is minted now.
    async fn find_or_mint(
        &self,
        call: &Call,
        name: &str,
        provider: &Arc<Provider>,
        waits: Waits,
    ) -> Result<InUse, Denial> {
        if waits == Waits::OnThread && !provider.blocks() {
            return Err(unavailable(
                name,
                "its provider is asynchronous, expected `run_with_async`",
            ));
        }
        let shared = self.shared();
        let Some(downstream) = &shared.downstream else {
            return Err(unavailable(name, "there is no ledger"));
        };
        let waited_from = shared.now()?;
        loop {
            let (found, terms) = self.with_lease_terms(call, name, provider, |_, terms| {
                let times = (terms.now, terms.expires);
                (downstream.ledger.find(&terms.key, terms.serial, times), terms)
            })?;
            match found {
                Found::Ready(minted) => return Ok(minted),
                Found::Begun(ticket) => {
                    let flight = Flight::begun(shared, downstream, &terms.key, ticket);
                    return self.mint_credential(call, provider, &terms, flight, waits).await;
                }
                Found::InFlight => {
                    let most = shared.settings.credential_wait;
                    let done = match waits {
                        Waits::OnThread => downstream.ledger.wait(&terms.key, most),
                        Waits::AsFuture => {
                            wait_for(shared, downstream, &terms.key, (waited_from, most)).await
                        }
                    };
                    if !done {
                        return Err(unavailable(name, "another call is minting it, for too long"));
                    }
                }
            }
        }
    }
}

/// Waits, without holding a thread, until no call is minting a credential: `false` if one still is when the time is
/// up, which is looked at whenever this is polled.
async fn wait_for(
    shared: &Shared,
    downstream: &Downstream,
    key: &Key,
    (from, most): (Timestamp, Duration),
) -> bool {
    poll_fn(|context| {
        if !downstream.ledger.watch(key, context.waker()) {
            return Poll::Ready(true);
        }
        match shared.time_or_latest().since(from) >= most {
            true => Poll::Ready(false),
            false => Poll::Pending,
        }
    })
    .await
}
