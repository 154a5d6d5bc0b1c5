//! Authorizing a call, from what was presented to the permit. The one way to one.

use std::sync::Arc;

use super::call_request::{CallRequest, Refusal};
use super::current::{Current, DecidingRules};
use super::judge::{CallInputs, Reserved};
use super::permit::Permit;
use super::presented::{PresentedGrant, present};
use super::shared::{Recorded, Shared, Unrecorded};
use crate::audit::Outcome;
use crate::call::Call;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::policy::{Catalogue, Listed};
use crate::sync::Apart;
use crate::task::TaskCell;
use crate::token::Narrowing;

/// A permit that the log has accepted.
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
        let (presented, canonical, reserved) = match self.judge(|inputs| inputs.reserve(None))? {
            (presented, canonical, Ok(reserved)) => (presented, canonical, reserved),
            (presented, canonical, Err(demand)) => {
                self.reserve_shared(presented, canonical, demand)?
            }
        };
        let Reserved { place, rules, version } = reserved;
        let seq = place.seq();

        // Outside the locks: the log may take its time.
        let settled = self.shared.settle(place);
        let mut life = presented.cell.life.lock();
        if let Err(Unrecorded { denial, end }) = settled {
            let stands = end == Recorded::Yes;
            let closed = life.undo_permit(seq, stands);
            if closed && stands {
                // And so does its outcome.
                let abandoned = (seq, Outcome::Abandoned);
                self.shared.record_outcome(&presented.cell, &life, abandoned, self.now);
            }
            drop(life);
            return Err(presented.refuse(denial));
        }
        life.note_recorded(seq);
        drop(life);
        let PresentedGrant { cell, grant, .. } = presented;
        Ok(Committed { cell, grant, seq, version, rules, canonical })
    }

    pub(super) fn check(&self) -> Result<DecidingRules, Refusal> {
        let (presented, canonical, (rules, demand)) = self.judge(|inputs| inputs.probe())?;
        match demand {
            None => Ok(rules),
            Some(demand) => {
                self.probe_shared(&presented, canonical.as_ref(), &demand).map(|()| rules)
            }
        }
    }

    /// Finds what was presented and what the catalogue says, and has the call judged as the tool gets
    /// it, under the policy that is in force now. Gives the call too, if it was spelled otherwise.
    // What it hands on is large: called instead of written out, it is copied each time.
    #[inline(always)]
    pub(super) fn judge<T>(
        &self,
        judge: impl FnOnce(&CallInputs<'_>) -> Result<T, Denial>,
    ) -> Result<(PresentedGrant, Option<Call>, T), Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        let mut presented = self.present(&current, listed)?;
        let judged = self.listed(listed, &mut presented).and_then(|listed| {
            let canonical = listed.typed.canonical_call(self.call)?;
            // What was presented was bound to the call as it was made.
            let request = CallRequest { call: canonical.as_ref().unwrap_or(self.call), ..*self };
            let listed = (listed, canonical.is_some());
            let judged = judge(&CallInputs::of(request, &current, &presented, listed)?)?;
            Ok((canonical, judged))
        });
        match judged {
            Ok((canonical, judged)) => Ok((presented, canonical, judged)),
            Err(denial) => Err(presented.refuse(denial)),
        }
    }

    fn present(
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
    pub(super) fn into_permit(self, shared: &Arc<Apart<Arc<Shared>>>, call: Call) -> Permit {
        let Committed { cell, grant, seq, version, rules, canonical } = self;
        let call = canonical.unwrap_or(call);
        Permit::new(shared.clone(), cell, grant, seq, version, rules, call)
    }
}
