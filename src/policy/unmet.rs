//! What a rule compares with that nothing ever is: a forbid of that refuses nothing.

use super::rule::{Rule, Tools};
use super::warning::{WarningCode, suggestion};
use crate::identity::Kind;
use crate::scope::{Constraint, Fact, Node};
use crate::value::Value;
use crate::visible::Shown;

/// Names what of the rule is never so.
pub(super) fn unmet(rule: &Rule, warn: &mut impl FnMut(WarningCode, String)) {
    if let Tools::Like(constraint) = &rule.tools {
        patterns("what.tool", constraint, warn);
    }
    for condition in &rule.conditions {
        patterns(&condition.fact.to_string(), &condition.constraint, warn);
        match &condition.fact {
            Fact::WhoKind => kinds(&condition.constraint, warn),
            // Reserved, so that nobody takes what a host states for the broker's own time.
            Fact::Context(name) if &**name == "time" => {
                let message = "no context states `when.time`: the broker's time is `when.now`";
                warn(WarningCode::NeverStated, message.to_owned());
            }
            _ => {}
        }
    }
}

/// Texts that are taken as they are written, and look as if they were meant for patterns.
fn patterns(fact: &str, constraint: &Constraint, warn: &mut impl FnMut(WarningCode, String)) {
    constraint.for_each_leaf(&mut |leaf| {
        let mut look = |text: &str| {
            // Alone it is a word of its own, for all columns of a table, say.
            if text.contains('*') && text != "*" {
                let message = format!(
                    "`{fact}` is compared with {} as it is written: a pattern is said with `glob`",
                    Shown(text)
                );
                warn(WarningCode::PatternAsText, message);
            }
        };
        match leaf {
            Node::Prefix(text) | Node::Suffix(text) | Node::Under(text) => look(text),
            Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
                set.iter().filter_map(Value::as_text).for_each(look);
            }
            _ => {}
        }
    });
}

fn kinds(constraint: &Constraint, warn: &mut impl FnMut(WarningCode, String)) {
    const KINDS: [Kind; 3] = [Kind::Agent, Kind::Workload, Kind::Human];
    let known = KINDS.map(Kind::as_str);
    constraint.for_each_leaf(&mut |leaf| {
        let Node::Is(set) = leaf else { return };
        for kind in set.iter().filter_map(Value::as_text).filter(|kind| !known.contains(kind)) {
            let guess = suggestion(kind, known);
            let message = format!(
                "nobody is of the kind {}, expected `{}`{guess}",
                Shown(kind),
                known.join("`, `"),
            );
            warn(WarningCode::UnknownKind, message);
        }
    });
}
