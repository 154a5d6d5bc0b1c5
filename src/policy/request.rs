//! What the rules say to a request: who, why and context are fixed, the call is still open.

use std::ops::ControlFlow;

use super::compiled::Compiled;
use super::deciders::{Deciders, Found};
use super::effect::Effect;
use super::index::{Asked, Names, Probe, Side, Space};
use super::known::Pins;
use super::moment::Moment;
use super::question::Setting;
use super::rule::{Rule, Tools};
use super::wanted::{Wanted, When};
use super::{ApprovalTerms, Obstacle, Per};
use crate::meter::Work;
use crate::scope::{
    Condition, Constraint, Cover, Difference, Fact, Facts, Outside, Stance, Truth,
    condition_may_overlap, condition_within, cover_difference, openness_within,
};
use crate::value::Value;

/// What the rules say to one capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It lies within each of these permits.
    Covered(Deciders),
    /// It lies within these permits, and these asks want people to agree first.
    Ask { asks: Deciders, permits: Deciders },
    /// It lies within these forbids.
    Forbidden(Deciders),
    /// It lies within no one permit.
    NotCovered,
}

/// Decides whether a capability may be granted.
///
/// A forbid that contains the capability denies it; one that only overlaps acts at the calls, and so
/// does an ask per call.
pub(crate) fn decide_request(policy: &Compiled, wanted: &Wanted<'_>) -> Answer {
    let (mut forbids, mut asks) = (Found::default(), Found::default());
    wanted.visit(policy, Side::Guards, |at, rule| match rule.effect {
        Effect::Forbid if rule.contains(wanted) => forbids.add(at),
        // An ask that is newer than the grant acts at its calls.
        Effect::Ask if wanted.when != When::Left && rule.asks_before(wanted) => asks.add(at),
        _ => {}
    });
    if !forbids.is_empty() {
        return Answer::Forbidden(forbids.in_order());
    }
    let mut permits = Found::default();
    wanted.visit(policy, Side::Permits, |at, rule| {
        if rule.first_gap(wanted).is_none() {
            permits.add(at);
        }
    });
    match (permits.is_empty(), asks.is_empty()) {
        (true, _) => Answer::NotCovered,
        (false, true) => Answer::Covered(permits.in_order()),
        (false, false) => Answer::Ask { asks: asks.in_order(), permits: permits.in_order() },
    }
}

/// The asks that what is wanted is not held up by where the glass is broken: those that would want their
/// answer before the grant otherwise.
pub(crate) fn passed_over_at_request(policy: &Compiled, wanted: &Wanted<'_>) -> Deciders {
    let mut asks = Found::default();
    let ordinary = Setting { moment: Moment::Request, ..wanted.setting };
    let wanted = &Wanted { setting: ordinary, ..*wanted };
    wanted.visit(policy, Side::Guards, |at, rule| {
        let is_passed = rule.effect == Effect::Ask && !rule.speaks_at(Moment::BreakGlass);
        if is_passed && rule.asks_before(wanted) {
            asks.add(at);
        }
    });
    asks.in_order()
}

impl<'q> Wanted<'q> {
    pub(super) fn visit<'p>(
        &self,
        policy: &'p Compiled,
        side: Side,
        mut visit: impl FnMut(u32, &'p Rule),
    ) {
        let candidates = policy.index.of(self.capability.tool.as_str());
        candidates.visit(side, self, self.meter(), |at| {
            if let Some(rule) = policy.rule(at) {
                self.meter().for_rule(self.is_first, || visit(at, rule));
            }
        });
    }

    /// Whether all calls of the scope satisfy a condition on the call.
    pub(super) fn is_within(&self, condition: &Condition, stance: Stance) -> bool {
        let Condition { fact, constraint } = condition;
        if !self.pays_for(constraint) {
            return false;
        }
        if let Some(settled) = self.settle(condition, stance) {
            return settled.always;
        }
        let within =
            |wider: &Constraint| condition_within(self.cover(), (fact, wider), self.meter());
        // As it compares, first: a scope may say the same.
        within(&self.known(constraint, &Pins::new()))
            || (constraint.compares_with(&Fact::is_of_the_call)
                && self.ways(constraint).iter().all(|way| within(&self.known(constraint, way))))
    }

