//! Cells: one value for each combination of answers that some tests can give together.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::super::constraint::{Constraint, Node};
use super::super::evaluate::Stance;
use super::super::fact::Absence;
use super::super::kind::Set;
use super::super::truth::Truth;
use crate::sync;
use crate::value::Value;

/// How many elementary steps one search may take. Comparing two hand-written constraints takes some
/// hundreds to thousands; the bound is about ten milliseconds, whatever a scope written by an agent asks
/// for.
const STEPS: usize = 50_000;

/// How many steps all comparisons of one request may take together: those of eight full searches. A
/// request may name 128 capabilities, each to be compared with many rules, and whoever asks must not
/// hold up everybody else.
const REQUEST_STEPS: usize = 8 * STEPS;

sync::thread_local! {
    /// What is left to the request that this thread is deciding.
    static ALLOWANCE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Bounds all comparisons made on this thread while it lives. Past the bound nothing can be told any
/// more, and that denies.
///
/// Kept beside the thread instead of handed down: a comparison is asked for in the middle of matching
/// rules, by code that otherwise knows nothing of budgets.
#[derive(Debug)]
pub(crate) struct Allowance {
    before: usize,
}

impl Allowance {
    pub(crate) fn for_one_request() -> Self {
        Allowance { before: ALLOWANCE.with(|left| left.replace(REQUEST_STEPS)) }
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        ALLOWANCE.with(|left| left.set(self.before));
    }
}

/// What is left of [`STEPS`].
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Budget(STEPS)
    }
}

impl Budget {
    /// Whether there was enough left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let allowed = ALLOWANCE.with(|left| {
            let allowed = left.get().checked_sub(steps);
            left.set(allowed.unwrap_or(0));
            allowed
        });
        match self.0.checked_sub(steps) {
            Some(left) if allowed.is_some() => {
                self.0 = left;
                true
            }
            _ => {
                self.0 = 0;
                false
            }
        }
    }
}

/// One thing asked of a value, with yes or no as answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test<'a> {
    /// Whether the constraint is true; or, if that is enough, whether it may be.
    Ask { constraint: &'a Constraint, negated: bool, stance: Stance, may: bool },
    /// Whether the value itself is one of these.
    Member(&'a [Value]),
    /// Whether the value is of a kind that one of these has.
    Kind(&'a [Value]),
    /// Whether there is a value.
    There,
}

impl<'a> Test<'a> {
    pub(super) fn cover(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, negated: false, stance: Stance::Cover, may: false }
    }

    /// What may be covered, for all that is known: more where something is compared.
    pub(super) fn may_cover(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, negated: false, stance: Stance::Cover, may: true }
    }

    /// Where a guard acts.
    pub(super) fn guard(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, negated: false, stance: Stance::Guard, may: true }
    }

    pub(super) fn passes(&self, value: Option<&Value>, absence: Absence) -> bool {
        match self {
            Test::Ask { constraint, negated, stance, may } => {
                let truth = constraint.holds_of(value, absence, *stance, *negated);
                if *may { truth.may_hold() } else { truth == Truth::True }
            }
            Test::Member(set) => value.is_some_and(|value| set.contains(value)),
            Test::Kind(set) => value.is_some_and(|value| {
                set.iter().any(|own| std::mem::discriminant(own) == std::mem::discriminant(value))
            }),
            Test::There => value.is_some(),
        }
    }

    /// Every leaf that says something of the value itself, with whether it stands under `not`.
    pub(super) fn leaves(&self, each: &mut dyn FnMut(&'a Constraint, bool)) {
        if let Test::Ask { constraint, negated, .. } = self {
            leaves(constraint, *negated, each);
        }
    }

    /// Every value named in a finite set.
    pub(super) fn values(&self, each: &mut dyn FnMut(&'a Value)) {
        match self {
            Test::Ask { constraint, .. } => leaves(constraint, false, &mut |leaf, _| {
                if let Node::Is(set) = &leaf.0 {
                    set.iter().for_each(&mut *each);
                }
            }),
            Test::Member(set) | Test::Kind(set) => set.iter().for_each(each),
            Test::There => {}
        }
    }
}

fn leaves<'a>(
    constraint: &'a Constraint,
    negated: bool,
    each: &mut dyn FnMut(&'a Constraint, bool),
) {
    match &constraint.0 {
        Node::All(parts) | Node::AnyOf(parts) => {
            parts.iter().for_each(|part| leaves(part, negated, each));
        }
        Node::Not(inner) => leaves(inner, !negated, each),
        _ => each(constraint, negated),
    }
}

pub(super) fn members(set: &Set) -> Test<'_> {
    Test::Member(set.as_slice())
}

