//! Rules of one tool as regions of questions.

use crate::form::Form;
use crate::meter::Meter;
use crate::policy::compiled::Compiled;
use crate::policy::effect::Effect;
use crate::policy::exception::Exception;
use crate::policy::rule::{Rule, Tools};
use crate::policy::tool_alone::tool_holds;
use crate::scope::{
    Condition, Constraint, Cover, Fact, Facts, Openness, Region, Stance, Truth, after, before,
};
use crate::spelling::TypedArgs;
use crate::value::Value;

/// A rule with what is known of the tool put in.
#[derive(Clone, Debug)]
pub(crate) struct Prepared<'p> {
    pub(crate) rule: &'p Rule,
    pub(super) conditions: Vec<Condition>,
    /// The exceptions, with the same put in; in an order of their own.
    pub(super) exceptions: Vec<Vec<Condition>>,
}

/// What is fixed before calls are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Fixed<'t> {
    /// `None` of a tool that no rule names.
    pub(crate) tool: Option<&'t str>,
    pub(crate) form: Form,
}

impl<'p> Prepared<'p> {
    /// `None` where the rule says nothing of such calls.
    pub(crate) fn of(
        rule: &'p Rule,
        labels: &Value,
        fixed: Fixed<'_>,
        meter: &Meter,
    ) -> Option<Self> {
        use crate::policy::moment::Moment;
        if !rule.moments.include(Moment::Call)
            || rule.presentation.is_some_and(|own| own != fixed.form)
        {
            return None;
        }
        let stance = if rule.effect == Effect::Permit { Stance::Cover } else { Stance::Guard };
        let speaks = |truth: Truth| match stance {
            Stance::Cover => truth == Truth::True,
            Stance::Guard => truth.may_hold(),
        };
        let mut conditions = Vec::with_capacity(rule.conditions.len() + 1);
        match (&rule.tools, fixed.tool) {
            (Tools::Like(_), Some(tool)) if !speaks(rule.tool_named(tool, stance, meter)) => {
                return None;
            }
            (Tools::Like(own), None) => {
                conditions.push(Condition::new(Fact::Tool, (**own).clone()))
            }
            _ => {}
        }
        for own in &rule.conditions {
            match own.fact {
                Fact::Labels if !speaks(own.holds(stance, &Labels(labels), meter)) => return None,
                Fact::Labels => {}
                _ => conditions.push(own.clone()),
            }
        }
        // When a rule is in force is a condition on the time like any other.
        let from = rule.validity().from.map(after);
        let until = rule.validity().until.map(before);
        let in_force = |own: Constraint| Condition::new(Fact::Now, own);
        conditions.extend(from.into_iter().chain(until).map(in_force));
        conditions.sort_by(|one, other| one.fact.cmp(&other.fact));
        let mut exceptions = Vec::with_capacity(rule.exceptions.len());
        for own in &rule.exceptions {
            match left_of(own, Exception::stance(rule.effect), labels, fixed, meter) {
                // All calls of the tool are one.
                Some(left) if left.is_empty() => return None,
                Some(left) => exceptions.push(left),
                None => {}
            }
        }
        Some(Prepared { rule, conditions, exceptions })
    }

    /// Where the exceptions are: what the rule does not speak of within its region.
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = Region<'_>> {
        self.exceptions.iter().map(|own| match Exception::stance(self.rule.effect) {
            Stance::Cover => Region::covered_openly(own),
            Stance::Guard => Region::guarded(own),
        })
    }

    pub(crate) fn region(&self) -> Region<'_> {
        match self.rule.effect {
            Effect::Permit => Region::covered(Cover {
                conditions: &self.conditions,
                openness: &self.rule.openness,
            }),
            Effect::Ask | Effect::Forbid => Region::guarded(&self.conditions),
        }
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Its conditions, and those of its exceptions.
    pub(crate) fn all_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().chain(self.exceptional())
    }

    /// The conditions of its exceptions.
    pub(crate) fn exceptional(&self) -> impl Iterator<Item = &Condition> {
        self.exceptions.iter().flatten()
    }

    /// Whether some question may be one that both speak of.
    pub(crate) fn may_meet(&self, other: &Prepared<'_>, meter: &Meter) -> bool {
        self.region().may_meet(&other.region(), meter)
    }

    /// Whether both say the same of the same calls.
    pub(crate) fn says_as(&self, other: &Prepared<'_>) -> bool {
        let openness = |own: &Prepared<'_>| match own.rule.effect {
            Effect::Permit => own.rule.openness.clone(),
            Effect::Ask | Effect::Forbid => Openness::default(),
        };
        self.rule.effect == other.rule.effect
            && self.conditions == other.conditions
            && self.exceptions == other.exceptions
            && openness(self) == openness(other)
    }
}

