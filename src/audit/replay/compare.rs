//! What a record says was decided, next to what is decided now.

use std::borrow::Cow;

use super::outcome::{Decided, Difference, Ruled, Ruling};
use crate::denial::Denial;
use crate::policy::{Effect, RuledAgain};

/// What a record says rules decided.
pub(super) struct Said<'r> {
    pub(super) seq: u64,
    pub(super) task: &'r str,
    pub(super) who: &'r str,
    pub(super) about: Decided,
    pub(super) tools: Vec<String>,
    pub(super) ruled: Ruled,
    pub(super) rules: &'r [Cow<'static, str>],
    /// Whether people had agreed to it.
    pub(super) was_approved: bool,
}

/// What rules say now.
pub(super) struct Again {
    pub(super) ruled: Ruled,
    pub(super) rules: Vec<String>,
    /// The permits of what asks withhold.
    permits: Vec<String>,
    /// Whether it is the policy that the record was decided under.
    is_own: bool,
}

impl Again {
    pub(super) fn of(answer: Result<RuledAgain, Denial>, is_own: bool) -> Self {
        match answer {
            Ok(RuledAgain { effect, rules, permits }) => {
                let ruled = match effect {
                    Some(Effect::Permit) => Ruled::Permitted,
                    Some(Effect::Ask) => Ruled::Asked,
                    Some(Effect::Forbid) => Ruled::Forbidden,
                    None => Ruled::NotCovered,
                };
                Again { ruled, rules, permits, is_own }
            }
            Err(denial) => {
                let ruled = Ruled::Refused(denial.reason().as_str());
                Again { ruled, rules: Vec::new(), permits: Vec::new(), is_own }
            }
        }
    }
}

impl Said<'_> {
    /// Under the policy it was decided under, rules have to be the same; under another one, what they come to.
    pub(super) fn agrees_with(&self, again: &Again) -> bool {
        let is_same =
            |own: &[Cow<'_, str>], rules: &[String]| !again.is_own || own.iter().eq(rules.iter());
        match (self.ruled, again.ruled) {
            // What people had agreed to is given whether or not they have to by now.
            (Ruled::Permitted, Ruled::Asked) if self.was_approved => {
                is_same(self.rules, &again.permits)
            }
            // Asks about which people had agreed to a scope are not among those that withheld it.
            (Ruled::Asked, Ruled::Asked) => {
                !again.is_own || self.rules.iter().all(|own| again.rules.iter().any(|r| r == own))
            }
            (own, other) => own == other && is_same(self.rules, &again.rules),
        }
    }

    pub(super) fn difference(self, again: Again) -> Difference {
        let rules = self.rules.iter().map(|rule| rule.clone().into_owned()).collect();
        Difference {
            seq: self.seq,
            task: self.task.to_owned(),
            who: self.who.to_owned(),
            about: self.about,
            tools: self.tools,
            recorded: Ruling { ruled: self.ruled, rules },
            replayed: Ruling { ruled: again.ruled, rules: again.rules },
        }
    }
}
