//! A credential that a call is minting: what its end owes, whether it is done, fails or is given up.

use super::downstream::Downstream;
use super::shared::Shared;
use crate::audit::{Event, GoneHow};
use crate::credential::Key;

/// A credential that a call is minting. When this is dropped, calls that wait for it are woken, and what may have been
/// made, and did not land, is owed.
pub(super) struct Flight<'f> {
    pub(super) shared: &'f Shared,
    pub(super) downstream: &'f Downstream,
    key: &'f Key,
    pub(super) ticket: u64,
    state: Flying,
}

/// How far the minting is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flying {
    Begun,
    /// It is in the ledger, and something may have been made.
    Planned,
    /// It is what calls run with, or the ledger knows that its grant has ended.
    Landed,
}

impl<'f> Flight<'f> {
    pub(super) fn begun(
        shared: &'f Shared,
        downstream: &'f Downstream,
        key: &'f Key,
        ticket: u64,
    ) -> Self {
        Flight { shared, downstream, key, ticket, state: Flying::Begun }
    }

    /// It is in the ledger, and something may be made from now on.
    pub(super) fn note_planned(&mut self) {
        self.state = Flying::Planned;
    }

    /// It is what calls run with, or the ledger knows that its grant has ended.
    pub(super) fn note_landed(&mut self) {
        self.state = Flying::Landed;
    }

    /// Nothing was made: of what is not in the ledger, nothing is owed. If the log has its plan, it is told so.
    pub(super) fn nothing_minted(&self, recorded: bool, name: &str) {
        let at = self.shared.time_or_latest();
        if recorded {
            let gone = Event::CredentialGone { name: name.into(), how: GoneHow::NeverMinted };
            self.shared.record(at, &gone);
        }
        let settled = self.downstream.ledger.forget(self.key, self.ticket, recorded);
        self.shared.record_settled(settled, at);
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
