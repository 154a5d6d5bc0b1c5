//! Three values: what a condition can answer.

use std::ops::{BitAnd, BitOr, Not};

/// The answer of a condition: true, false, or unknown.
///
/// Kleene's strong logic: unknown stays unknown unless the other side settles the matter alone. A
/// permit needs [`Truth::True`]; a forbid or an ask acts on [`Truth::True`] and [`Truth::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Truth {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// It can't be told: an attribute is missing, or a value is of another kind than the condition's.
    Unknown,
}

impl Truth {
    pub(crate) const fn of(holds: bool) -> Self {
        if holds { Truth::True } else { Truth::False }
    }

    /// Whether a forbid or an ask acts on this answer.
    pub(crate) const fn may_hold(self) -> bool {
        !matches!(self, Truth::False)
    }
}

impl BitAnd for Truth {
    type Output = Truth;

    fn bitand(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }
}

impl BitOr for Truth {
    type Output = Truth;

    fn bitor(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::False, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }
}

impl Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}
