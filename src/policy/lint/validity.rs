//! Rules that do not apply today, or that are past their review.

use crate::clock::Timestamp;
use crate::policy::rule::Rule;
use crate::visible::Shown;

use super::warning::{Findings, WarningCode};

pub(super) fn validity(rule: &Rule, now: Timestamp, findings: &mut Findings<'_>) {
    match (rule.validity().from, rule.validity().until) {
        (_, Some(until)) if until <= now => {
            findings.add(WarningCode::Ended, "valid.until", format!("it ended at {until}"));
        }
        (Some(from), _) if now < from => {
            findings.add(
                WarningCode::NotYetValid,
                "valid.from",
                format!("it applies from {from} on"),
            );
        }
        _ => {}
    }
    if let Some(by) = rule.review_date().filter(|by| *by <= now) {
        let owner = rule.owned_by().map_or(String::new(), |owner| format!(" by {}", Shown(owner)));
        let message = format!("it was to be reviewed{owner} until {by}");
        findings.add(WarningCode::ReviewOverdue, "review_by", message);
    }
}
