//! Why not: the permit that came nearest, and the first thing that kept it from applying.

use super::compiled::Compiled;
use super::decide::Obstacle;
use super::index::Side;
use super::question::{Question, Setting};
use super::rule::Rule;
use super::wanted::Wanted;
use crate::denial::Nearest;
use crate::scope::{Condition, Constraint, Fact, Facts, Outside, failed, shown};

/// How many permits of a tool are looked at for the nearest. An explanation is for a person who will
/// look at one rule; a bound keeps a denial as cheap under a hundred thousand rules as under ten.
const LOOKED_AT: usize = 64;

/// The permit that came nearest to permitting the call.
pub(crate) fn nearest_for_call(policy: &Compiled, question: &Question<'_>) -> Option<Nearest> {
    question.setting.meter.explain(|| {
        let (rule, obstacle) =
            nearest(policy, question.what.tool, &question.setting, |rule| rule.obstacle(question))?;
        Some(Nearest { rule: rule.id.clone(), obstacle: describe(&obstacle, question).into() })
    })
}

/// The permit that came nearest to covering the capability.
pub(crate) fn nearest_for_request(policy: &Compiled, wanted: &Wanted<'_>) -> Option<Nearest> {
    wanted.setting.meter.explain(|| nearest_covering(policy, wanted))
}

fn nearest_covering(policy: &Compiled, wanted: &Wanted<'_>) -> Option<Nearest> {
    let tool = wanted.capability.tool.as_str();
    let (rule, obstacle) = nearest(policy, tool, &wanted.setting, |rule| rule.first_gap(wanted))?;
    let mut told = match obstacle {
        Obstacle::Wider(condition) => wider(condition, wanted),
        _ => describe(&obstacle, wanted),
    };
    if matches!(obstacle, Obstacle::Wider(_) | Obstacle::MoreOpen)
        && let Some(example) = rule.example_outside(wanted)
    {
        told.push_str(&format!("; it does not cover {}", shown(&example)));
    }
    Some(Nearest { rule: rule.id.clone(), obstacle: told.into() })
}

fn nearest<'p>(
    policy: &'p Compiled,
    tool: &str,
    setting: &Setting<'_>,
    obstacle: impl Fn(&'p Rule) -> Option<Obstacle<'p>>,
) -> Option<(&'p Rule, Obstacle<'p>)> {
    let Setting { moment, meter, .. } = *setting;
    policy
        .index
        .all(Side::Permits, tool)
        .take(LOOKED_AT)
        .filter_map(|at| policy.rule(at))
        .filter(|rule| rule.moments.include(moment))
        .filter_map(|rule| obstacle(rule).map(|obstacle| (passed(rule, &obstacle), rule, obstacle)))
        // What could not be looked at shows nothing.
        .take_while(|_| !meter.is_spent())
        // The first of the best, in the order of ids.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, rule, obstacle)| (rule, obstacle))
}

/// How far a rule got, in thousandths: its conditions are asked in order, and the closed world last.
fn passed(rule: &Rule, obstacle: &Obstacle<'_>) -> usize {
    let all = rule.conditions.len() + 1;
    let passed = match obstacle {
        Obstacle::Moment | Obstacle::Validity | Obstacle::Tool(_) => return 0,
        // The call is right; only its token was presented in another way.
        Obstacle::Presentation => all - 1,
        Obstacle::Outside(Outside::Condition(failed, _)) | Obstacle::Wider(failed) => {
            rule.conditions.iter().position(|own| std::ptr::eq(own, *failed)).unwrap_or(0)
        }
        Obstacle::Outside(Outside::Uncovered(_)) | Obstacle::MoreOpen => all - 1,
    };
    1 + passed * 1000 / all
}

/// In which way what is wanted goes beyond a condition.
fn wider(Condition { fact, constraint }: &Condition, wanted: &Wanted<'_>) -> String {
    let asked = wanted.capability;
    if matches!(fact, Fact::Arg(_)) && !asked.conditions.iter().any(|own| own.fact == *fact) {
        let left = if asked.openness.other_args { "left open by" } else { "not named in" };
        return format!("`{fact}` is {left} what is asked for: expected {constraint}");
    }
    let known = wanted.known(constraint, &wanted.only_way(constraint));
    let here = if *known == *constraint { String::new() } else { format!(", here {known}") };
    not_shown(fact, constraint) + &here
}

fn not_shown(fact: &Fact, constraint: &Constraint) -> String {
    format!("`{fact}`: what is asked for is not shown to lie within {constraint}")
}

fn describe<'q>(obstacle: &Obstacle<'_>, facts: impl Facts<'q>) -> String {
    match obstacle {
        Obstacle::Moment => "it does not speak at this moment".into(),
        Obstacle::Validity => "it does not apply at this time".into(),
        Obstacle::Presentation => "it speaks of tokens presented in another way".into(),
        Obstacle::Tool(constraint) => format!("`what.tool`: expected {constraint}"),
        Obstacle::Outside(Outside::Condition(condition, truth)) => failed(condition, *truth, facts),
        Obstacle::Outside(Outside::Uncovered(uncovered)) => uncovered.said_of("it"),
        Obstacle::Wider(Condition { fact, constraint }) => not_shown(fact, constraint),
        Obstacle::MoreOpen => {
            "what is asked for leaves arguments or a resource open that it closes".into()
        }
    }
}
