//! What one policy permits and the other does not.

use std::collections::BTreeSet;
use std::fmt;

use super::super::compiled::Compiled;
use super::super::effect::Effect;
use super::prepared::{Fixed, OfTool, Prepared};
use super::tools::{RulesByTool, named_tools};
use super::witness::{DiffWitness, SharedQuestion};
use crate::form::Form;
use crate::meter::Meter;
use crate::scope::{
    Condition, Constraint, Cover, Domain, Fact, Found, MOST_REGIONS, Node, Openness, Region,
    ResourceOpenness, Search, ValueType, any_of, has_all, not, of_type, one_of, texts,
};
use crate::spelling::{ArgType, TypedArgs};
use crate::value::Value;

/// The steps that one search may take: a policy's author waits for the answer.
const STEPS: u64 = 2_000_000;

/// How many searches are made in all.
const MOST_SEARCHES: usize = 20_000;

/// In how many ways a question may be past rules that have exceptions.
const MOST_WAYS: usize = 64;

/// How many witnesses are kept, and how many rules of which nothing can be told: people mend one at a time.
const MOST_KEPT: usize = 100;

/// What one policy permits, or asks people about, and another does not.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    witnesses: Vec<DiffWitness>,
    undecided: BTreeSet<Box<str>>,
    /// Found and not kept.
    more: usize,
}

impl Differences {
    /// Whether there is shown to be nothing.
    pub fn is_shown_empty(&self) -> bool {
        self.witnesses.is_empty() && self.undecided.is_empty()
    }

    /// One for each rule that makes a difference, at most 100: a question that both policies were asked.
    pub fn witnesses(&self) -> impl ExactSizeIterator<Item = &DiffWitness> {
        self.witnesses.iter()
    }

    /// The ids of rules of which it can't be told whether they make a difference, at most 100.
    pub fn undecided(&self) -> impl ExactSizeIterator<Item = &str> {
        self.undecided.iter().map(|id| &**id)
    }

    /// How many differences were found that are not among these.
    pub fn more(&self) -> usize {
        self.more
    }

    pub(super) fn to_value(&self) -> Value {
        let mut out = crate::value::Object::new();
        let witnesses = self.witnesses.iter().map(DiffWitness::to_value).collect();
        let undecided = self.undecided.iter().cloned().map(Value::Text).collect();
        // The keys are written once each.
        let _ = out.insert("shown_empty", Value::Bool(self.is_shown_empty()));
        let _ = out.insert("witnesses", Value::List(witnesses));
        let _ = out.insert("undecided", Value::List(undecided));
        let _ = out.insert("more", Value::from(self.more as u64));
        Value::Object(out)
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_shown_empty() {
            return writeln!(f, "nothing");
        }
        writeln!(f)?;
        for witness in &self.witnesses {
            writeln!(f, "  {witness}")?;
        }
        for rule in &self.undecided {
            writeln!(f, "  `{rule}`: can't be told")?;
        }
        if self.more > 0 {
            writeln!(f, "  and {} more", self.more)?;
        }
        Ok(())
    }
}

/// Which of the policies is the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// What the new policy permits and the old one does not.
    Wider,
    /// The reverse.
    Narrower,
}

/// What `more` permits and `less` does not.
pub(super) fn differences(less: &Compiled, more: &Compiled, direction: Direction) -> Differences {
    let rules = [RulesByTool::of(less), RulesByTool::of(more)];
    let [of_less, of_more] = &rules;
    let names = named_tools([less, more], [of_less, of_more]);
    let elsewhere = Value::List(names.iter().copied().map(Value::from).collect());
    let is_presented =
        |policy: &Compiled| policy.rules.iter().any(|own| own.presentation.is_some());
    let forms: &[Form] = match is_presented(less) || is_presented(more) {
        true => &[Form::Bearer, Form::CallBound],
        false => &[Form::Bearer],
    };
    let mut finder = Finder::new(less, more, direction);
    if less.fold != more.fold {
        // Who somebody is, is told otherwise: nothing of what both say can be compared.
        let permits = more.rules.iter().filter(|rule| rule.effect == Effect::Permit);
        permits.for_each(|rule| finder.undecided(&rule.id));
        return finder.found;
    }
    for tool in names.iter().copied().map(Some).chain([None]) {
        for form in forms.iter().copied() {
            let fixed = Fixed { tool, form };
            let meter = Meter::of(STEPS);
            let fewer = OfTool::of(less, of_less.of_tool(tool), fixed, &meter);
            let greater = OfTool::of(more, of_more.of_tool(tool), fixed, &meter);
            finder.compare(&fewer, &greater, fixed, &elsewhere);
        }
    }
    finder.found
}

struct Finder<'p> {
    less: &'p Compiled,
    more: &'p Compiled,
    direction: Direction,
    found: Differences,
    /// Rules of which a witness was found.
    shown: BTreeSet<&'p str>,
    searches: usize,
}

/// What all searches about one tool have in common.
struct ToolSearch<'t> {
    fixed: Fixed<'t>,
    typed: &'t TypedArgs,
    labels: Vec<Value>,
    /// Of tools that no rule names: that it is none of those that one names.
    elsewhere: Vec<Condition>,
}

