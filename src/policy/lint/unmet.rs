//! What a rule compares with that no question ever states: a forbid of that refuses nothing.

use super::guess::Guesses;
use super::warning::{Findings, WarningCode};
use crate::identity::Kind;
use crate::policy::rule::Rule;
use crate::scope::{Constraint, Fact, Node};
use crate::value::Value;
use crate::visible::Shown;

/// Warns of kinds of identity that do not exist, and of attributes that no context may state.
pub(super) fn unmet(rule: &Rule, guesses: &Guesses, findings: &mut Findings<'_>) {
    for condition in &rule.conditions {
        if condition.fact == Fact::WhoKind {
            kinds(&condition.constraint, guesses, findings);
        }
        if is_of_the_time(&condition.fact) || condition.constraint.compares_with(&is_of_the_time) {
            let message = "no context states `when.time`: the broker's time is `when.now`";
            findings.add(WarningCode::NeverStated, "when.time", message);
        }
    }
}

/// Reserved, so that what a host states is never taken for the broker's own time.
fn is_of_the_time(fact: &Fact) -> bool {
    matches!(fact, Fact::Context(name) if &**name == "time")
}

fn kinds(constraint: &Constraint, guesses: &Guesses, findings: &mut Findings<'_>) {
    const KINDS: [Kind; 3] = [Kind::Agent, Kind::Workload, Kind::Human];
    let known = KINDS.map(Kind::as_str);
    constraint.for_each_leaf(&mut |leaf| {
        let Node::Is(set) = leaf else { return };
        for kind in set.iter().filter_map(Value::as_text).filter(|kind| !known.contains(kind)) {
            let guess = guesses.of(kind, known.into_iter());
            let message = format!(
                "no identity is of the kind {}, expected `{}`{guess}",
                Shown(kind),
                known.join("`, `"),
            );
            findings.add(WarningCode::UnknownKind, "who.kind", message);
        }
    });
}
