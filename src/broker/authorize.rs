//! Authorizing a call, from what was presented to the permit. The one way to one.

use std::sync::Arc;

use super::call_request::{CallRequest, Refusal};
use super::current::{Current, DecidingRules};
use super::judge::{CallInputs, Reserved};
use super::permit::Permit;
use super::presented::{PresentedGrant, present};
use super::shared::{Recorded, Shared, Unrecorded};
use crate::audit::{Outcome, Place};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::policy::{Catalogue, Listed};
use crate::sync::Apart;
use crate::task::TaskCell;
use crate::token::Narrowing;

/// A permit whose record has its place in the log's order, and may not be in the log yet.
pub(super) struct PlacedCall {
    pub(super) call: Committed,
    pub(super) place: Place,
}

/// A permit with its number. It is handed out once the log has accepted its record.
pub(super) struct Committed {
    cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
    version: u64,
    rules: DecidingRules,
    /// The call that may run, if its arguments were spelled otherwise than the tool gets them.
    canonical: Option<Call>,
}

impl CallRequest<'_> {
    pub(super) fn commit(&self) -> Result<Committed, Refusal> {
        let PlacedCall { call: committed, place } = self.place()?;
        // Outside the locks: the log may take its time.
        let settled = self.shared.settle(place);
        committed.settled(self.shared, settled, self.now)
    }

    /// Decides, and takes the place of the permit's record.
    #[inline(always)]
    pub(super) fn place(&self) -> Result<PlacedCall, Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        let mut presented = self.present(&current, listed)?;
        let judged = self.judge(&current, listed, &mut presented, |own| own.reserve(None));
        drop(current);
        let (canonical, reserved) = match judged {
            Ok((canonical, Ok(reserved))) => (canonical, reserved),
            Ok((canonical, Err(demand))) => {
                self.reserve_shared(&mut presented, canonical, demand)?
            }
            Err(denial) => return Err(presented.refuse(denial)),
        };
        let Reserved { place, rules, version } = reserved;
        let PresentedGrant { cell, grant, .. } = presented;
        let call = Committed { cell, grant, seq: place.seq(), version, rules, canonical };
        Ok(PlacedCall { call, place })
    }

    pub(super) fn check(&self) -> Result<DecidingRules, Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        let mut presented = self.present(&current, listed)?;
        let judged = self.judge(&current, listed, &mut presented, |own| own.probe());
        drop(current);
        match judged {
            Ok((_, (rules, None))) => Ok(rules),
            Ok((canonical, (rules, Some(demand)))) => {
                self.probe_shared(&presented, canonical.as_ref(), &demand).map(|()| rules)
            }
            Err(denial) => Err(presented.refuse(denial)),
        }
    }

    /// Has the call judged as the tool gets it, by what was presented and what the catalogue says, under the policy
    /// that is in force now. Gives the call too, if it was spelled otherwise.
    // What it hands on is large: called instead of written out, it is copied each time.
    #[inline(always)]
    pub(super) fn judge<T>(
        &self,
        current: &Current,
        listed: Option<&Listed>,
        presented: &mut PresentedGrant,
        judge: impl FnOnce(&CallInputs<'_>) -> Result<T, Denial>,
    ) -> Result<(Option<Call>, T), Denial> {
        let listed = self.listed(listed, presented)?;
        let canonical = listed.typed.canonical_call(self.call)?;
        // What was presented was bound to the call as it was made.
        let request = CallRequest { call: canonical.as_ref().unwrap_or(self.call), ..*self };
        let listed = (listed, canonical.is_some());
        let judged = judge(&CallInputs::of(request, current, presented, listed)?)?;
        Ok((canonical, judged))
    }

    pub(super) fn present(
        &self,
        current: &Current,
        listed: Option<&Listed>,
    ) -> Result<PresentedGrant, Refusal> {
        let untyped = listed.is_some_and(|listed| listed.typed.is_empty());
        present(self.shared, current, self.text, self.caller, (self.call, untyped), self.now)
    }

    /// What the catalogue says of the tool. Attenuations, made without it, are brought to the spelling
    /// in which calls are compared with them.
    #[inline]
    fn listed<'c>(
        &self,
        listed: Option<&'c Listed>,
        presented: &mut PresentedGrant,
    ) -> Result<&'c Listed, Denial> {
        let tool = self.call.tool();
        let listed = listed.ok_or_else(|| Catalogue::unknown(tool))?;
        for Narrowing { hop, capabilities } in &mut presented.narrowings {
            if let Err(fault) = listed.typed.respell(tool, capabilities) {
                return Err(Denial::new(Reason::OutOfScope)
                    .because(format_args!("attenuation {hop}: {fault}")));
            }
        }
        Ok(listed)
    }
}

impl PresentedGrant {
    pub(super) fn refuse(&self, denial: Denial) -> Refusal {
        Refusal { denial, about: Some((self.cell.clone(), self.grant)), signed: true }
    }
}

impl Committed {
    /// What the log has answered: it is permitted, or undone.
    #[inline(always)]
    pub(super) fn settled(
        self,
        shared: &Shared,
        settled: Result<u64, Unrecorded>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if let Err(Unrecorded { denial, end }) = settled {
            self.undo(shared, end, now);
            return Err(Refusal { denial, about: Some((self.cell, self.grant)), signed: true });
        }
        self.cell.life.lock().note_recorded(self.seq);
        Ok(self)
    }

    /// Takes it back, since its record is not known to be in the log.
    pub(super) fn undo(&self, shared: &Shared, end: Recorded, now: Timestamp) {
        let mut life = self.cell.life.lock();
        let stands = end == Recorded::Yes;
        let closed = life.undo_permit(self.seq, stands);
        if closed && stands {
            // And so does its outcome.
            shared.record_outcome(&self.cell, &life, (self.seq, Outcome::Abandoned, 0), now);
        }
    }

    pub(super) fn into_permit(self, shared: &Arc<Apart<Arc<Shared>>>, call: Call) -> Permit {
        let Committed { cell, grant, seq, version, rules, canonical } = self;
        let call = canonical.unwrap_or(call);
        Permit::new(shared.clone(), cell, grant, seq, version, rules, call)
    }
}