/// What of an exception is not known to hold of calls of the tool; `None` where some of it is known not to.
fn left_of(
    exception: &Exception,
    stance: Stance,
    labels: &Value,
    fixed: Fixed<'_>,
    meter: &Meter,
) -> Option<Vec<Condition>> {
    let holds = |truth: Truth| match stance {
        Stance::Cover => truth == Truth::True,
        Stance::Guard => truth.may_hold(),
    };
    let mut left = Vec::with_capacity(exception.conditions.len());
    for own in &exception.conditions {
        let known = match (&own.fact, fixed.tool) {
            (Fact::Tool, Some(tool)) => Some(tool_holds(&own.constraint, tool, stance, meter)),
            (Fact::Labels, _) => Some(own.holds(stance, &Labels(labels), meter)),
            _ => None,
        };
        match known {
            Some(truth) if holds(truth) => {}
            Some(_) => return None,
            None => left.push(own.clone()),
        }
    }
    left.sort_by(|one, other| one.fact.cmp(&other.fact));
    Some(left)
}

/// What a policy says of one tool.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfTool<'p> {
    pub(crate) permits: Vec<Prepared<'p>>,
    pub(crate) asks: Vec<Prepared<'p>>,
    pub(crate) forbids: Vec<Prepared<'p>>,
    /// Whether some condition is on the task's history.
    pub(crate) looks_back: bool,
    /// Whether there were more rules than could be asked about the tool: then permits may be missing, and exceptions of
    /// guards.
    pub(crate) is_cut: bool,
}

impl<'p> OfTool<'p> {
    pub(crate) fn of(
        policy: &Compiled,
        rules: impl Iterator<Item = &'p Rule>,
        fixed: Fixed<'_>,
        meter: &Meter,
    ) -> Self {
        let mut of_tool = OfTool::default();
        let none = Value::List(Vec::new());
        let (labels, typed) = match fixed.tool {
            // A tool outside the catalogue is refused whatever the rules say.
            Some(tool) => match policy.catalogue.get(tool) {
                Some(listed) => (&listed.labels, &listed.typed),
                None => return of_tool,
            },
            None if policy.catalogue.is_there() => return of_tool,
            None => (&none, &TypedArgs::NONE),
        };
        // Each call has an argument that is given where it is left out, and a permit of any tool names it or takes none.
        let takes_none = |rule: &Rule| {
            let cover = rule.cover();
            rule.effect == Effect::Permit
                && !rule.openness.other_args
                && typed.defaults().any(|(name, _)| !cover.names_argument(name))
        };
        for rule in rules {
            if takes_none(rule) {
                continue;
            }
            let Some(prepared) = Prepared::of(rule, labels, fixed, meter) else { continue };
            let excepted = prepared.exceptions.iter().flatten();
            let mut conditions = prepared.conditions.iter().chain(excepted);
            of_tool.looks_back |= conditions.any(|own| own.fact == Fact::Seen);
            match rule.effect {
                Effect::Permit => of_tool.permits.push(prepared),
                Effect::Ask => of_tool.asks.push(prepared),
                Effect::Forbid => of_tool.forbids.push(prepared),
            }
        }
        of_tool.is_cut = meter.is_spent();
        of_tool
    }

    /// Whether both say the same, whatever the rules are called.
    pub(crate) fn says_as(&self, other: &OfTool<'_>) -> bool {
        fn all(own: &[Prepared<'_>], other: &[Prepared<'_>]) -> bool {
            own.iter().all(|own| other.iter().any(|other| own.says_as(other)))
        }
        let same = |own: &[Prepared<'_>], its: &[Prepared<'_>]| all(own, its) && all(its, own);
        same(&self.permits, &other.permits)
            && same(&self.asks, &other.asks)
            && same(&self.forbids, &other.forbids)
    }
}

/// A question of which only the tool's labels are asked.
#[derive(Clone, Copy)]
struct Labels<'q>(&'q Value);

impl<'q> Facts<'q> for &Labels<'q> {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        matches!(fact, Fact::Labels).then_some(self.0)
    }
}
