//! The decision: what the rules say to one call.

use super::compiled::Compiled;
use super::deciders::{Deciders, Found};
use super::effect::Effect;
use super::exception::Exception;
use super::index::{Asked, Candidates, Names, Probe, Side, Space};
use super::moment::Moment;
use super::question::{Question, Setting, What};
use super::rule::{Rule, Tools};
use super::tool_alone::tool_holds;
use crate::form::Form;
use crate::meter::Meter;
use crate::resource::CheckedResource;
use crate::scope::{Condition, Constraint, Cover, Fact, Facts, Outside, Stance, Truth};
use crate::value::Object;

/// What the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// These permits give it.
    Permit(Deciders),
    /// These asks withhold what these permits give.
    Ask { asks: Deciders, permits: Deciders },
    /// These forbids refuse it.
    Forbid(Deciders),
    /// No permit applies.
    NoPermit,
}

/// Decides one call: forbid beats ask, ask beats permit, and without a permit there is nothing.
///
/// Pure: the same policy and the same question have the same verdict.
pub(crate) fn decide(policy: &Compiled, question: &Question<'_>) -> Verdict {
    let candidates = policy.index.of(question.what.tool);
    let (mut forbids, mut asks, mut permits) =
        (Found::default(), Found::default(), Found::default());
    applying(policy, candidates, question, Side::Guards, |at, rule| match rule.effect {
        Effect::Forbid => forbids.add(at),
        Effect::Ask | Effect::Permit => asks.add(at),
    });
    if !forbids.is_empty() {
        return Verdict::Forbid(forbids.in_order());
    }
    applying(policy, candidates, question, Side::Permits, |at, _| permits.add(at));
    if permits.is_empty() {
        return Verdict::NoPermit;
    }
    let permits = permits.in_order();
    match asks.is_empty() {
        true => Verdict::Permit(permits),
        false => Verdict::Ask { asks: asks.in_order(), permits },
    }
}

/// The asks that a call is not held up by where the glass is broken: those that would act on it otherwise.
#[cold]
pub(crate) fn passed_over(policy: &Compiled, question: &Question<'_>) -> Deciders {
    let ordinary = Setting { moment: Moment::Call, ..question.setting };
    let question = Question { setting: ordinary, what: question.what };
    let candidates = policy.index.of(question.what.tool);
    let mut asks = Found::default();
    applying(policy, candidates, &question, Side::Guards, |at, rule| {
        if rule.effect == Effect::Ask && !rule.speaks_at(Moment::BreakGlass) {
            asks.add(at);
        }
    });
    asks.in_order()
}

/// Visits the rules of one side that apply. A permit applies where it is true; a guard also where
/// that cannot be told.
fn applying<'p>(
    policy: &'p Compiled,
    candidates: Candidates<'p>,
    question: &Question<'_>,
    side: Side,
    mut found: impl FnMut(u32, &'p Rule),
) {
    let meter = question.setting.meter;
    candidates.visit(side, question, meter, |at| {
        if let Some(rule) = policy.rule(at)
            && meter.for_rule(true, || rule.applies(question, side))
        {
            found(at, rule);
        }
    });
}

impl<'q> Asked<'q> for &Question<'q> {
    #[inline]
    fn probe(self, fact: &Fact) -> Probe<'q> {
        match (fact, self.fact(fact)) {
            (_, Some(value)) => Probe::Value(value),
            (Fact::Tool, None) => Probe::Text(self.what.tool),
            (_, None) => Probe::Missing(fact.absence()),
        }
    }

    fn names(self, space: Space) -> Names<'q> {
        static NONE: Object = Object::new();
        Names::These(match space {
            Space::Args => self.what.args,
            Space::Context => self.setting.context,
            Space::WhoAttrs => self.setting.who.attributes(),
            Space::ResourceAttrs => self.what.resource.map_or(&NONE, CheckedResource::attributes),
        })
    }
}

impl Rule {
    #[inline]
    pub(super) fn applies(&self, question: &Question<'_>, side: Side) -> bool {
        match side {
            Side::Permits => self.obstacle(question).is_none(),
            Side::Guards => self.truth(question, Stance::Guard).may_hold(),
        }
    }

