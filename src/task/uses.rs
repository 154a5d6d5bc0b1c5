//! The uses of an approval: how many calls it is good for, and which of their permits have not started.

use crate::approval::GIVEN_BACK;

/// The uses of an approval, counted under its task's lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    left: u32,
    /// Permits that hold a use each, and may start still.
    unstarted: u32,
    given_back: u8,
}

impl Uses {
    pub(super) const NONE: Uses = Uses { left: 0, unstarted: 0, given_back: 0 };

    pub(super) fn new(number: u32) -> Uses {
        Uses { left: number, ..Uses::default() }
    }

    /// Whether a call can be permitted.
    pub(super) fn is_any_left(self) -> bool {
        self.left > 0
    }

    /// Whether a permit holds one that has not started.
    pub(super) fn is_any_unstarted(self) -> bool {
        self.unstarted > 0
    }

    /// A permit takes one.
    pub(super) fn take(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.unstarted = self.unstarted.saturating_add(1);
    }

    /// The call of a permit that holds one starts.
    pub(super) fn start(&mut self) {
        self.unstarted = self.unstarted.saturating_sub(1);
    }

    /// A permit never started, and what it held comes back, unless that happened too often.
    pub(super) fn give_back(&mut self) {
        self.start();
        if self.given_back < GIVEN_BACK {
            self.given_back += 1;
            self.left = self.left.saturating_add(1);
        }
    }

    /// A permit was never given: nothing was used.
    pub(super) fn undo(&mut self) {
        self.start();
        self.left = self.left.saturating_add(1);
    }

    /// A permit never started, and a rule keeps what it held.
    pub(super) fn lose(&mut self) {
        self.start();
    }
}
