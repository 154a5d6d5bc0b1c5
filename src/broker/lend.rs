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
use crate::vault::{LentSecret, Sealed, Secret, Secrets};

/// What one call is to run with: in the clear for the tool, and sealed as the task keeps it. Minted credentials are in
/// use until it is dropped.
pub(super) struct Lent {
    shared: Arc<Apart<Arc<Shared>>>,
    secrets: Vec<LentSecret>,
    pub(super) sealed: Vec<Arc<Sealed>>,
    used: Vec<u64>,
}

impl Lent {
    /// The secrets, once; what was minted stays in use.
    pub(super) fn take_secrets(&mut self) -> Secrets {
        Secrets::new(std::mem::take(&mut self.secrets))
    }

    fn add(
        &mut self,
        sealed: Arc<Sealed>,
        secret: Secret,
        outside: Option<Box<str>>,
        origins: Option<Arc<[Box<str>]>>,
    ) {
        self.secrets.push(LentSecret { name: sealed.name().clone(), secret, outside, origins });
        self.sealed.push(sealed);
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(downstream) = &self.shared.downstream else { return };
        let Some(at) = self.shared.time_of_end() else { return };
        for entry in &self.used {
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
        let names = rules.credentials_of(call.tool());
        let room = || Vec::with_capacity(names.len());
        let shared = self.shared().clone();
        shared.check_process()?;
        let mut lent = Lent { shared, secrets: room(), sealed: Vec::new(), used: Vec::new() };
        for name in names {
            let origins = rules.origins_of(call.tool(), name);
            match self.shared().sources.provider(name) {
                None => {
                    let (sealed, secret) = self.shared().sources.unseal(name)?;
                    lent.add(sealed, secret, None, origins);
                }
                Some(provider) => {
                    let minted = self.find_or_mint(call, name, provider, waits).await?;
                    lent.used.push(minted.entry);
                    let secret = minted.sealed.unseal();
                    let secret = secret.ok_or_else(|| unavailable(name, "it can't be unsealed"))?;
                    lent.add(minted.sealed, secret, Some(minted.name), origins);
                }
            }
        }
        Ok(lent)
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