pub(super) fn kinds(set: &Set) -> Test<'_> {
    Test::Kind(set.as_slice())
}

/// What a search found: which tests pass (one bit each, the first lowest) and a value of which that
/// is so; `None` is a value that is not there.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) found: BTreeMap<u64, Option<Value>>,
    /// Whether no combination was missed.
    pub(super) complete: bool,
}

/// Offers values of one kind to a search.
pub(super) type Sample = fn(&mut Sampler<'_>, &mut Budget);

/// One search.
pub(super) struct Sampler<'t> {
    pub(super) tests: &'t [Test<'t>],
    pub(super) absence: Absence,
    /// What offers it values, from cheap to dear. Handed in, since lists and objects search for what may
    /// lie in them, with all kinds again.
    samples: &'static [Sample],
    /// The search may stop once it has found this.
    goal: Option<&'t dyn Fn(u64) -> bool>,
    done: bool,
    cells: Cells,
    /// As the cells, of values that are there: what a list can have as elements.
    there: BTreeMap<u64, Value>,
}

/// How many tests can be asked together: one bit each, and more than that many conditions on one
/// argument are not written by hand.
pub(super) const MAX_TESTS: usize = 63;

impl<'t> Sampler<'t> {
    pub(super) fn new(
        tests: &'t [Test<'t>],
        absence: Absence,
        samples: &'static [Sample],
        goal: Option<&'t dyn Fn(u64) -> bool>,
    ) -> Self {
        let cells = Cells { found: BTreeMap::new(), complete: tests.len() <= MAX_TESTS };
        Sampler {
            tests,
            absence,
            samples,
            goal,
            done: tests.len() > MAX_TESTS,
            cells,
            there: BTreeMap::new(),
        }
    }

    /// The cells of what lies inside of the values of this search.
    pub(super) fn inside(
        &self,
        tests: &[Test<'_>],
        may_be_absent: bool,
        budget: &mut Budget,
    ) -> Cells {
        Sampler::new(tests, self.absence, self.samples, None).run(may_be_absent, budget)
    }

    pub(super) fn run(mut self, may_be_absent: bool, budget: &mut Budget) -> Cells {
        if may_be_absent {
            self.offer(None, budget);
        }
        if self.tests.is_empty() {
            self.offer(Some(Value::from("x")), budget);
            return self.cells;
        }
        for value in [Value::from("x"), Value::Bool(true), Value::Bool(false), Value::Null] {
            self.offer(Some(value), budget);
        }
        // Lists and objects whole first.
        let mut named = Vec::new();
        self.tests.iter().for_each(|test| test.values(&mut |value| named.push(value)));
        for value in named {
            self.offer(Some(value.clone()), budget);
        }
        for sample in self.samples {
            sample(&mut self, budget);
        }
        self.cells
    }

    /// Whether the goal is reached, or there is no budget to go on.
    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// Notes that a combination may have been missed.
    pub(super) fn miss(&mut self) {
        self.cells.complete = false;
    }

    pub(super) fn offer(&mut self, value: Option<Value>, budget: &mut Budget) {
        if self.done {
            return;
        }
        if !budget.spend(self.tests.len() + 1) {
            self.give_up();
            return;
        }
        let mut passed = 0_u64;
        for (bit, test) in self.tests.iter().enumerate() {
            if test.passes(value.as_ref(), self.absence) {
                passed |= 1 << bit;
            }
        }
        if let Some(value) = &value {
            self.there.entry(passed).or_insert_with(|| value.clone());
        }
        self.cells.found.entry(passed).or_insert(value);
        if self.goal.is_some_and(|goal| goal(passed)) {
            self.done = true;
        }
    }

    /// What was found so far of values that are there, as far as some of the tests tell it apart.
    pub(super) fn apart_by(&self, some: &[Test<'_>]) -> BTreeMap<u64, Option<Value>> {
        let mut bits = 0;
        for (bit, test) in self.tests.iter().enumerate() {
            if some.contains(test) {
                bits |= 1 << bit;
            }
        }
        let mut apart = BTreeMap::new();
        for (passed, value) in &self.there {
            apart.entry(passed & bits).or_insert_with(|| Some(value.clone()));
        }
        apart
    }

    pub(super) fn give_up(&mut self) {
        self.miss();
        self.done = true;
    }

    /// Whether some test names this very list or object: then it speaks for itself alone.
    pub(super) fn is_named(&self, value: &Value) -> bool {
        let mut named = false;
        self.tests.iter().for_each(|test| test.values(&mut |own| named |= own == value));
        named
    }
}