    /// Whether some call of the scope may satisfy a condition on the call.
    pub(super) fn may_overlap(&self, condition: &Condition, stance: Stance) -> bool {
        let Condition { fact, constraint } = condition;
        if !self.pays_for(constraint) {
            return true;
        }
        if let Some(settled) = self.settle(condition, stance) {
            return settled.sometimes;
        }
        if stance == Stance::Guard && self.may_compare_nothing(condition) {
            return true;
        }
        self.ways(constraint).iter().any(|way| {
            let other = self.widened(condition, way, stance);
            condition_may_overlap(self.cover(), (fact, &other), self.meter())
        })
    }

    /// Takes the steps of putting in what is known, in every way.
    fn pays_for(&self, constraint: &Constraint) -> bool {
        let steps = match constraint.compares_with(&|_| true) {
            true => constraint.size(),
            false => 4,
        };
        self.meter().charge(steps, Work::Containing)
    }
}

impl<'q> Asked<'q> for &Wanted<'q> {
    /// What is known of a fact by which rules are filed.
    fn probe(self, fact: &Fact) -> Probe<'q> {
        if self.leaves(fact) {
            return Probe::Open;
        }
        if !fact.is_of_the_call() {
            return match (fact, self.fact(fact)) {
                (_, Some(value)) => Probe::Value(value),
                (Fact::Tool, None) => Probe::Text(self.capability.tool.as_str()),
                (_, None) => Probe::Missing(fact.absence()),
            };
        }
        if self.never_has(fact) {
            return Probe::Missing(fact.absence());
        }
        let limited = self.capability.conditions.iter().filter(|own| own.fact == *fact);
        match limited.into_iter().find_map(|own| own.constraint.finite()) {
            Some(set) => Probe::OneOf(set),
            None => Probe::Open,
        }
    }

    fn names(self, space: Space) -> Names<'q> {
        match space {
            Space::Context if self.when != When::Left => Names::These(self.setting.context),
            Space::WhoAttrs => Names::These(self.setting.who.attributes()),
            Space::Args | Space::Context | Space::ResourceAttrs => Names::Any,
        }
    }
}

impl Rule {
    /// What keeps this permit from covering the capability; `None` if it covers it.
    pub(crate) fn first_gap<'r>(&'r self, wanted: &Wanted<'_>) -> Option<Obstacle<'r>> {
        let mut first = None;
        let _ = self.gaps(wanted, &mut |gap| {
            first = Some(gap);
            ControlFlow::Break(())
        });
        first
    }

    /// Everything that keeps this permit from covering the capability.
    pub(super) fn all_gaps<'r>(&'r self, wanted: &Wanted<'_>) -> Vec<Obstacle<'r>> {
        let mut all = Vec::new();
        let _ = self.gaps(wanted, &mut |gap| {
            all.push(gap);
            ControlFlow::Continue(())
        });
        all
    }

