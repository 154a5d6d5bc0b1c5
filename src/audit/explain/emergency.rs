//! A grant that breaking the glass gave: why, who was alerted, and what the review said.

use serde::Serialize;

use crate::audit::{BrokenGlass, Event, Record};
use crate::clock::Timestamp;

/// What stands behind a grant that breaking the glass gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedEmergency {
    /// Why the glass was broken, in the words of who did.
    pub justification: String,
    /// Until when it has to be reviewed.
    pub due: Timestamp,
    /// Why the host's alert was not accepted, if it was not.
    pub unalerted: Option<String>,
    /// Who reviewed it; nothing as long as that is owed.
    pub reviewer: Option<String>,
    /// What the reviewer found.
    pub verdict: Option<String>,
    /// When that was.
    pub reviewed: Option<Timestamp>,
}

impl ExplainedEmergency {
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let Event::BrokenGlass(BrokenGlass { justification, due, .. }) = event else { return None };
        Some(ExplainedEmergency {
            justification: justification.to_string(),
            due: *due,
            unalerted: None,
            reviewer: None,
            verdict: None,
            reviewed: None,
        })
    }

    /// Follows it by a record about its grant. A review that does not count changes nothing.
    pub(super) fn note(&mut self, record: &Record) {
        match &record.event {
            Event::AlertFailed { cause, .. } => self.unalerted = Some(cause.to_string()),
            Event::DebtClosed { who, verdict, refused: None, .. } => {
                self.reviewer = Some(who.to_string());
                self.verdict = Some(verdict.to_string());
                self.reviewed = Some(record.at);
            }
            _ => {}
        }
    }
}
