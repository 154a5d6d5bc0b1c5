//! Names of arguments with a dot in them, which are those names and look into nothing.

use super::warning::{Findings, WarningCode};
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::visible::Shown;

/// Warns of `args = { "filter.owner" = … }` where the field of an argument was probably meant.
pub(super) fn dotted(rule: &Rule, findings: &mut Findings<'_>) {
    for condition in rule.all_conditions() {
        let Some(name) = condition.fact.as_argument() else { continue };
        let Some((outer, inner)) = name.split_once('.') else { continue };
        if outer.is_empty() || inner.is_empty() {
            continue;
        }
        let message = format!(
            "{} is the name of one argument: the field of another is \
             `{} = {{ fields = {{ {} = … }}, other_fields = \"any\" }}`",
            Shown(name),
            outer.escape_debug(),
            inner.escape_debug()
        );
        findings.add(WarningCode::DottedName, &place_of(&condition.fact), message);
    }
}
