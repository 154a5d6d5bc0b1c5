//! Moments: ranges of instants.

use super::constraint_error::ConstraintError;
use crate::clock::Timestamp;

/// The instants from `after` on, up to and without `before`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Instants {
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
}

impl Instants {
    pub(crate) fn contains(&self, instant: Timestamp) -> bool {
        self.after.is_none_or(|after| after <= instant)
            && self.before.is_none_or(|before| instant < before)
    }

    /// The instants in both.
    pub(crate) fn intersect(self, other: Instants) -> Instants {
        // Nothing is less than something, and for the end it is to be more.
        let before = match (self.before, other.before) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (one, None) | (None, one) => one,
        };
        Instants { after: self.after.max(other.after), before }
    }

    /// Whether no instant lies within.
    pub(crate) fn is_empty(&self) -> bool {
        self.after.zip(self.before).is_some_and(|(after, before)| after >= before)
    }

    pub(crate) fn is_within(&self, wider: &Instants) -> bool {
        let after = match (self.after, wider.after) {
            (_, None) => true,
            (Some(own), Some(wide)) => own >= wide,
            (None, Some(_)) => false,
        };
        let before = match (self.before, wider.before) {
            (_, None) => true,
            (Some(own), Some(wide)) => own <= wide,
            (None, Some(_)) => false,
        };
        after && before
    }

    pub(crate) fn check(&self) -> Result<(), ConstraintError> {
        match (self.after, self.before) {
            (Some(after), Some(before)) if after >= before => Err(ConstraintError::Impossible(
                format!("`after = {after}` and `before = {before}`"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_range_of_instants_has_its_beginning_and_not_its_end() {
        let range = Instants {
            after: Some(at("2026-01-01T00:00:00Z")),
            before: Some(at("2026-01-02T00:00:00Z")),
        };
        assert!(range.contains(at("2026-01-01T00:00:00Z")));
        assert!(!range.contains(at("2026-01-02T00:00:00Z")));
        assert!(Instants { after: range.before, before: range.after }.check().is_err());
        assert!(Instants { after: range.after, before: range.after }.check().is_err());
    }

    proptest! {
        #[test]
        fn what_is_within_has_no_instant_outside(
            a in 0..100_i64, b in 0..100_i64, c in 0..100_i64, d in 0..100_i64, x in 0..100_i64,
        ) {
            let t = |n| Timestamp::from_unix_millis(n);
            let (narrow, wide) = (Instants { after: t(a), before: t(b) }, Instants { after: t(c), before: t(d) });
            let x = t(x).unwrap();
            if narrow.is_within(&wide) && narrow.contains(x) {
                prop_assert!(wide.contains(x));
            }
        }
    }
}
