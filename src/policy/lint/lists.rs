//! Lists that are written bare, where one of several may have been meant.

use super::warning::{Findings, WarningCode};
use crate::policy::error::place_of;
use crate::policy::rule::Rule;

/// Warns of parts of the question that are compared with a bare list: with exactly that list, in that
/// order.
pub(super) fn lists(rule: &Rule, findings: &mut Findings<'_>) {
    for fact in rule.bare_lists() {
        let message = format!(
            "`{fact}` is compared with exactly this list, in this order: for one of these values write \
             `one_of`, for a list with any of them `has_any`, and for this list `eq`"
        );
        findings.add(WarningCode::BareList, &place_of(fact), message);
    }
}
