//! A place in the sequence.

/// The number of a record that gives access, to be settled outside the locks.
#[must_use = "a record that is placed must be settled, or its placer does not learn of its refusal"]
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) seq: u64,
    /// How many withdrawals there had been.
    pub(super) withdrawals: u64,
}

impl Place {
    /// The number that the record has, or that its withdrawal has.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }
}
