//! Cells: one value for each combination of answers that some tests can give together.

use std::collections::BTreeMap;

use super::super::constraint::{Constraint, Node};
use super::super::evaluate::Stance;
use super::super::fact::Absence;
use super::super::kind::Set;
use super::super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::Value;

/// Of putting a value among the cells.
const STEPS_PER_OFFER: usize = 16;

/// How a constraint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct How {
    pub(super) negated: bool,
    pub(super) stance: Stance,
    /// Whether it is enough that it may be so.
    pub(super) may: bool,
    /// Whether the value stands for an element of a list that is asked as a whole.
    pub(super) in_list: bool,
}

impl How {
    fn of(stance: Stance, may: bool) -> Self {
        How { negated: false, stance, may, in_list: false }
    }

    /// Of what lies inside of the value.
    pub(super) fn inside(self, negated: bool) -> Self {
        How { negated, in_list: false, ..self }
    }
}

/// One thing asked of a value, with yes or no as answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test<'a> {
    /// Whether the constraint is so.
    Ask { constraint: &'a Constraint, how: How },
    /// Whether the value itself is one of these.
    Member(&'a [Value]),
    /// Whether the value is of a kind that one of these has.
    Kind(&'a [Value]),
    /// Whether there is a value.
    There,
}

impl<'a> Test<'a> {
    pub(super) fn cover(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, how: How::of(Stance::Cover, false) }
    }

    /// What may be covered, for all that is known: more where something is compared.
    pub(super) fn may_cover(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, how: How::of(Stance::Cover, true) }
    }

    /// Where a guard acts.
    pub(super) fn guard(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, how: How::of(Stance::Guard, true) }
    }

    /// Where a guard acts whatever is not known.
    pub(super) fn sure_guard(constraint: &'a Constraint) -> Self {
        Test::Ask { constraint, how: How::of(Stance::Guard, false) }
    }

    pub(super) fn passes(&self, value: Option<&Value>, absence: Absence, meter: &Meter) -> bool {
        match self {
            Test::Ask { constraint, how: How { negated, stance, may, in_list } } => {
                let truth = match value.filter(|_| *in_list) {
                    Some(own) => {
                        constraint.holds_of_element(own, absence, *stance, *negated, meter)
                    }
                    None => constraint.holds_of(value, absence, *stance, *negated, meter),
                };
                // What is compared with is not known; but nothing is the same as what is not filled in.
                let is_nothing = |own: &Value| {
                    own.is_nothing() && (*own == Value::Null || !constraint.relates())
                };
                let is_settled = *stance == Stance::Cover && value.is_none_or(is_nothing);
                if *may && !is_settled { truth.may_hold() } else { truth == Truth::True }
            }
            Test::Member(set) | Test::Kind(set) if !meter.charge(set.len(), Work::Containing) => {
                false
            }
            Test::Member(set) => value.is_some_and(|value| set.contains(value)),
            Test::Kind(set) => value.is_some_and(|value| {
                set.iter().any(|own| std::mem::discriminant(own) == std::mem::discriminant(value))
            }),
            Test::There => value.is_some(),
        }
    }

    /// How much it says: what going through it takes.
    fn size(&self) -> usize {
        match self {
            Test::Ask { constraint, .. } => constraint.size(),
            Test::Member(set) | Test::Kind(set) => set.iter().map(Value::size).sum(),
            Test::There => 1,
        }
    }

    /// Every leaf that says something of the value itself, with whether it stands under `not`.
    pub(super) fn leaves(&self, each: &mut dyn FnMut(&'a Constraint, bool)) {
        if let Test::Ask { constraint, how } = self {
            leaves(constraint, how.negated, each);
        }
    }

    /// Every value named in a finite set, or in an order.
    pub(super) fn values(&self, each: &mut dyn FnMut(&'a Value)) {
        match self {
            Test::Ask { constraint, .. } => {
                leaves(constraint, false, &mut |leaf, _| match &leaf.0 {
                    Node::Is(set) => set.iter().for_each(&mut *each),
                    Node::Levels(levels) => levels.order().iter().for_each(&mut *each),
                    _ => {}
                })
            }
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
pub(super) type Sample = fn(&mut Sampler<'_>, &Meter);

/// Whether nothing is left to look for once a value passes these tests.
pub(super) type Goal<'t> = &'t dyn Fn(u64, Option<&Value>) -> bool;

/// Whether lists are put together in a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// Of all that elements can be.
    All,
    /// The empty one alone: no other can be meant, or one of its elements tells as much.
    Empty,
}

/// One search.
pub(super) struct Sampler<'t> {
    pub(super) tests: &'t [Test<'t>],
    pub(super) absence: Absence,
    /// What offers it values, from cheap to dear. Handed in, since lists and objects search for what may
    /// lie in them, with all kinds again.
    samples: &'static [Sample],
    lists: Lists,
    /// The search may stop once it has found this.
    goal: Option<Goal<'t>>,
    done: bool,
    cells: Cells,
    /// As the cells, of values that are there: what a list can have as elements.
    there: BTreeMap<u64, Value>,
    /// How many parts the tests have, about.
    parts: usize,
}

/// How many tests can be asked together: one bit each, and more than that many conditions on one
/// argument are not written by hand.
pub(super) const MAX_TESTS: usize = 63;

impl<'t> Sampler<'t> {
    pub(super) fn new(
        tests: &'t [Test<'t>],
        absence: Absence,
        samples: &'static [Sample],
        goal: Option<Goal<'t>>,
    ) -> Self {
        let cells = Cells { found: BTreeMap::new(), complete: tests.len() <= MAX_TESTS };
        Sampler {
            tests,
            absence,
            samples,
            lists: Lists::All,
            goal,
            done: tests.len() > MAX_TESTS,
            cells,
            there: BTreeMap::new(),
            parts: 0,
        }
    }

    pub(super) fn with(self, lists: Lists) -> Self {
        Sampler { lists, ..self }
    }

    /// Whether lists of more than no element are asked, too.
    pub(super) fn puts_lists_together(&self) -> bool {
        self.lists == Lists::All
    }

    /// The cells of what lies inside of the values of this search.
    pub(super) fn inside(&self, tests: &[Test<'_>], may_be_absent: bool, meter: &Meter) -> Cells {
        Sampler::new(tests, self.absence, self.samples, None).run(may_be_absent, meter)
    }

    pub(super) fn run(mut self, may_be_absent: bool, meter: &Meter) -> Cells {
        if may_be_absent {
            self.offer(None, meter);
        }
        if self.tests.is_empty() {
            self.offer(Some(Value::from("x")), meter);
            return self.cells;
        }
        for value in [Value::from("x"), Value::Bool(true), Value::Bool(false), Value::Null] {
            self.offer(Some(value), meter);
        }
        // What follows goes through all that is said, some times over.
        let said: usize = self.tests.iter().map(Test::size).sum();
        if !meter.charge(said, Work::Containing) {
            self.give_up();
        }
        if self.done {
            return self.cells;
        }
        self.parts = said / 8;
        // Lists and objects whole first.
        let mut named = Vec::new();
        self.tests.iter().for_each(|test| test.values(&mut |value| named.push(value)));
        for value in named {
            self.offer(Some(value.clone()), meter);
        }
        for sample in self.samples {
            if self.done {
                break;
            }
            sample(&mut self, meter);
        }
        self.cells
    }

    /// Whether the goal is reached, or nothing more can be paid for.
    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// Notes that a combination may have been missed.
    pub(super) fn miss(&mut self) {
        self.cells.complete = false;
    }

    pub(super) fn offer(&mut self, value: Option<Value>, meter: &Meter) {
        if self.done {
            return;
        }
        if !meter.charge(STEPS_PER_OFFER + 2 * self.tests.len(), Work::Containing) {
            self.give_up();
            return;
        }
        let mut passed = 0_u64;
        for (bit, test) in self.tests.iter().enumerate() {
            if test.passes(value.as_ref(), self.absence, meter) {
                passed |= 1 << bit;
            }
        }
        if let Some(value) = &value {
            self.there.entry(passed).or_insert_with(|| value.clone());
        }
        self.done |= self.goal.is_some_and(|goal| goal(passed, value.as_ref()));
        self.cells.found.entry(passed).or_insert(value);
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
    pub(super) fn is_named(&self, value: &Value, meter: &Meter) -> bool {
        if !meter.charge(1 + self.parts, Work::Containing) {
            return true;
        }
        let mut named = false;
        self.tests.iter().for_each(|test| test.values(&mut |own| named |= own == value));
        named
    }
}
