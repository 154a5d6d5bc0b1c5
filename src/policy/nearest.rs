//! The permit that came nearest, and everything that kept it from applying.

use super::compiled::Compiled;
use super::decide::Obstacle;
use super::index::Side;
use super::moment::Moment;
use super::question::{Question, Setting};
use super::rule::Rule;
use super::wanted::Wanted;
use crate::denial::Nearest;
use crate::scope::{Condition, Fact, Facts, Outside, failed, not_shown, shown, wider};

/// How many permits of a tool are looked at for the nearest. An explanation is for a person who will
/// look at one rule; a bound keeps it as cheap under a hundred thousand rules as under ten.
const LOOKED_AT: usize = 64;

/// The permit that came nearest to permitting the call.
pub(super) fn nearest_for_call(policy: &Compiled, question: &Question<'_>) -> Option<Nearest> {
    let moment = question.setting.moment;
    let meter = question.setting.meter;
    let (rule, obstacles) = nearest(policy, question.what.tool, |rule| {
        meter.for_rule(true, || rule.all_obstacles(question))
    })?;
    let told = obstacles.iter().map(|own| {
        let told = match own {
            Obstacle::Excepted(exception) => exception.told(question, meter),
            _ => describe(own, (rule, moment), question),
        };
        (told + &brought(own, &question.setting)).into()
    });
    Some(Nearest { rule: rule.id.clone(), obstacles: told.collect(), example: None })
}

/// The permit that came nearest to covering the capability.
pub(super) fn nearest_for_request(policy: &Compiled, wanted: &Wanted<'_>) -> Option<Nearest> {
    let moment = wanted.setting.moment;
    let tool = wanted.capability.tool.as_str();
    let (rule, gaps) = nearest(policy, tool, |rule| rule.all_gaps(wanted))?;
    let told = gaps.iter().map(|gap| match gap {
        Obstacle::Wider(condition) => wanted.told_wider(condition),
        Obstacle::Excepted(exception) => exception.told_of_request(wanted),
        other => describe(other, (rule, moment), wanted) + &brought(other, &wanted.setting),
    });
    let is_wider = |gap: &Obstacle<'_>| matches!(gap, Obstacle::Wider(_) | Obstacle::MoreOpen);
    let example = gaps.iter().any(is_wider).then(|| rule.example_outside(wanted)).flatten();
    Some(Nearest {
        rule: rule.id.clone(),
        obstacles: told.map(Into::into).collect(),
        example: example.map(|example| shown(&example).into()),
    })
}

/// Which calls brought what the task has seen, where that is the obstacle.
fn brought(obstacle: &Obstacle<'_>, setting: &Setting<'_>) -> String {
    match obstacle {
        Obstacle::Outside(Outside::Condition(Condition { fact: Fact::Seen, .. }, _)) => {
            setting.seen.told()
        }
        _ => String::new(),
    }
}

/// The permit of the tool with the fewest obstacles, of those that have any; the first of several, in the
/// order of ids.
fn nearest<'p>(
    policy: &'p Compiled,
    tool: &str,
    obstacles: impl Fn(&'p Rule) -> Vec<Obstacle<'p>>,
) -> Option<(&'p Rule, Vec<Obstacle<'p>>)> {
    policy
        .index
        .all(Side::Permits, tool)
        .take(LOOKED_AT)
        .filter_map(|at| policy.rule(at))
        .map(|rule| (rule, obstacles(rule)))
        .filter(|(_, obstacles)| is_of_the_tool(obstacles))
        .min_by_key(|(_, obstacles)| distance(obstacles))
}

/// Whether a permit has something to do with the question at all: it may speak of the tool.
fn is_of_the_tool(obstacles: &[Obstacle<'_>]) -> bool {
    !obstacles.is_empty() && !obstacles.iter().any(|own| matches!(own, Obstacle::Tool(_)))
}

/// How far a permit is: one that is for others than the holder farther than any that is for it, then one
/// that does not speak at this moment, or never now, then by the number of obstacles.
fn distance(obstacles: &[Obstacle<'_>]) -> (bool, bool, usize) {
    let of_others = |own: &Obstacle<'_>| match own {
        Obstacle::Outside(Outside::Condition(condition, _)) => condition.fact.is_of_the_asker(),
        _ => false,
    };
    let silent = |own: &Obstacle<'_>| matches!(own, Obstacle::Moment | Obstacle::Validity);
    (obstacles.iter().any(of_others), obstacles.iter().any(silent), obstacles.len())
}

impl Wanted<'_> {
    /// In which way what is wanted goes beyond a condition.
    fn told_wider(&self, condition @ Condition { constraint, .. }: &Condition) -> String {
        let known = self.known(constraint, &self.only_way(constraint));
        let here = if *known == *constraint { String::new() } else { format!(", here {known}") };
        wider(condition, self.capability.cover()) + &here
    }
}

fn describe<'q>(
    obstacle: &Obstacle<'_>,
    (rule, moment): (&Rule, Moment),
    facts: impl Facts<'q>,
) -> String {
    match obstacle {
        Obstacle::Moment => silent(rule, moment),
        Obstacle::Validity => match (rule.validity().from, rule.validity().until) {
            (Some(from), None) => format!("it applies from {from} on"),
            (None, Some(until)) => format!("it applied until {until}"),
            (Some(from), Some(until)) => format!("it applies from {from} until {until}"),
            (None, None) => "it does not apply at this time".into(),
        },
        Obstacle::Presentation => match rule.presentation {
            Some(form) => format!("`presentation`: expected `{}`", form.as_str()),
            None => "it speaks of tokens presented in another way".into(),
        },
        Obstacle::Tool(constraint) => format!("`what.tool`: expected {constraint}"),
        Obstacle::Outside(Outside::Condition(condition, truth)) => failed(condition, *truth, facts),
        Obstacle::Outside(Outside::Uncovered(uncovered)) => uncovered.said_of("it"),
        Obstacle::Wider(Condition { fact, constraint }) => not_shown(fact, constraint),
        Obstacle::Excepted(_) => "it is an exception of the rule".into(),
        Obstacle::MoreOpen => {
            "what is asked for leaves arguments or a resource open that it closes".into()
        }
    }
}

/// At which moments a rule speaks, and how it would speak at this one.
fn silent(rule: &Rule, moment: Moment) -> String {
    let words = |moments: &mut dyn Iterator<Item = Moment>| {
        moments.map(|own| format!("\"{}\"", own.as_str())).collect::<Vec<_>>().join(", ")
    };
    let own = words(&mut rule.moments.iter());
    let more = Moment::ALL.into_iter().filter(|own| rule.moments.include(*own) || *own == moment);
    let more = words(&mut { more });
    let this = moment.as_str();
    format!(
        "`on`: it speaks at [{own}], not at \"{this}\": add `on = [\"{this}\"]` (here [{more}])"
    )
}
