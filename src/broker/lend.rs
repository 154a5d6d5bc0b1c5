//! Lending a call what its tool runs with: unsealed from the vault, or minted for its grant.
//!
//! Written ahead: what is going to be minted is in the log before its provider is asked, so that whatever a crash leaves
//! has a name that the next start knows.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::credentials::{tail_of, unavailable};
use super::downstream::Downstream;
use super::open_call::OpenCall;
use super::shared::{Recorded, Shared, Unrecorded};
use crate::audit::{Event, GoneHow};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::credential::{Entry, Found, Key, MintError, Minted, Plan, Provider, Want};
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::scrub::{ScrubSource, UsedSecrets};
use crate::sync::Apart;
use crate::task::{Basis, Claim, Life};
use crate::vault::{LentSecret, Sealed, Secret, Secrets};

/// Whether a call may wait on its thread, or has to let it go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    OnThread,
    AsFuture,
}

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

    fn add(&mut self, sealed: Arc<Sealed>, secret: Secret, outside: Option<Box<str>>) {
        self.secrets.push(LentSecret { name: sealed.name().clone(), secret, outside });
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

/// A credential that a call has in use: its place in the ledger, its secret, and what it is called outside.
type Leased = (u64, Arc<Sealed>, Box<str>);

/// What a grant gives a credential, at one moment.
struct Terms {
    key: Key,
    serial: u32,
    holder: Identity,
    now: Timestamp,
    /// When what is minted has to have expired.
    expires: Timestamp,
}

impl OpenCall {
    /// As [`lend`](Self::lend), on a thread that may wait.
    pub(super) fn lend_now(&self, call: &Call, names: &[Box<str>]) -> Result<Lent, Denial> {
        let lent = pin!(self.lend(call, names, Waits::OnThread));
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
        names: &[Box<str>],
        waits: Waits,
    ) -> Result<Lent, Denial> {
        let room = || Vec::with_capacity(names.len());
        let shared = self.shared().clone();
        shared.check_process()?;
        let mut lent = Lent { shared, secrets: room(), sealed: Vec::new(), used: Vec::new() };
        for name in names {
            match self.shared().sources.provider(name) {
                None => {
                    let (sealed, secret) = self.shared().sources.unseal(name)?;
                    lent.add(sealed, secret, None);
                }
                Some(provider) => {
                    let (entry, sealed, outside) = self.lease(call, name, provider, waits).await?;
                    lent.used.push(entry);
                    let secret = sealed.unseal();
                    let secret = secret.ok_or_else(|| unavailable(name, "it can't be unsealed"))?;
                    lent.add(sealed, secret, Some(outside));
                }
            }
        }
        Ok(lent)
    }

    /// What was minted for the call's grant, or is now.
    async fn lease(
        &self,
        call: &Call,
        name: &str,
        provider: &Arc<Provider>,
        waits: Waits,
    ) -> Result<Leased, Denial> {
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
            let (found, terms) = self.with_terms(call, name, provider, |_, terms| {
                let times = (terms.now, terms.expires);
                (downstream.ledger.find(&terms.key, terms.serial, times), terms)
            })?;
            match found {
                Found::Ready(entry, sealed, name) => return Ok((entry, sealed, name)),
                Found::Begun(ticket) => {
                    let flight = Flight {
                        shared,
                        downstream,
                        key: &terms.key,
                        ticket,
                        state: Flying::Begun,
                    };
                    return self.mint(call, provider, &terms, flight).await;
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

    /// Does something under the task's lock, with what the grant gives this credential, while the call could start.
    fn with_terms<T>(
        &self,
        call: &Call,
        name: &str,
        provider: &Provider,
        then: impl FnOnce(&mut Life, Terms) -> T,
    ) -> Result<T, Denial> {
        let shared = self.shared();
        let now = shared.now()?;
        let life = &mut *self.cell().life.lock();
        let now = shared.as_of(now);
        let Some(permit) = life.permit(self.seq()).filter(|permit| now < permit.lapses) else {
            let over = life.over.map_or(Reason::PermitLapsed, |_| Reason::TaskOver);
            return Err(Denial::new(over));
        };
        let claim = Claim {
            grant: self.grant(),
            basis: Basis::Permit(permit.serial),
            who: &permit.caller,
            tool: Some(call.tool()),
        };
        let live = self.cell().prove_live(life, &shared.halts, &claim, now)?;
        let lineage = life.lineage(&live);
        let row = life.row(&live)?;
        let covering =
            row.terms.scope.iter().filter(|own| own.capability.tool.as_str() == call.tool());
        let tail = tail_of(covering.flat_map(|own| &own.stamps));
        let ends = lineage.iter().map(|row| row.expires).fold(self.cell().ceiling, Timestamp::min);
        let expires = match provider.guarantees().longest_life(tail) {
            Some(life) => now.checked_add(life).unwrap_or(ends),
            None => ends,
        };
        let key = Key {
            generation: self.cell().generation,
            grant: self.grant(),
            credential: name.into(),
        };
        let (serial, holder) = (row.serial, row.holder.clone());
        Ok(then(life, Terms { key, serial, holder, now, expires }))
    }

    /// Mints what a call runs with first, and later calls of its grant.
    async fn mint(
        &self,
        call: &Call,
        provider: &Arc<Provider>,
        terms: &Terms,
        mut flight: Flight<'_>,
    ) -> Result<Leased, Denial> {
        let (shared, ledger) = (flight.shared, &flight.downstream.ledger);
        let (credential, ticket) = (&*terms.key.credential, flight.ticket);
        let denied = |why: &dyn std::fmt::Display| {
            unavailable(credential, format_args!("the provider `{}`: {why}", provider.name()))
        };
        let name = flight.downstream.name();
        let name = name.map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;
        let want = Want {
            name: &name,
            credential,
            tool: call.tool(),
            task: &self.cell().name,
            grant: self.grant(),
            holder: &terms.holder,
            now: terms.now,
            expires: terms.expires,
        };
        let plan = provider.plan(&want).map_err(|refused| denied(&refused))?;
        if plan.handle().name() != name {
            return Err(denied(&"it planned another credential than the one it was asked for"));
        }
        if let Some(fault) = plan.fault() {
            return Err(denied(&fault));
        }
        // In one step with the proof that the grant lives, so that an end finds it in the ledger.
        let (placed, planned_at) = self.with_terms(call, credential, provider, |_, now| {
            if now.expires < plan.expires() {
                return (Err(denied(&"its grant ends earlier by now: ask again")), now.now);
            }
            let entry = self.entry(call, provider, terms, &plan, now.now);
            let event = self.planned(&entry);
            let placed = shared.place(now.now, &event);
            let entered = placed.is_ok().then(|| ledger.plan(&terms.key, ticket, entry));
            (placed.map(|place| (place, entered.flatten().is_some())), now.now)
        })?;
        let (place, entered) = placed?;
        if entered {
            flight.state = Flying::Planned;
        }
        if let Err(Unrecorded { denial, end }) = shared.settle(place) {
            flight.nothing_minted(end == Recorded::Yes, &name);
            return Err(denial);
        }
        if !entered {
            flight.nothing_minted(true, &name);
            return Err(Denial::new(Reason::TaskOver));
        }
        let minted = provider.mint(&plan).await;
        let now = shared.now();
        let minted = match minted {
            Ok(minted) => minted,
            Err(MintError::NotMinted(why)) => {
                flight.nothing_minted(true, &name);
                return Err(denied(&MintError::NotMinted(why)));
            }
            // What may be there is withdrawn when the flight is dropped.
            Err(unknown) => return Err(denied(&unknown)),
        };
        let took = now.as_ref().ok().map(|now| now.since(planned_at));
        let Minted { secret, handle, expires } = minted;
        let sealed = ledger.seal(credential, &secret).map(Arc::new);
        let sealed = sealed.map_err(|error| denied(&error))?;
        ledger.keep(ticket, &sealed);
        let is_new = ledger.is_new(&secret);
        drop(secret);
        let is_of_plan = handle.name() == name && handle.is_plain();
        let fault = match fault_of(&plan, took, expires, &now) {
            _ if !is_of_plan => {
                Some("its handle is of another credential, or not plain text".to_owned())
            }
            _ if holds(&sealed, handle.detail()) => {
                Some("its handle holds the secret, expected plain text to be recorded".to_owned())
            }
            None if !is_new => Some("it gave a secret that it had given before".to_owned()),
            fault => fault,
        };
        // What names another credential, or shows the secret, is not kept.
        let can_be_kept = is_of_plan && !holds(&sealed, handle.detail());
        let handle = if can_be_kept { handle } else { plan.handle().clone() };
        let event = self.minted(&name, handle.detail(), expires, fault.as_deref());
        let recorded = match (&fault, now) {
            (None, Ok(now)) => shared
                .place(now, &event)
                .and_then(|place| shared.settle(place).map_err(|unrecorded| unrecorded.denial)),
            (None, Err(denial)) => Err(denial),
            (Some(fault), _) => {
                shared.record(shared.time_or_latest(), &event);
                Err(denied(fault))
            }
        };
        ledger.landed(ticket, handle, expires);
        recorded?;
        flight.state = Flying::Landed;
        if !ledger.lend(&terms.key, ticket, terms.serial, shared.time_or_latest()) {
            // What ended it tells why; where nothing did, another call has it anew.
            self.with_terms(call, credential, provider, |_, _| ())?;
            return Err(denied(&"its grant has ended meanwhile"));
        }
        Ok((ticket, sealed, name.into()))
    }

    fn entry(
        &self,
        call: &Call,
        provider: &Arc<Provider>,
        terms: &Terms,
        plan: &Plan,
        now: Timestamp,
    ) -> Entry {
        Entry {
            handle: plan.handle().clone(),
            credential: terms.key.credential.clone(),
            by: provider.name().clone(),
            provider: Some(provider.clone()),
            task: (&*self.cell().name).into(),
            generation: self.cell().generation,
            grant: self.grant().to_string().into(),
            tool: call.tool().into(),
            lands_by: now.checked_add(plan.within()).unwrap_or(terms.expires),
            expires: plan.expires(),
            in_flight: true,
            minted: false,
            sealed: None,
            users: 0,
            superseded: false,
            owed: None,
        }
    }

    fn planned(&self, entry: &Entry) -> Event<'static> {
        Event::CredentialPlanned {
            task: entry.task.to_string().into(),
            generation: entry.generation,
            grant: entry.grant.to_string().into(),
            of: self.seq(),
            credential: entry.credential.to_string().into(),
            provider: entry.by.to_string().into(),
            name: entry.handle.name().to_owned().into(),
            detail: entry.handle.detail().to_owned().into(),
            lands_by: entry.lands_by,
            expires: entry.expires,
        }
    }

    fn minted<'e>(
        &'e self,
        name: &'e str,
        detail: &'e str,
        expires: Timestamp,
        refused: Option<&'e str>,
    ) -> Event<'e> {
        Event::CredentialMinted {
            task: (&*self.cell().name).into(),
            generation: self.cell().generation,
            name: name.into(),
            detail: detail.into(),
            expires,
            refused: refused.map(Into::into),
        }
    }
}

/// What is wrong with the time of what was minted, if anything is.
fn fault_of(
    plan: &Plan,
    took: Option<Duration>,
    expires: Timestamp,
    now: &Result<Timestamp, Denial>,
) -> Option<String> {
    let (Some(took), Ok(now)) = (took, now) else {
        return Some("the time when it minted can't be told".to_owned());
    };
    if took >= plan.within() {
        return Some(format!("it took {took:?}, expected less than {:?}", plan.within()));
    }
    if expires > plan.expires() {
        return Some(format!("it expires at {expires}, expected {} at the latest", plan.expires()));
    }
    (expires <= *now).then(|| format!("it expires at {expires}, which is past"))
}

/// Whether a text holds a secret, in any of the forms in which secrets are found.
pub(super) fn holds(sealed: &Arc<Sealed>, text: &str) -> bool {
    scrubbed(Some(sealed), text) != text
}

/// A text of a provider without the secret that it has, if it has one.
pub(super) fn scrubbed(sealed: Option<&Arc<Sealed>>, text: &str) -> String {
    let Some(sealed) = sealed else { return text.to_owned() };
    let used = UsedSecrets::new(|_| {});
    used.add(std::slice::from_ref(sealed));
    let source = ScrubSource { used: Some(Arc::new(used)), ..ScrubSource::default() };
    source.scrubber().text(text.to_owned())
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

/// A mint on its way. However it ends, calls that wait for it go on; and what it may have made is owed.
struct Flight<'f> {
    shared: &'f Shared,
    downstream: &'f Downstream,
    key: &'f Key,
    ticket: u64,
    state: Flying,
}

/// How far a mint is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flying {
    Begun,
    /// It is in the ledger, and something may have been made.
    Planned,
    /// It is what calls run with, or the ledger knows that its grant has ended.
    Landed,
}

impl Flight<'_> {
    /// Nothing was made. If the log has its plan, it is told so.
    fn nothing_minted(&mut self, recorded: bool, name: &str) {
        self.state = Flying::Begun;
        self.downstream.ledger.forget(self.ticket);
        if recorded {
            let gone = Event::CredentialGone { name: name.into(), how: GoneHow::NeverMinted };
            self.shared.record(self.shared.time_or_latest(), &gone);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(at) = self.shared.time_of_end() else { return };
        if self.state == Flying::Planned {
            self.downstream.ledger.owe(self.ticket, at);
        }
        if self.state != Flying::Landed {
            self.downstream.ledger.fail(self.key, self.ticket);
        }
    }
}
