//! Which of a task's grants and permits are of what breaking the glass gave.

use super::life::Life;
use crate::grant::GrantId;
use crate::policy::Moment;

impl Life {
    /// Notes that breaking the glass gives this grant.
    pub(crate) fn note_glass(&mut self, grant: GrantId) {
        self.glass_mut().get_or_insert_default().grants.push(grant);
    }

    /// Whether breaking the glass gave the grant.
    pub(crate) fn is_of_glass(&self, grant: GrantId) -> bool {
        self.glass().is_some_and(|glass| glass.grants.contains(&grant))
    }

    /// The moment at which rules are asked about calls on a grant.
    pub(crate) fn moment_of_calls(&self, grant: GrantId) -> Moment {
        if self.is_of_glass(grant) { Moment::BreakGlass } else { Moment::Call }
    }

    /// Notes a permit of a grant, if that is one of these.
    pub(super) fn note_glass_permit(&mut self, grant: GrantId, seq: u64) {
        if let Some(glass) = self.glass_mut()
            && glass.grants.contains(&grant)
        {
            glass.permits.push(seq);
        }
    }

    /// Whether the permit of this number is on one of these grants.
    pub(crate) fn is_glass_permit(&self, seq: u64) -> bool {
        self.glass().is_some_and(|glass| glass.permits.contains(&seq))
    }
}