impl<'p> Finder<'p> {
    fn new(less: &'p Compiled, more: &'p Compiled, direction: Direction) -> Self {
        let found = Differences::default();
        Finder { less, more, direction, found, shown: BTreeSet::new(), searches: MOST_SEARCHES }
    }

    fn compare(
        &mut self,
        fewer: &OfTool<'p>,
        greater: &OfTool<'p>,
        fixed: Fixed<'_>,
        named: &Value,
    ) {
        if greater.permits.is_empty() {
            return;
        }
        let said = |policy: &'p Compiled| fixed.tool.and_then(|tool| policy.catalogue.get(tool));
        static UNTYPED: TypedArgs = TypedArgs::NONE;
        let typed = |policy| said(policy).map_or(&UNTYPED, |listed| &listed.typed);
        let labels = |policy| match said(policy).map(|listed| &listed.labels) {
            Some(Value::List(labels)) => labels.clone(),
            _ => Vec::new(),
        };
        let (was, is) = (labels(self.less), labels(self.more));
        let is_read_alike = typed(self.less) == typed(self.more)
            && (was == is || !fewer.looks_back && !greater.looks_back);
        if is_read_alike && fewer.says_as(greater) {
            return;
        }
        let elsewhere = match named {
            Value::List(names) if fixed.tool.is_none() && !names.is_empty() => {
                vec![Condition::new(Fact::Tool, not(one_of(names.iter().cloned())))]
            }
            _ => Vec::new(),
        };
        let tool =
            ToolSearch { fixed, typed: typed(self.more), labels: [was, is].concat(), elsewhere };
        for asks_count in [true, false] {
            let guards = |of: &OfTool<'p>| {
                let asks = of.asks.iter().filter(move |_| asks_count);
                asks.chain(&of.forbids).cloned().collect::<Vec<_>>()
            };
            let (guards_less, guards_more) = (guards(fewer), guards(greater));
            let is_same = |own: &Prepared<'_>, others: &[Prepared<'_>]| {
                is_read_alike && others.iter().any(|other| other.says_as(own))
            };
            for permit in &greater.permits {
                if !is_same(permit, &fewer.permits) {
                    let outside = fewer.permits.iter().chain(&guards_more);
                    self.search(&permit.rule.id, &[permit], outside, &tool);
                    // What is read in two ways is not compared by what is read in one.
                    if !is_read_alike && !self.shown.contains(&*permit.rule.id) {
                        self.undecided(&permit.rule.id);
                    }
                }
                for guard in guards_less.iter().filter(|own| !is_same(own, &guards_more)) {
                    self.search(&guard.rule.id, &[permit, guard], guards_more.iter(), &tool);
                }
            }
        }
    }

    /// Looks for a question that all of `within` speak of and none of `outside`, which `rule` makes a difference
    /// to.
    fn search<'q>(
        &mut self,
        rule: &'p str,
        within: &[&'q Prepared<'p>],
        outside: impl Iterator<Item = &'q Prepared<'p>>,
        tool: &ToolSearch<'_>,
    ) {
        if self.shown.contains(rule) {
            return;
        }
        let meter = Meter::of(STEPS);
        let open = Openness { other_args: true, resource: ResourceOpenness::Any };
        let elsewhere = Region::covered(Cover { conditions: &tool.elsewhere, openness: &open });
        let mut start = Way {
            within: within.iter().map(|own| own.region()).chain([elsewhere]).collect(),
            outside: within.iter().flat_map(|own| own.exceptions()).collect(),
        };
        let (mut is_decided, mut ways) = (true, Vec::new());
        for other in outside {
            if !start.may_meet(&other.region(), &meter) {
                continue;
            }
            match other.exceptions().next() {
                None => start.outside.push(other.region()),
                Some(_) => ways.push(other),
            }
        }
        // A rule does not speak of what is outside of its region, nor of its exceptions.
        let mut all = vec![start];
        for other in ways {
            all = all.iter().flat_map(|way| way.past(other)).collect();
            if all.len() > MOST_WAYS {
                return self.undecided(rule);
            }
        }
        for way in &all {
            if self.searches == 0 {
                is_decided = false;
                break;
            }
            self.searches -= 1;
            match self.search_way(rule, way, tool, &meter) {
                Some(Some(witness)) => return self.keep(rule, witness),
                Some(None) => {}
                None => is_decided = false,
            }
        }
        if !is_decided || meter.is_spent() {
            self.undecided(rule);
        }
    }

    /// A question within and outside, if one is found, or that there is none; `None` where that can't be told.
    fn search_way(
        &self,
        rule: &str,
        way: &Way<'_>,
        tool: &ToolSearch<'_>,
        meter: &Meter,
    ) -> Option<Option<DiffWitness>> {
        let Way { within, outside } = way;
        if outside.len() > MOST_REGIONS {
            return None;
        }
        let times = within.iter().chain(outside).flat_map(|region| region.on(&Fact::Now));
        let by_week = times.map(|own| &own.constraint).any(is_by_week);
        let domain = |fact: &Fact| match fact {
            Fact::Now if by_week => Domain::hours_of_the_week(),
            fact => tool.domain(fact),
        };
        let mut search = Search::new(within, outside, |_| true, &domain, meter);
        let mut is_confirmed = true;
        for resource in [false, true] {
            let Some(found) = search.run(resource) else { continue };
            match self.confirmed(rule, found, within, tool.fixed) {
                Some(witness) => return Some(Some(witness)),
                None => is_confirmed = false,
            }
        }
        (is_confirmed && search.is_complete() && !meter.is_spent()).then_some(None)
    }

    /// What was found, if asking both policies about it shows a difference.
    fn confirmed(
        &self,
        rule: &str,
        found: Found,
        within: &[Region<'_>],
        fixed: Fixed<'_>,
    ) -> Option<DiffWitness> {
        let settled = with_comparisons(found.clone(), within);
        [settled, found].into_iter().find_map(|found| {
            let question = SharedQuestion::of(found, fixed)?;
            let (less, more) = (question.standing(self.less), question.standing(self.more));
            let (old, new) = match self.direction {
                Direction::Wider => (less, more),
                Direction::Narrower => (more, less),
            };
            (less < more).then(|| DiffWitness::new(rule, question, old, new))
        })
    }

    fn keep(&mut self, rule: &'p str, witness: DiffWitness) {
        self.shown.insert(rule);
        self.found.undecided.remove(rule);
        if self.found.witnesses.len() < MOST_KEPT {
            self.found.witnesses.push(witness);
        } else {
            self.found.more += 1;
        }
    }

    fn undecided(&mut self, rule: &str) {
        if self.found.undecided.contains(rule) || self.shown.contains(rule) {
            return;
        }
        if self.found.undecided.len() < MOST_KEPT {
            self.found.undecided.insert(rule.into());
        } else {
            self.found.more += 1;
        }
    }
}

