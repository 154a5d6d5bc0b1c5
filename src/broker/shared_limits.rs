//! Limits that span tasks, in a fleet: they are counted in its store, outside of all locks, after a call was judged and
//! before it is judged again and committed.

use std::sync::Arc;

use super::call_request::{CallRequest, Refusal};
use super::charged_call::ChargedCall;
use super::judge::{CallInputs, Reserved};
use super::presented::PresentedGrant;
use crate::call::Call;
use crate::denial::{Denial, Reason};
use crate::grant::{Coverage, SharedCharge, SharedDemand};
use crate::task::{Life, Liveness};

/// How often a call is charged anew because what it draws on has changed meanwhile.
const TRIES: u32 = 4;

/// The call, if it was spelled otherwise than the tool gets it, and what is reserved for it: else, what to charge first.
type Judged = (Option<Call>, Result<Reserved, Box<SharedDemand>>);

impl CallInputs<'_> {
    /// The limits of the call that the nodes of a fleet count together; nothing outside of a fleet.
    #[inline(always)]
    pub(super) fn shared_demand(
        &self,
        life: &Life,
        coverage: &Coverage,
    ) -> Option<Box<SharedDemand>> {
        match self.request.shared.member.is_in_fleet() {
            true => life.shared_demand(coverage),
            false => None,
        }
    }

    /// What the call was charged in shared counters, if it draws on any; else, what to charge.
    ///
    /// # Errors
    /// The [`Denial`] of a limit that this node counts by itself: what is denied for that is not charged.
    #[inline(always)]
    pub(super) fn shared_charge(
        &self,
        life: &mut Life,
        live: &Liveness,
        coverage: &Coverage,
        charged: Option<&ChargedCall>,
    ) -> Result<Result<Option<Arc<SharedCharge>>, Box<SharedDemand>>, Denial> {
        match (self.shared_demand(life, coverage), charged) {
            (None, None) => Ok(Ok(None)),
            (Some(demand), Some(charged)) if demand == charged.demand => {
                Ok(Ok(Some(charged.charge.clone())))
            }
            // What was limited then is not now.
            (None, Some(charged)) => {
                charged.charge.undo();
                Ok(Ok(None))
            }
            (Some(demand), _) => {
                let CallRequest { shared, call, .. } = self.request;
                let most = shared.settings.max_permits;
                life.check_spend(live, coverage, call.args(), most, true)?;
                Ok(Err(demand))
            }
        }
    }
}

impl CallRequest<'_> {
    /// Charges what nodes count together, and has the call judged once more, as of the time by then.
    #[cold]
    pub(super) fn reserve_shared(
        &self,
        presented: &mut PresentedGrant,
        mut canonical: Option<Call>,
        mut demand: Box<SharedDemand>,
    ) -> Result<(Option<Call>, Reserved), Refusal> {
        for _ in 0..TRIES {
            let args = canonical.as_ref().unwrap_or(self.call).args();
            let charge = self.shared.member.charge_shared(&demand, args);
            let charged =
                ChargedCall { charge: charge.map_err(|own| presented.refuse(own))?, demand };
            // The store may have taken its time: the lease is looked at again, and all that has a time.
            let judged = match self.shared.now() {
                Ok(now) => {
                    let again = CallRequest { now, ..*self };
                    again.judge_again(presented, &charged)
                }
                Err(denial) => Err(presented.refuse(denial)),
            };
            match judged {
                Ok((canonical, Ok(reserved))) => return Ok((canonical, reserved)),
                Ok((spelled, Err(other))) => {
                    charged.charge.undo();
                    (canonical, demand) = (spelled, other);
                }
                Err(refusal) => {
                    charged.charge.undo();
                    return Err(refusal);
                }
            }
        }
        let denial = Denial::new(Reason::LimitUnknown);
        Err(presented.refuse(denial.because("the limits of the call changed again and again")))
    }

    /// Finds anew what was presented, and has the call judged with what it was charged.
    fn judge_again(
        &self,
        presented: &mut PresentedGrant,
        charged: &ChargedCall,
    ) -> Result<Judged, Refusal> {
        let current = self.shared.current();
        let listed = current.policy.catalogue.get(self.call.tool());
        *presented = self.present(&current, listed)?;
        let judged = self.judge(&current, listed, presented, |own| own.reserve(Some(charged)));
        judged.map_err(|denial| presented.refuse(denial))
    }

    /// Asks the store whether the call could be charged.
    #[cold]
    pub(super) fn probe_shared(
        &self,
        presented: &PresentedGrant,
        canonical: Option<&Call>,
        demand: &SharedDemand,
    ) -> Result<(), Refusal> {
        let args = canonical.unwrap_or(self.call).args();
        self.shared.member.probe_shared(demand, args).map_err(|own| presented.refuse(own))
    }
}
