//! What a grant gives a credential, at one moment.

use super::credentials::tail_of;
use super::open_call::OpenCall;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::credential::{Key, Provider};
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::task::{Basis, Claim, Life};

/// Whose a credential is, and how long it may live, at one moment.
pub(super) struct LeaseTerms {
    pub(super) key: Key,
    pub(super) serial: u32,
    pub(super) holder: Identity,
    pub(super) now: Timestamp,
    /// When what is minted has to have expired.
    pub(super) expires: Timestamp,
}

impl OpenCall {
    /// Does something under the task's lock, with what the grant gives this credential, while the call could start.
    pub(super) fn with_lease_terms<T>(
        &self,
        call: &Call,
        name: &str,
        provider: &Provider,
        then: impl FnOnce(&mut Life, LeaseTerms) -> T,
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
        // None of them ends after the task's ceiling.
        let ends = lineage.iter().map(|row| row.expires).min().unwrap_or(now);
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
        Ok(then(life, LeaseTerms { key, serial, holder, now, expires }))
    }
}
