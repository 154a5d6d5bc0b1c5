//! Following what a log says of a question, so that it stands under another broker as it stood when the log ended.

use super::plan::Items;
use super::question::OpenQuestion;
use crate::approval::width::Width;
use crate::clock::Timestamp;
use crate::identity::Identity;

/// A yes, as its record says it.
pub(crate) struct RecalledYes<'a> {
    pub(crate) who: &'a Identity,
    pub(crate) confirms: bool,
    pub(crate) width: Width,
    pub(crate) items: Items,
    /// The items that it made complete.
    pub(crate) given: Items,
    pub(crate) at: Timestamp,
    /// Until when what it made complete is good.
    pub(crate) good_until: Option<Timestamp>,
}

/// What became of a use of a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecalledUse {
    Taken,
    Started,
    /// Its permit never started.
    GivenBack,
    /// As that, under a rule that keeps what never started.
    Lost,
}

impl OpenQuestion {
    /// Takes a yes that counted: whether that makes of it what it did then.
    #[must_use]
    pub(crate) fn recall_yes(&self, yes: &RecalledYes<'_>) -> bool {
        let RecalledYes { who, confirms, width, items, given, at, good_until } = *yes;
        self.agree(who, confirms, width, items);
        match (self.plan(), good_until) {
            (_, None) => given.is_none(),
            (None, Some(until)) => self.complete(at) == Some(until),
            (Some(_), Some(until)) => {
                given.iter().all(|item| self.give_item(item, at).is_some())
                    && self.good_until() == Some(until)
            }
        }
    }

    pub(crate) fn recall_use(&self, what: RecalledUse) {
        match what {
            RecalledUse::Taken => self.spend(),
            RecalledUse::Started => self.note_start(),
            RecalledUse::GivenBack => self.give_back(),
            RecalledUse::Lost => self.lose(),
        }
    }
}
