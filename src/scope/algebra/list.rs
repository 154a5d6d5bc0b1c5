//! Lists: put together from the cells of their elements.

use std::collections::BTreeMap;

use super::super::constraint::{Constraint, Node};
use super::super::kind::{Count, Sort};
use super::cells::{How, Sampler, Test, kinds, members};
use crate::meter::{Meter, Work};
use crate::value::Value;

/// The most elements a list is built with: `count` beyond that is left undecided.
const LONGEST: usize = 256;

/// How many cells the elements may fall into before not every set of them is tried. Two constraints
/// make four at most, `has_all` of five values seven or so; twelve are four thousand sets.
const MOST_CELLS: usize = 12;

/// How often a list is put into a list where nothing looks at lists: what a list of lists answers, a
/// list of its elements answers too, once `[]` and a list of one are among those.
const PLAIN_LEVELS: usize = 2;

/// Exact but for lists that are compared whole: what list kinds answer depends on which cells some
/// element lies in, and on how many elements there are.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    sampler.offer(Some(Value::List(Vec::new())), meter);
    if !sampler.puts_lists_together() {
        return;
    }
    let asked = Asked::of(sampler.tests);
    if asked.placed {
        // Which elements a list has says nothing of where they stand.
        sampler.miss();
    }
    if !asked.looked_at {
        // Elements are asked what the value itself is asked: they are what was found already.
        for _ in 0..PLAIN_LEVELS {
            if sampler.done() {
                return;
            }
            let elements = sampler.apart_by(&asked.of_elements);
            put_together(sampler, elements, &asked, meter);
        }
        return;
    }
    if !sampler.done() {
        let cells = sampler.inside(&asked.of_elements, false, meter);
        if !cells.complete {
            sampler.miss();
        }
        put_together(sampler, cells.found, &asked, meter);
    }
}

fn put_together(
    sampler: &mut Sampler<'_>,
    cells: BTreeMap<u64, Option<Value>>,
    asked: &Asked<'_>,
    meter: &Meter,
) {
    if sampler.done() {
        return;
    }
    let mut values: Vec<Value> = cells.into_values().flatten().collect();
    if values.len() > MOST_CELLS {
        sampler.miss();
        values.truncate(MOST_CELLS);
    }
    // Simple ones first.
    values.sort_by_key(Value::depth);
    let depths: Vec<usize> = values.iter().map(Value::depth).collect();
    if !meter.charge(2 << values.len(), Work::Containing) {
        return sampler.give_up();
    }
    let deepest = |set: &u32| depths.get(set.ilog2() as usize).copied().unwrap_or_default();
    // Every set of cells that a list's elements can lie in, but for the empty one.
    let mut sets: Vec<u32> = (1_u32..1 << values.len()).collect();
    sets.sort_by_key(|set| (deepest(set), set.count_ones()));
    for set in sets {
        let chosen = values.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
        let elements: Vec<&Value> = chosen.map(|(_, value)| value).collect();
        for length in asked.lengths(elements.len()) {
            if length > LONGEST {
                sampler.miss();
                continue;
            }
            if !meter.charge(8 * length, Work::Containing) {
                return sampler.give_up();
            }
            let spare = elements.first().copied().into_iter().cycle();
            let list = elements.iter().copied().chain(spare).take(length).cloned().collect();
            let list = Value::List(list);
            if sampler.is_named(&list, meter) {
                sampler.miss();
            }
            sampler.offer(Some(list), meter);
            if sampler.done() {
                return;
            }
        }
    }
}

/// What is asked of a list's elements and length.
#[derive(Default)]
struct Asked<'a> {
    of_elements: Vec<Test<'a>>,
    bounds: Vec<u64>,
    /// Whether some kind sees the list itself.
    looked_at: bool,
    /// Whether some kind asks for places.
    placed: bool,
}

impl<'a> Asked<'a> {
    fn of(tests: &[Test<'a>]) -> Self {
        let mut asked = Asked::default();
        for test in tests {
            let Test::Ask { constraint, how } = test else { continue };
            if matches!(constraint.sort(), Ok(Sort::Element(_))) {
                // Its elements are asked what it is asked, but for its type: that is the list's own.
                let asks_otherwise = !how.in_list && constraint.names_type();
                asked.looked_at |= asks_otherwise;
                let in_list = how.in_list || asks_otherwise;
                asked.add(Test::Ask { constraint, how: How { in_list, ..*how } });
            } else {
                test.leaves(&mut |leaf, negated| asked.leaf(leaf, negated, test));
            }
        }
        asked
    }

    fn leaf(&mut self, leaf: &'a Constraint, negated: bool, test: &Test<'a>) {
        let Test::Ask { how, .. } = *test else { return };
        match &leaf.0 {
            Node::Each(inner) | Node::Some(inner) => {
                self.add(Test::Ask { constraint: inner, how: how.inside(negated) });
            }
            Node::SubsetOf(set) | Node::HasAny(set) => {
                self.add(members(set));
                self.add(kinds(set));
            }
            Node::HasAll(set) => {
                for wanted in set.as_slice().chunks(1) {
                    self.add(Test::Member(wanted));
                    self.add(Test::Kind(wanted));
                }
            }
            Node::Items(items) => {
                self.placed = true;
                for constraint in items.iter() {
                    self.add(Test::Ask { constraint, how: how.inside(negated) });
                }
            }
            Node::Count(Count { min, max }) => {
                self.bounds.push(*min);
                self.bounds.extend(max.and_then(|max| max.checked_add(1)));
            }
            _ => return,
        }
        self.looked_at = true;
    }

    fn add(&mut self, test: Test<'a>) {
        if !self.of_elements.contains(&test) {
            self.of_elements.push(test);
        }
    }

    /// One length from each piece between the bounds, at least `least`.
    fn lengths(&self, least: usize) -> Vec<usize> {
        let mut lengths = vec![least];
        lengths.extend(
            self.bounds
                .iter()
                .filter_map(|bound| usize::try_from(*bound).ok().filter(|bound| *bound > least)),
        );
        // Nothing counts them: once more the same element, so that one list more of the kind is tried.
        lengths.push(least + 1);
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }
}