    /// Visits what keeps this permit from covering the capability, as long as `found` goes on.
    fn gaps<'r>(
        &'r self,
        wanted: &Wanted<'_>,
        found: &mut dyn FnMut(Obstacle<'r>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.speaks_at(wanted.setting.moment) {
            found(Obstacle::Moment)?;
        }
        if !self.is_valid_at(wanted.setting.now) {
            found(Obstacle::Validity)?;
        }
        if let Tools::Like(constraint) = &self.tools
            && self.tool_named(wanted.capability.tool.as_str(), Stance::Cover, wanted.meter())
                != Truth::True
        {
            found(Obstacle::Tool(constraint))?;
        }
        for condition in &self.conditions {
            if wanted.leaves(&condition.fact) {
                continue;
            }
            if condition.fact.is_of_the_call() {
                if !wanted.is_within(condition, Stance::Cover) {
                    found(Obstacle::Wider(condition))?;
                }
            } else if !wanted.is_true_at_all(condition) {
                if condition.constraint.compares_with(&Fact::is_of_the_call) {
                    found(Obstacle::Wider(condition))?;
                    continue;
                }
                let truth = condition.holds(Stance::Cover, wanted, wanted.meter());
                found(Obstacle::Outside(Outside::Condition(condition, truth)))?;
            }
        }
        for exception in &self.exceptions {
            if exception.may_meet(wanted) {
                found(Obstacle::Excepted(exception))?;
            }
        }
        let named = wanted.capability.conditions.len() * (1 + self.conditions.len());
        if !wanted.meter().charge(1 + named / 2, Work::Containing)
            || !openness_within(wanted.cover(), self.cover())
        {
            found(Obstacle::MoreOpen)?;
        }
        ControlFlow::Continue(())
    }

    /// What this permit says of the call, with what is known put in.
    pub(super) fn of_the_call(&self, wanted: &Wanted<'_>) -> Vec<Condition> {
        let of_the_call = self.conditions.iter().filter(|own| own.fact.is_of_the_call());
        of_the_call
            .take_while(|own| {
                wanted.meter().charge(8 + own.constraint.size() / 8, Work::Containing)
            })
            .map(|own| {
                let way = wanted.only_way(&own.constraint);
                let constraint = wanted.known(&own.constraint, &way).into_owned();
                Condition::new(own.fact.clone(), constraint)
            })
            .collect()
    }

    /// A call that is wanted and that this permit does not cover, if one can be found: its arguments.
    pub(crate) fn example_outside(&self, wanted: &Wanted<'_>) -> Option<Value> {
        let conditions = self.of_the_call(wanted);
        let cover = Cover { conditions: &conditions, openness: &self.openness };
        match cover_difference(wanted.cover(), &[cover], wanted.meter()) {
            Difference::Witness(call) => Some(Value::Object(call.args)),
            Difference::Empty | Difference::Undecided => None,
        }
    }

    /// Whether this guard acts on every call that the capability covers; one that does not speak at
    /// calls can't leave any of them for later, so for it one is enough.
    pub(super) fn contains(&self, wanted: &Wanted<'_>) -> bool {
        if !self.speaks_at_calls_of(wanted) {
            return self.overlaps(wanted);
        }
        if self.presentation.is_some() {
            // How calls will be presented is open: they are asked.
            return false;
        }
        if self.exceptions.iter().any(|own| own.may_excuse(wanted)) {
            return false;
        }
        let no_resource = wanted.is_of_no_resource();
        self.acts_on(wanted, |condition| {
            if !condition.fact.is_of_the_call() {
                return wanted.may_hold_at_all(condition);
            }
            // Where there is no resource, its parts are not there: asked of that, a guard acts on what
            // it cannot tell.
            let of_none = no_resource && !matches!(condition.fact, Fact::Arg(_));
            (of_none && wanted.may_hold_at_all(condition))
                || wanted.is_within(condition, Stance::Guard)
        })
    }

    /// Whether this guard speaks at the calls of what is wanted, too.
    fn speaks_at_calls_of(&self, wanted: &Wanted<'_>) -> bool {
        match wanted.setting.moment {
            Moment::BreakGlass => self.speaks_at(Moment::BreakGlass),
            _ => self.moments.include(Moment::Call),
        }
    }

    /// Whether this guard leaves what only overlaps with it to the calls.
    pub(super) fn waits_for_calls(&self, wanted: &Wanted<'_>) -> bool {
        self.effect == Effect::Forbid && self.speaks_at_calls_of(wanted)
    }

    /// Whether this ask may concern a call that the capability covers, and wants its answer before
    /// the grant.
    fn asks_before(&self, wanted: &Wanted<'_>) -> bool {
        let before =
            |terms: &ApprovalTerms| terms.per == Per::Task || !self.speaks_at_calls_of(wanted);
        self.approval.as_deref().is_some_and(before) && self.overlaps(wanted)
    }

    /// Whether this guard may act on some call that the capability covers.
    fn overlaps(&self, wanted: &Wanted<'_>) -> bool {
        self.acts_on(wanted, |condition| match condition.fact.is_of_the_call() {
            true => wanted.may_overlap(condition, Stance::Guard),
            false => wanted.may_hold_at_some(condition),
        }) && !self.exceptions.iter().any(|own| own.excuses_all(wanted))
    }

    fn acts_on(&self, wanted: &Wanted<'_>, asked: impl Fn(&Condition) -> bool) -> bool {
        self.speaks_at(wanted.setting.moment)
            && self.is_valid_at(wanted.setting.now)
            && self
                .tool_named(wanted.capability.tool.as_str(), Stance::Guard, wanted.meter())
                .may_hold()
            && self.conditions.iter().all(|own| !wanted.leaves_a_part(own) && asked(own))
            && !self
                .exceptions
                .iter()
                .flat_map(|own| &own.conditions)
                .any(|own| wanted.leaves_a_part(own))
    }
}
