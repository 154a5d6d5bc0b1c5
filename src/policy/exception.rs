//! Exceptions of a rule (`unless`): questions of which it does not speak although all that it says holds.
//!
//! An exception takes from a permit what a forbid of the same words would refuse, and from a forbid or an ask what
//! a permit of the same words would cover: what can't be told is an exception of a permit and none of a guard.

use super::effect::Effect;
use super::question::Question;
use super::tool_alone::tool_holds;
use super::wanted::Wanted;
use crate::meter::Meter;
use crate::scope::{Condition, Constraint, Fact, Facts, Stance, Truth, doubt, held};

/// One exception: all of its conditions hold of what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exception {
    /// A condition on the tool's name is one of them.
    pub(crate) conditions: Vec<Condition>,
    /// What was given as the name of a part of the question and names none: a load error.
    pub(super) unknown: Option<Box<str>>,
}

impl Exception {
    /// Of parts of the question by the names that rules have for them.
    pub(crate) fn of<'n>(parts: impl IntoIterator<Item = (&'n str, Constraint)>) -> Self {
        let mut own = Exception::default();
        for (name, constraint) in parts {
            match part(name) {
                Some(fact) => Condition::add(&mut own.conditions, fact, constraint),
                None => own.unknown = Some(name.into()),
            }
        }
        own
    }

    pub(crate) fn from_conditions(conditions: Vec<Condition>) -> Self {
        Exception { conditions, unknown: None }
    }

    /// What a condition of it has to do, given what its rule does: the opposite of what the rule's own have to.
    pub(super) const fn stance(effect: Effect) -> Stance {
        match effect {
            Effect::Permit => Stance::Guard,
            Effect::Ask | Effect::Forbid => Stance::Cover,
        }
    }

    /// Whether all of it holds of a call.
    pub(super) fn truth(&self, question: &Question<'_>, stance: Stance) -> Truth {
        let meter = question.setting.meter;
        let mut all = Truth::True;
        for own in &self.conditions {
            if all == Truth::False {
                break;
            }
            all = all
                & match own.fact {
                    Fact::Tool => tool_holds(&own.constraint, question.what.tool, stance, meter),
                    _ => own.holds(stance, question, meter),
                };
        }
        all
    }

    /// What was found of it, where it is why a permit does not apply.
    pub(super) fn told<'q>(&self, facts: impl Facts<'q>, meter: &Meter) -> String {
        let told = self.conditions.iter().map(|own| match &own.fact {
            Fact::Tool => format!("`what.tool` is {}", own.constraint),
            _ => match own.holds(Stance::Guard, facts, meter) {
                Truth::Unknown => {
                    format!("{}, where {} is asked for", doubt(own, facts), own.constraint)
                }
                Truth::True | Truth::False => held(own, facts),
            },
        });
        format!("`unless`: {}", told.collect::<Vec<_>>().join(", "))
    }

    /// As [`told`](Self::told), of what is asked for.
    pub(super) fn told_of_request(&self, wanted: &Wanted<'_>) -> String {
        let told = self.conditions.iter().map(|own @ Condition { fact, constraint }| match fact {
            Fact::Tool => format!("`what.tool` is {constraint}"),
            fact if fact.is_of_the_call() => {
                format!("`{fact}` of some of what is asked for may be {constraint}")
            }
            _ => held(own, wanted),
        });
        format!("`unless`: {}", told.collect::<Vec<_>>().join(", "))
    }

    /// Why a doubt about it lets a guard act, if there is one.
    pub(super) fn doubted<'q>(&self, facts: impl Facts<'q>, meter: &Meter) -> Option<String> {
        let unknown = self.conditions.iter().find(|own| {
            own.fact != Fact::Tool && own.holds(Stance::Cover, facts, meter) == Truth::Unknown
        })?;
        let Condition { constraint, .. } = unknown;
        Some(format!("{}, where `unless` asks for {constraint}", doubt(unknown, facts)))
    }

    /// Whether some call that is wanted may be an exception of a permit.
    pub(super) fn may_meet(&self, wanted: &Wanted<'_>) -> bool {
        // A permit is not withheld for what is left to the calls.
        self.all_of_tool(wanted, Stance::Guard, |own| {
            !wanted.leaves_a_part(own)
                && match own.fact.is_of_the_call() {
                    true => wanted.may_overlap(own, Stance::Guard),
                    false => wanted.may_hold_at_some(own),
                }
        })
    }

    /// Whether every call that is wanted is an exception of a permit.
    pub(super) fn takes_all(&self, wanted: &Wanted<'_>) -> bool {
        self.all_of_tool(wanted, Stance::Guard, |own| {
            !wanted.leaves_a_part(own)
                && match own.fact.is_of_the_call() {
                    true => wanted.is_within(own, Stance::Guard),
                    false => wanted.may_hold_at_all(own),
                }
        })
    }

    /// Whether some call that is wanted may be an exception of a guard.
    pub(super) fn may_excuse(&self, wanted: &Wanted<'_>) -> bool {
        self.all_of_tool(wanted, Stance::Cover, |own| {
            wanted.leaves_a_part(own)
                || match own.fact.is_of_the_call() {
                    true => wanted.may_overlap(own, Stance::Cover),
                    false => wanted.may_be_true_at_some(own),
                }
        })
    }

    /// Whether every call that is wanted is an exception of a guard.
    pub(super) fn excuses_all(&self, wanted: &Wanted<'_>) -> bool {
        self.all_of_tool(wanted, Stance::Cover, |own| {
            // Compared with a list of what is pinned it may not be one.
            !wanted.leaves_a_part(own)
                && !wanted.may_compare_with_a_list(own)
                && match own.fact.is_of_the_call() {
                    true => wanted.is_within(own, Stance::Cover),
                    false => wanted.is_true_at_all(own),
                }
        })
    }

    /// Whether the tool is one that it speaks of, and the rest is as asked.
    fn all_of_tool(
        &self,
        wanted: &Wanted<'_>,
        stance: Stance,
        asked: impl Fn(&Condition) -> bool,
    ) -> bool {
        let tool = wanted.capability.tool.as_str();
        self.conditions.iter().all(|own| match own.fact {
            Fact::Tool => {
                let truth = tool_holds(&own.constraint, tool, stance, wanted.meter());
                if stance == Stance::Cover { truth == Truth::True } else { truth.may_hold() }
            }
            _ => asked(own),
        })
    }
}

/// A part of the question by the name that rules have for it.
fn part(name: &str) -> Option<Fact> {
    match name {
        "what.tool" => Some(Fact::Tool),
        "what.labels" => Some(Fact::Labels),
        "when.seen" => Some(Fact::Seen),
        _ => Fact::parse(name).ok().filter(|fact| !matches!(fact, Fact::Asker(_))),
    }
}
