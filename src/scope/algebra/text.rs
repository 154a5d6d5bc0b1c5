//! Texts: all patterns run side by side as automata, until no new combination of states comes.

use std::collections::{BTreeSet, HashSet};

use super::super::constraint::{Constraint, Node};
use super::super::glob::MAX_PATTERN_TEXT;
use super::super::segments::is_of_paths;
use super::cells::Sampler;
use super::machine::{Machine, Reads, STEPS_PER_FOLDER, folder, machine, steps_to_build};
use super::product::{Letter, Product, States};
use super::{long, read};
use crate::meter::{Meter, Work};
use crate::value::Value;

/// Exact for patterns, lengths, paths and finite sets: what a test answers depends on nothing but which
/// patterns accept, and on whether the text is too long for some of them. So one text for each set of
/// accepting patterns is enough, and one more of those that are too long.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    let Asked { machines, of_long, misses, spelling } = Asked::of(sampler, meter);
    let read = read::sample(sampler, meter);
    if misses || (read && spelling) {
        sampler.miss();
    }
    if sampler.done() {
        return;
    }
    if let [Machine::Texts(texts)] = &machines[..]
        && of_long.is_none()
    {
        return another_than(texts, sampler, meter);
    }
    let is_bounded = of_long.is_some();
    match Product::new(machines, Letter::Plain, meter) {
        Some(mut product) => explore(&mut product, is_bounded, sampler, meter),
        None => sampler.give_up(),
    }
    if let Some(machines) = of_long
        && !sampler.done()
    {
        match Product::new(machines, Letter::Widest, meter) {
            Some(mut product) => long::sample(&mut product, sampler, meter),
            None => sampler.give_up(),
        }
    }
}

/// Next to finite sets, of which every text was offered as it is, all others are the same: one of them is enough. The empty
/// one is offered, too, since it is not filled in.
fn another_than(texts: &[&str], sampler: &mut Sampler<'_>, meter: &Meter) {
    sampler.offer(Some(Value::from("")), meter);
    let mut other = "x".to_owned();
    while texts.contains(&&*other) {
        if !meter.charge(texts.len(), Work::Containing) {
            return sampler.give_up();
        }
        other.push('x');
    }
    sampler.offer(Some(Value::from(other)), meter);
}

/// What is asked of the spelling of texts.
struct Asked<'t> {
    machines: Vec<Machine<'t>>,
    /// Those asked of texts of any length; `None` where that is all of them.
    of_long: Option<Vec<Machine<'t>>>,
    /// Whether something is asked that no machine can tell.
    misses: bool,
    /// Whether more is asked than whether there is a text.
    spelling: bool,
}

impl<'t> Asked<'t> {
    /// Nothing where building it cannot be paid for.
    fn of(sampler: &Sampler<'t>, meter: &Meter) -> Self {
        let (mut machines, mut bounded) = (Vec::new(), Vec::new());
        let mut texts = BTreeSet::new();
        let (mut misses, mut spelling) = (false, false);
        let (mut paths, mut starts, mut dots, mut controls) = (false, false, false, false);
        for test in sampler.tests {
            test.leaves(
                &mut |leaf, _| match pays_to_build(leaf, meter).then(|| machine(&leaf.0)) {
                    None | Some(Reads::Nothing) => {}
                    Some(Reads::Machine(machine)) => {
                        // Of texts that are read as something else, none is empty.
                        spelling |= !matches!(leaf.0, Node::Present(_));
                        match &leaf.0 {
                            Node::Glob(glob) => {
                                dots |= glob.is_of_paths();
                                controls = true;
                            }
                            Node::Prefix(start) => starts |= is_of_paths(start),
                            // Which texts are paths at all: what is none is unknown instead of false.
                            Node::Under(_) => paths = true,
                            _ => {}
                        }
                        match &leaf.0 {
                            Node::Glob(_) | Node::Regex(_) => bounded.push(machine),
                            _ => machines.push(machine),
                        }
                    }
                    Some(Reads::Unknown) => misses = true,
                },
            );
            test.values(&mut |value| texts.extend(value.as_text()));
        }
        if paths && meter.charge(2 * STEPS_PER_FOLDER, Work::Containing) {
            let folders = ["/", "."].iter().filter_map(|root| folder(root));
            machines.extend(folders.map(Machine::Pattern));
        }
        machines.extend(starts.then_some(Machine::DotSegments));
        if !texts.is_empty() {
            machines.push(Machine::Texts(texts.into_iter().collect()));
        }
        let is_open = |machine: &&Machine<'t>| !machine.says_the_same_beyond(MAX_PATTERN_TEXT);
        let of_long =
            (!bounded.is_empty()).then(|| machines.iter().filter(is_open).cloned().collect());
        machines.extend(bounded);
        machines.extend((dots && !starts).then_some(Machine::DotSegments));
        machines.extend(controls.then_some(Machine::Controls));
        Asked { machines, of_long, misses, spelling }
    }
}

/// Takes the steps of building the machine of a leaf.
fn pays_to_build(leaf: &Constraint, meter: &Meter) -> bool {
    meter.charge(steps_to_build(&leaf.0), Work::Containing)
}

/// Breadth first, so that each combination is shown by one of its shortest texts.
fn explore(product: &mut Product<'_>, is_bounded: bool, sampler: &mut Sampler<'_>, meter: &Meter) {
    let start = product.start();
    let mut seen = HashSet::from([start.clone()]);
    let mut answers = HashSet::new();
    let mut reached = vec![Reached { states: start, from: 0, by: '\0' }];
    let mut at = 0;
    while let Some(now) = reached.get(at) {
        let states = now.states.clone();
        if answers.insert(product.accepts(&states)) {
            let text = spell(&reached, at);
            if !is_bounded || text.len() <= MAX_PATTERN_TEXT {
                sampler.offer(Some(Value::from(text)), meter);
            } else if text.chars().count() <= MAX_PATTERN_TEXT {
                // Other characters might make it short enough.
                sampler.miss();
            }
            if sampler.done() {
                return;
            }
        }
        let visited = product.each_step(&states, meter, |letter, next| {
            if !seen.contains(&next) {
                seen.insert(next.clone());
                reached.push(Reached { states: next, from: at, by: letter });
            }
        });
        if visited.is_none() {
            return sampler.give_up();
        }
        at += 1;
    }
}

/// A state of all machines, and by which character from which other it was first reached.
struct Reached {
    states: States,
    from: usize,
    by: char,
}

fn spell(reached: &[Reached], mut at: usize) -> String {
    let mut letters = Vec::new();
    while at > 0
        && let Some(step) = reached.get(at)
    {
        letters.push(step.by);
        at = step.from;
    }
    letters.iter().rev().collect()
}
