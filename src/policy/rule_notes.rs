//! What few rules say: who answers for one, from when until when it applies, and when to look at it again.

use crate::clock::Timestamp;
use crate::scope::Fact;

/// Kept apart from the rule, so that many rules that say none of it take little room.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleNotes {
    pub(super) owner: Option<Box<str>>,
    pub(super) validity: Validity,
    pub(super) review_by: Option<Timestamp>,
    /// What was compared with a list that stood bare in a policy's text, for lint.
    pub(super) bare_lists: Vec<Fact>,
}

/// From when until when a rule applies: `from <= now < until`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl Validity {
    pub(crate) fn holds_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}
