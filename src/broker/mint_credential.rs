//! Minting a credential for a grant.
//!
//! Written ahead: what is going to be minted is in the log before its provider is asked, so that whatever a crash leaves
//! has a name that the next start knows.

use std::sync::Arc;
use std::time::Duration;

use super::credentials::unavailable;
use super::flight::Flight;
use super::lease_terms::LeaseTerms;
use super::open_call::OpenCall;
use super::provider_text::holds;
use super::shared::{Recorded, Unrecorded};
use super::waits::Waits;
use crate::audit::Event;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::credential::{Entry, InUse, MintError, Minted, Plan, Provider, Want};
use crate::denial::{Denial, Reason};

impl OpenCall {
    /// Mints what this call runs with, and later calls of its grant.
    pub(super) async fn mint_credential(
        &self,
        call: &Call,
        provider: &Arc<Provider>,
        terms: &LeaseTerms,
        mut flight: Flight<'_>,
        waits: Waits,
    ) -> Result<InUse, Denial> {
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
        let (placed, planned_at) =
            self.with_lease_terms(call, credential, provider, |_, now| {
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
            flight.note_planned();
        }
        if let Err(Unrecorded { denial, end }) = shared.settle_as(place, waits).await {
            flight.nothing_minted(end == Recorded::Yes, &name);
            return Err(denial);
        }
        // What ends a lease has ended its grant, too, or has found it minted: the ledger asks by itself.
        if !entered {
            flight.nothing_minted(true, &name);
            return Err(Denial::new(Reason::TaskOver));
        }
        let minted = provider.mint(&plan).await;
        let now = shared.now();
        // If it has forked, what it made is the parent's.
        shared.check_process()?;
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
            (None, Ok(now)) => match shared.place(now, &event) {
                Ok(place) => {
                    let settled = shared.settle_as(place, waits).await;
                    settled.map_err(|unrecorded| unrecorded.denial)
                }
                Err(denial) => Err(denial),
            },
            (None, Err(denial)) => Err(denial),
            (Some(fault), _) => {
                shared.record(shared.time_or_latest(), &event);
                Err(denied(fault))
            }
        };
        ledger.landed(ticket, handle, expires);
        recorded?;
        flight.note_landed();
        if !ledger.lend(&terms.key, ticket, terms.serial, shared.time_or_latest()) {
            // What ended it tells why; where nothing did, another call has it anew.
            self.with_lease_terms(call, credential, provider, |_, _| ())?;
            return Err(denied(&"its grant has ended meanwhile"));
        }
        Ok(InUse { entry: ticket, sealed, name: name.into() })
    }

    fn entry(
        &self,
        call: &Call,
        provider: &Arc<Provider>,
        terms: &LeaseTerms,
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
