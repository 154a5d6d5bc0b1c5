//! What a task of an earlier life of the broker had used, as the log tells it.

use std::sync::Arc;

use super::history::Listing;
use super::life::Life;
use crate::clock::Timestamp;
use crate::grant::Stamp;
use crate::identity::Subject;
use crate::policy::Limits;
use crate::tool::ToolName;
use crate::value::Value;

impl Life {
    /// Adds a call to the history.
    pub(crate) fn recall_call(
        &mut self,
        tool: &ToolName,
        labels: &Value,
        call: u64,
        listing: Listing<'_>,
    ) {
        self.remember(tool, labels, call, listing);
    }

    /// Begins a spell, which is taken not to have been used since.
    pub(crate) fn recall_spell(
        &mut self,
        rule: &Arc<str>,
        limits: &Arc<Limits>,
        holder: &Subject,
        since: Timestamp,
    ) {
        let stamp = Stamp { rule: rule.clone(), limits: limits.clone(), spanning: None };
        if stamp.limits_time() {
            self.rest_mut().spells.begin(std::iter::once(&stamp), holder, since, since);
        }
    }
}
