//! What one policy permits and the other does not.

use std::collections::BTreeSet;
use std::fmt;

use super::super::compiled::Compiled;
use super::super::effect::Effect;
use super::super::regions::{
    Fixed, FoundQuestion, OfTool, Outcome, Prepared, RulesByTool, ToolSearch, named_tools,
};
use super::witness::DiffWitness;
use crate::form::Form;
use crate::meter::Meter;
use crate::scope::Found;
use crate::spelling::TypedArgs;
use crate::value::Value;

/// The steps that one search may take: a policy's author waits for the answer.
const STEPS: u64 = 2_000_000;

/// How many searches are made in all.
const MOST_SEARCHES: usize = 20_000;

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
    let names = named_tools(&[less, more], &rules);
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
            if fewer.is_cut || greater.is_cut {
                let permits = of_more.of_tool(tool).filter(|rule| rule.effect == Effect::Permit);
                permits.for_each(|rule| finder.undecided(&rule.id));
            }
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

/// What is searched of one tool.
#[derive(Clone, Copy)]
struct OfOneTool<'t, 's> {
    search: &'s ToolSearch<'t>,
    fixed: Fixed<'t>,
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
        let tool = match fixed.tool {
            Some(_) => ToolSearch::of_tool(typed(self.more), [was, is].concat()),
            None => ToolSearch::elsewhere(named),
        };
        let tool = OfOneTool { search: &tool, fixed };
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
                    self.search(&permit.rule.id, &[permit], outside, tool);
                    // What is read in two ways is not compared by what is read in one.
                    if !is_read_alike && !self.shown.contains(&*permit.rule.id) {
                        self.undecided(&permit.rule.id);
                    }
                }
                for guard in guards_less.iter().filter(|own| !is_same(own, &guards_more)) {
                    self.search(&guard.rule.id, &[permit, guard], guards_more.iter(), tool);
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
        tool: OfOneTool<'_, '_>,
    ) where
        'p: 'q,
    {
        if self.shown.contains(rule) {
            return;
        }
        let mut searches = self.searches;
        let mut confirm = |found| self.confirmed(rule, found, tool.fixed);
        let found = tool.search.find(within, outside, (&mut searches, STEPS), &mut confirm);
        self.searches = searches;
        match found {
            Outcome::Found(witness) => self.keep(rule, witness),
            Outcome::Nothing => {}
            Outcome::Undecided => self.undecided(rule),
        }
    }

    /// What was found, if asking both policies about it shows a difference.
    fn confirmed(&self, rule: &str, found: Found, fixed: Fixed<'_>) -> Option<DiffWitness> {
        let question = FoundQuestion::of(found, fixed)?;
        let (less, more) = (question.standing(self.less), question.standing(self.more));
        let (old, new) = match self.direction {
            Direction::Wider => (less, more),
            Direction::Narrower => (more, less),
        };
        (less < more).then(|| DiffWitness::new(rule, question, old, new))
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
