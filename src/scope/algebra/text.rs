//! Texts: all patterns run side by side as automata, until no new combination of states comes.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::automaton::{after, before, in_class};
use super::super::constraint::Node;
use super::cells::Sampler;
use super::machine::{Machine, Reads, State, folder, machine};
use super::read;
use crate::meter::{Meter, Work};
use crate::value::Value;
use crate::visible::is_hidden;

/// Exact for patterns, lengths, paths and finite sets: what a test answers depends on nothing but which
/// patterns accept, so one text for each set of accepting patterns is enough.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    let mut machines = Vec::new();
    let mut texts = BTreeSet::new();
    let mut missed = false;
    let mut spelling = false;
    for test in sampler.tests {
        test.leaves(&mut |leaf, _| match machine(&leaf.0) {
            Reads::Nothing => {}
            Reads::Machine(machine) => {
                // Of texts that are read as something else, none is empty.
                spelling |= !matches!(leaf.0, Node::Present(_));
                machines.push(machine);
                if let Node::Under(_) = leaf.0 {
                    // Which texts are paths at all: what is none is unknown instead of false.
                    for root in ["/", "."] {
                        machines.extend(folder(root).map(Machine::Pattern));
                    }
                }
            }
            Reads::Unknown => missed = true,
        });
        test.values(&mut |value| texts.extend(value.as_text()));
    }
    let read = read::sample(sampler, meter);
    if missed || (read && spelling) {
        sampler.miss();
    }
    if !texts.is_empty() {
        machines.push(Machine::Texts(texts.into_iter().collect()));
    }
    let mut product = Product::new(machines);
    product.explore(sampler, meter);
}

/// A machine whose states are numbered as they are first met.
struct Numbered<'a> {
    machine: Machine<'a>,
    states: Vec<State>,
    numbers: HashMap<State, u32>,
    steps: HashMap<(u32, char), u32>,
}

impl<'a> Numbered<'a> {
    fn new(machine: Machine<'a>) -> Self {
        let start = machine.start();
        Numbered {
            machine,
            states: vec![start.clone()],
            numbers: HashMap::from([(start, 0)]),
            steps: HashMap::new(),
        }
    }

    fn step(&mut self, from: u32, c: char, meter: &Meter) -> Option<u32> {
        if let Some(to) = self.steps.get(&(from, c)) {
            return Some(*to);
        }
        let state = self.states.get(from as usize)?;
        if !meter.charge(1 + self.machine.size() / 8, Work::Containing) {
            return None;
        }
        let next = self.machine.step(state, c);
        let number = match self.numbers.get(&next) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.states.len()).ok()?;
                self.states.push(next.clone());
                self.numbers.insert(next, number);
                number
            }
        };
        self.steps.insert((from, c), number);
        Some(number)
    }

    fn accepts(&self, state: u32) -> Option<usize> {
        self.machine.accepts(self.states.get(state as usize)?)
    }
}

struct Product<'a> {
    machines: Vec<Numbered<'a>>,
    alphabet: Vec<char>,
}

impl<'a> Product<'a> {
    fn new(machines: Vec<Machine<'a>>) -> Self {
        let alphabet = alphabet(&machines);
        Product { machines: machines.into_iter().map(Numbered::new).collect(), alphabet }
    }

    /// Breadth first, so that each combination is shown by one of its shortest texts.
    fn explore(&mut self, sampler: &mut Sampler<'_>, meter: &Meter) {
        let start: Box<[u32]> = self.machines.iter().map(|_| 0).collect();
        let mut seen = HashSet::from([start.clone()]);
        let mut answers = HashSet::new();
        let mut reached = vec![Reached { state: start, from: 0, by: '\0' }];
        let mut at = 0;
        while let Some(now) = reached.get(at) {
            let state = now.state.clone();
            let accepts: Vec<Option<usize>> = self
                .machines
                .iter()
                .zip(&state)
                .map(|(machine, state)| machine.accepts(*state))
                .collect();
            if answers.insert(accepts) {
                sampler.offer(Some(Value::from(spell(&reached, at))), meter);
                if sampler.done() {
                    return;
                }
            }
            for c in &self.alphabet {
                if !meter.charge(1, Work::Containing) {
                    return sampler.give_up();
                }
                let next: Option<Box<[u32]>> = self
                    .machines
                    .iter_mut()
                    .zip(&state)
                    .map(|(machine, state)| machine.step(*state, *c, meter))
                    .collect();
                let Some(next) = next else { return sampler.give_up() };
                if !seen.contains(&next) {
                    seen.insert(next.clone());
                    reached.push(Reached { state: next, from: at, by: *c });
                }
            }
            at += 1;
        }
    }
}

/// A state of all machines, and by which character from which other it was first reached.
struct Reached {
    state: Box<[u32]>,
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

/// One character for each set of characters that no machine tells apart, easy to read where there is
/// a choice.
fn alphabet(machines: &[Machine<'_>]) -> Vec<char> {
    let mut classes: BTreeSet<Vec<(char, char)>> = BTreeSet::new();
    machines.iter().for_each(|machine| {
        machine.classes(|ranges| {
            classes.insert(ranges.to_vec());
        });
    });
    // Where a class begins or ends, another set of classes may hold.
    let mut starts = BTreeSet::from(['\0']);
    for (low, high) in classes.iter().flatten() {
        starts.insert(*low);
        starts.extend(after(*high));
    }
    let ends = starts.iter().skip(1).filter_map(|next| before(*next)).chain([char::MAX]);
    let mut letters: HashMap<Vec<bool>, char> = HashMap::new();
    for (low, high) in starts.iter().zip(ends) {
        let signature = classes.iter().map(|ranges| in_class(ranges, *low)).collect();
        let letter = letter_in(*low, high);
        letters
            .entry(signature)
            .and_modify(|best| {
                if rank(letter) < rank(*best) {
                    *best = letter;
                }
            })
            .or_insert(letter);
    }
    let mut letters: Vec<char> = letters.into_values().collect();
    letters.sort_by_key(|letter| (rank(*letter), *letter));
    letters
}

fn rank(c: char) -> u8 {
    match c {
        'a'..='z' => 0,
        '0'..='9' | 'A'..='Z' => 1,
        '!'..='~' => 2,
        ' ' => 3,
        c if !is_hidden(c) => 4,
        _ => 5,
    }
}

fn letter_in(low: char, high: char) -> char {
    if low <= '~' {
        let within = ('!'..='~').filter(|c| low <= *c && *c <= high);
        if let Some(best) = within.min_by_key(|c| rank(*c)) {
            return best;
        }
    }
    (low..=high).take(256).find(|c| !is_hidden(*c)).unwrap_or(low)
}
