//! Rules for emergencies: what a permit that speaks where the glass is broken has to say.

use std::time::Duration;

use super::effect::Effect;
use super::moment::Moment;
use super::rule::Rule;
use crate::clock::unstatable;
use crate::identity::Kind;
use crate::scope::{Condition, Fact, Set};

/// What is wrong with what a rule says of breaking the glass, and where.
pub(super) fn break_glass_fault(rule: &Rule) -> Option<(String, String)> {
    let speaks = rule.effect == Effect::Permit && rule.moments.include(Moment::BreakGlass);
    let fault = |at: &str, problem: &str| Some((at.to_owned(), problem.to_owned()));
    let terms = match (&rule.break_glass, speaks) {
        (None, false) => return None,
        (Some(_), false) => {
            return fault("break_glass", "it belongs to a permit `on = [\"break_glass\"]`");
        }
        (None, true) => {
            return fault(
                "break_glass",
                "it does not say who reviews afterwards: `break_glass = { review = [{ groups = { has_any = [..] } }] }`",
            );
        }
        (Some(terms), true) => terms,
    };
    if rule.limits.ttl.is_none() {
        return fault(
            "grant.ttl",
            "breaking the glass is short: say for how long, as `ttl = \"15m\"`",
        );
    }
    if rule.limits.uses.is_none() {
        return fault(
            "grant.uses",
            "breaking the glass is counted: say how many calls, as `uses = 5`",
        );
    }
    let only = !rule.moments.include(Moment::Request);
    if only && rule.limits.depth.is_some() {
        return fault("grant.depth", "what breaking the glass gives is not delegated");
    }
    if only && rule.conditions.iter().any(excludes_people) {
        return fault(
            "who.kind",
            "people alone break the glass, and it names none: expected `human`",
        );
    }
    if let Some((at, problem)) = terms.review.fault() {
        return Some((at.replacen("approval", "break_glass", 1), problem));
    }
    let need = terms.review.reviewed_by(&[]).map_or(0, |progress| progress.need);
    if need != 1 {
        let problem = format!(
            "one person reviews it, and it asks for {need}: leave `count` out, or say `any`"
        );
        return Some(("break_glass.review".to_owned(), problem));
    }
    let problem = match terms.due {
        Duration::ZERO => "`0s` leaves no time to review".to_owned(),
        due => format!("`{due:?}`: {}", unstatable(due)?),
    };
    Some(("break_glass.due".to_owned(), problem))
}

/// Whether a condition leaves no human.
fn excludes_people(condition: &Condition) -> bool {
    let human = |set: &Set| set.iter().any(|kind| kind.as_text() == Some(Kind::Human.as_str()));
    condition.fact == Fact::WhoKind && condition.constraint.finite().is_some_and(|set| !human(set))
}