    /// Whether all conditions hold; the closed world is not asked.
    fn truth(&self, question: &Question<'_>, stance: Stance) -> Truth {
        if !self.speaks(question) {
            return Truth::False;
        }
        let mut all = self.tool_named(question.what.tool, stance, question.setting.meter);
        for condition in &self.conditions {
            if all == Truth::False {
                break;
            }
            all = all & condition.holds(stance, question, question.setting.meter);
        }
        for exception in &self.exceptions {
            if all == Truth::False {
                break;
            }
            all = all & !exception.truth(question, Exception::stance(self.effect));
        }
        all
    }

    /// The first exception that a call may be, of a permit.
    #[inline]
    fn excepted(&self, question: &Question<'_>) -> Option<&Exception> {
        if self.exceptions.is_empty() {
            return None;
        }
        let may_be =
            |own: &&Exception| own.truth(question, Exception::stance(self.effect)).may_hold();
        self.exceptions.iter().find(may_be)
    }

    fn speaks(&self, question: &Question<'_>) -> bool {
        self.speaks_at(question.setting.moment)
            && self.is_valid_at(question.setting.now)
            && self.takes(question.what.form)
    }

    fn takes(&self, form: Form) -> bool {
        self.presentation.is_none_or(|own| own == form)
    }

    /// Whether the rule speaks of this tool, given that it was found by the index.
    pub(super) fn tool_named(&self, tool: &str, stance: Stance, meter: &Meter) -> Truth {
        match &self.tools {
            // Filed by name: the question that found the rule asks for one of its tools.
            Tools::Named(_) | Tools::Any | Tools::Unsaid => Truth::True,
            Tools::Like(constraint) => tool_holds(constraint, tool, stance, meter),
        }
    }

    /// What it says of a call; what it says of anything else may not be among it.
    pub(super) fn cover(&self) -> Cover<'_> {
        Cover { conditions: self.conditions.own(), openness: &self.openness }
    }

    /// What keeps a permit from applying: `None` if it applies.
    #[inline]
    pub(crate) fn obstacle(&self, question: &Question<'_>) -> Option<Obstacle<'_>> {
        if !self.speaks_at(question.setting.moment) {
            return Some(Obstacle::Moment);
        }
        if !self.is_valid_at(question.setting.now) {
            return Some(Obstacle::Validity);
        }
        if !self.takes(question.what.form) {
            return Some(Obstacle::Presentation);
        }
        if let Tools::Like(constraint) = &self.tools
            && self.tool_named(question.what.tool, Stance::Cover, question.setting.meter)
                != Truth::True
        {
            return Some(Obstacle::Tool(constraint));
        }
        let What { args, resource, .. } = question.what;
        let outside = self.cover().outside_with(
            self.conditions.shared(),
            args,
            resource.is_some(),
            question,
            question.setting.meter,
        );
        outside.map(Obstacle::Outside).or_else(|| self.excepted(question).map(Obstacle::Excepted))
    }

    /// Everything that keeps a permit from applying, for those who explain: the first is that of
    /// [`obstacle`](Self::obstacle).
    pub(super) fn all_obstacles(&self, question: &Question<'_>) -> Vec<Obstacle<'_>> {
        let What { tool, form, args, resource, .. } = question.what;
        let mut all = Vec::new();
        if !self.speaks_at(question.setting.moment) {
            all.push(Obstacle::Moment);
        }
        if !self.is_valid_at(question.setting.now) {
            all.push(Obstacle::Validity);
        }
        if !self.takes(form) {
            all.push(Obstacle::Presentation);
        }
        if let Tools::Like(constraint) = &self.tools
            && self.tool_named(tool, Stance::Cover, question.setting.meter) != Truth::True
        {
            all.push(Obstacle::Tool(constraint));
        }
        let outside = self.cover().all_outside_with(
            self.conditions.shared(),
            args,
            resource.is_some(),
            question,
            question.setting.meter,
        );
        all.extend(outside.map(Obstacle::Outside));
        all.extend(self.excepted(question).map(Obstacle::Excepted));
        all
    }
}

/// One thing that keeps a permit from applying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle<'r> {
    /// It does not speak at this moment.
    Moment,
    /// Its time has not come, or is over.
    Validity,
    /// It speaks of tokens presented in another way.
    Presentation,
    /// It speaks of other tools.
    Tool(&'r Constraint),
    /// A condition is false or unknown, or the call has something that the rule does not name.
    Outside(Outside<'r>),
    /// What is asked for is not shown to lie within this condition.
    Wider(&'r Condition),
    /// It is, or may be, an exception of the rule.
    Excepted(&'r Exception),
    /// What is asked for leaves open what the rule closes: arguments or a resource it does not name.
    MoreOpen,
}