/// A way in which a question can be one that some rules speak of and others do not.
#[derive(Clone)]
struct Way<'r> {
    within: Vec<Region<'r>>,
    outside: Vec<Region<'r>>,
}

impl<'r> Way<'r> {
    fn may_meet(&self, region: &Region<'_>, meter: &Meter) -> bool {
        self.within.iter().all(|own| own.may_meet(region, meter))
    }

    /// The ways in which a rule does not speak of it, either.
    fn past(&self, rule: &'r Prepared<'_>) -> impl Iterator<Item = Way<'r>> {
        let mut outside = self.clone();
        outside.outside.push(rule.region());
        let excepted = rule.exceptions().map(|own| {
            let mut inside = self.clone();
            inside.within.push(own);
            inside
        });
        std::iter::once(outside).chain(excepted)
    }
}

impl ToolSearch<'_> {
    fn domain(&self, fact: &Fact) -> Domain {
        let domain = Domain::in_question(fact);
        match fact {
            // The labels of the call's own tool are seen with it.
            Fact::Seen if !self.labels.is_empty() => {
                domain.and(has_all(self.labels.iter().cloned()))
            }
            fact => {
                let named = fact.as_argument();
                let typed = named.and_then(|name| self.typed.iter().find(|(own, _)| *own == name));
                typed.map_or(domain, |(_, of)| domain_of(of))
            }
        }
    }
}

/// What an argument of a type can be, in its one spelling. `null`, where it stands for one that is left out, is taken out
/// of calls.
fn domain_of(of: ArgType) -> Domain {
    Domain::of(match of {
        ArgType::Path | ArgType::Url => any_of([of_type(ValueType::Text), texts()]),
        ArgType::Text => of_type(ValueType::Text),
        ArgType::Number => of_type(ValueType::Number),
        ArgType::Integer => of_type(ValueType::Integer),
        ArgType::Bool => of_type(ValueType::Bool),
        ArgType::List => of_type(ValueType::List),
        ArgType::Texts => texts(),
        ArgType::Object => of_type(ValueType::Object),
    })
}

/// Whether it says hours of a week.
fn is_by_week(constraint: &Constraint) -> bool {
    match &constraint.0 {
        Node::Weekly(_) => true,
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(is_by_week),
        Node::Not(inner) => is_by_week(inner),
        _ => false,
    }
}

/// With each fact that is to be the same as another made so: a search does not know comparisons.
fn with_comparisons(mut found: Found, within: &[Region<'_>]) -> Found {
    for condition in within.iter().flat_map(Region::conditions) {
        let Some(other) = compared_with(&condition.constraint) else { continue };
        match (found.get(other).cloned(), found.get(&condition.fact).cloned()) {
            (Some(value), _) => found.set(&condition.fact, value),
            (None, Some(value)) => found.set(other, value),
            (None, None) => {}
        }
    }
    found
}

fn compared_with(constraint: &Constraint) -> Option<&Fact> {
    match &constraint.0 {
        Node::SameAs(fact) => Some(fact),
        Node::All(parts) => parts.iter().find_map(compared_with),
        _ => None,
    }
}
