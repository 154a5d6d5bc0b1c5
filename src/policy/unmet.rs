//! What a rule compares with that nothing ever is: a forbid of that refuses nothing.

use super::rule::{Rule, Tools};
use super::warning::WarningCode;
use crate::document::did_you_mean;
use crate::identity::Kind;
use crate::scope::{Constraint, Fact, Node};
use crate::value::{Shown, Value};

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
    visit_leaves(constraint, &mut |leaf| {
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
    visit_leaves(constraint, &mut |leaf| {
        let Node::Is(set) = leaf else { return };
        for kind in set.iter().filter_map(Value::as_text).filter(|kind| !known.contains(kind)) {
            let guess =
                did_you_mean(kind, known).map_or(String::new(), |guess| format!(": {guess}"));
            let message = format!(
                "nobody is of the kind {}, expected `{}`{guess}",
                Shown(kind),
                known.join("`, `"),
            );
            warn(WarningCode::UnknownKind, message);
        }
    });
}

fn visit_leaves<'c>(constraint: &'c Constraint, visit: &mut impl FnMut(&'c Node)) {
    match &constraint.0 {
        Node::All(parts) | Node::AnyOf(parts) => {
            parts.iter().for_each(|part| visit_leaves(part, visit));
        }
        Node::Not(inner) | Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => {
            visit_leaves(inner, visit);
        }
        Node::Fields(fields) => fields.iter().for_each(|(_, field)| visit_leaves(field, visit)),
        leaf => visit(leaf),
    }
}
