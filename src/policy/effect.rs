//! What a rule that applies does.

use std::fmt;

use super::moment::{Moment, Moments};

/// What a rule that applies does. Forbid beats ask, ask beats permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Gives access.
    Permit,
    /// Withholds what a permit gives until people agree. Gives nothing itself.
    Ask,
    /// Refuses, whatever else applies.
    Forbid,
}

impl Effect {
    /// The word of policies and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Effect::Permit => "permit",
            Effect::Ask => "ask",
            Effect::Forbid => "forbid",
        }
    }

    /// Permits say nothing of delegation unless they say so; forbid and ask always speak.
    pub(super) fn usual_moments(self) -> Moments {
        match self {
            Effect::Permit => Moments::of(&[Moment::Request, Moment::Call]),
            Effect::Ask | Effect::Forbid => {
                Moments::of(&[Moment::Request, Moment::Call, Moment::Delegate])
            }
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
