//! Beginnings of paths, and of texts that the question states, behind which a longer name may go on.

use super::warning::{Findings, WarningCode};
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::scope::{Fact, Node, Operand, Relation};
use crate::visible::Shown;

/// Warns of `prefix = "/home/ana"`, with which `/home/anabel` begins, too, and of `prefix = { ref = … }`.
pub(super) fn open_prefix(rule: &Rule, findings: &mut Findings<'_>) {
    for condition in rule.conditions.iter().filter(|own| matches!(own.fact, Fact::Arg(_))) {
        let (fact, mut found) = (&condition.fact, None);
        condition.constraint.for_each_leaf(&mut |leaf| match leaf {
            Node::Prefix(text) if is_open_folder(text) => {
                found.get_or_insert_with(|| {
                    format!(
                        "`{fact}` may go on in any way behind {}: for a folder and what lies in it write \
                         `under = \"{}\"`, for files that begin so a `glob`",
                        Shown(text),
                        text.escape_debug()
                    )
                });
            }
            Node::Compared(own) if own.relation == Relation::Prefix => {
                if let Operand::Fact(other) = &own.with {
                    found.get_or_insert_with(|| {
                        format!(
                            "`{fact}` may go on in any way behind what `{other}` says, so that `/home/anabel` begins with \
                             `/home/ana`: for a folder write `under = {{ ref = \"{other}\" }}`, else \
                             `prefix = {{ join = [{{ ref = \"{other}\" }}, \"/\"] }}`"
                        )
                    });
                }
            }
            _ => {}
        });
        if let Some(message) = found {
            findings.add(WarningCode::OpenPrefix, &place_of(fact), message);
        }
    }
}

/// A path of at least two names that does not end with a `/`.
fn is_open_folder(text: &str) -> bool {
    let path = text.strip_prefix('/').or_else(|| text.strip_prefix("./"));
    path.is_some_and(|path| !path.is_empty() && !path.ends_with('/') && !path.starts_with('/'))
}
