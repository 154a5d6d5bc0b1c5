//! What people agreed to, as a permit carries it.

use std::sync::Arc;

use super::plan::Items;
use super::question::OpenQuestion;
use crate::base64::Spelled;

/// What a permit was redeemed by.
pub(crate) struct Approval {
    /// Those of calls: each gives one of its uses.
    pub(crate) questions: Box<[Arc<OpenQuestion>]>,
    /// Those of scopes that the call lies in, each with the items by which it passed: they are kept.
    pub(crate) scopes: Box<[(Arc<OpenQuestion>, Items)]>,
    /// Whether a rule keeps what never started.
    pub(crate) is_kept: bool,
}

impl Approval {
    /// Whether a use of a call's yes is spent by starting: that has a record of its own before it does. What a scope's
    /// yes lets pass can be called again, and one call of it more or less is told by its outcome as of any other.
    pub(crate) fn is_used_up(&self) -> bool {
        !self.questions.is_empty()
    }

    /// The ids of the questions, as records write them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Spelled<22>> {
        let scopes = self.scopes.iter().map(|(own, _)| own);
        self.questions.iter().chain(scopes).map(|own| own.id.text())
    }

    pub(super) fn spend(&self) {
        self.questions.iter().for_each(|own| own.spend());
    }

    /// The permit never started.
    pub(super) fn give_back(&self) {
        let come_back = if self.is_kept { OpenQuestion::lose } else { OpenQuestion::give_back };
        self.questions.iter().for_each(|own| come_back(own));
    }

    /// The permit was never given.
    pub(super) fn unspend(&self) {
        self.questions.iter().for_each(|own| own.unspend());
    }

    /// Whether all of it stands.
    pub(crate) fn stands(&self) -> bool {
        self.questions.iter().all(|own| own.stands())
            && self.scopes.iter().all(|(own, items)| own.stands_for(*items))
    }

    /// Whether all of it stands, now that the call starts.
    pub(crate) fn start(&self) -> bool {
        // All of them before any: where one was taken back, the others can still be.
        let stands = self.stands();
        if stands {
            self.questions.iter().for_each(|own| own.note_start());
        }
        stands
    }
}
