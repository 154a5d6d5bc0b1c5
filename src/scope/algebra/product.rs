//! Machines side by side, reading the same text.

use std::collections::{BTreeSet, HashMap};

use super::super::automaton::{after, before, in_class};
use super::machine::{Machine, State};
use crate::meter::{Meter, Work};
use crate::visible::is_hidden;

/// The state of each machine, by number.
pub(super) type States = Box<[u32]>;

/// Machines that read the same text.
pub(super) struct Product<'a> {
    machines: Vec<Numbered<'a>>,
    alphabet: Vec<char>,
}

/// Which character stands for those that no machine tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    /// One that is easy to read.
    Plain,
    /// One of the most bytes.
    Widest,
}

/// Of noting a state, a letter that leads from one, and a class of characters.
const STEPS_PER_STATE: usize = 8;
const STEPS_PER_LETTER: usize = 4;
const STEPS_PER_CLASS: usize = 12;

impl<'a> Product<'a> {
    /// `None` where the machines tell more characters apart than can be paid for.
    pub(super) fn new(machines: Vec<Machine<'a>>, letter: Letter, meter: &Meter) -> Option<Self> {
        let alphabet = alphabet(&machines, letter, meter)?;
        Some(Product { machines: machines.into_iter().map(Numbered::new).collect(), alphabet })
    }

    pub(super) fn start(&self) -> States {
        self.machines.iter().map(|_| 0).collect()
    }

    /// Which machines accept, and what of the state answers can depend on.
    pub(super) fn accepts(&self, states: &States) -> Vec<Option<usize>> {
        let pairs = self.machines.iter().zip(states);
        pairs.map(|(machine, state)| machine.accepts(*state)).collect()
    }

    /// Visits where each letter leads; `None` if the steps do not last.
    pub(super) fn each_step(
        &mut self,
        from: &States,
        meter: &Meter,
        mut visit: impl FnMut(char, States),
    ) -> Option<()> {
        if !meter.charge(STEPS_PER_STATE + 4 * self.machines.len(), Work::Containing) {
            return None;
        }
        for (at, letter) in self.alphabet.iter().enumerate() {
            if !meter.charge(STEPS_PER_LETTER + self.machines.len(), Work::Containing) {
                return None;
            }
            let pairs = self.machines.iter_mut().zip(from);
            let next: Option<States> = pairs
                .map(|(machine, state)| machine.step(*state, at, &self.alphabet, meter))
                .collect();
            visit(*letter, next?);
        }
        Some(())
    }
}

/// A machine whose states are numbered as they are first met.
struct Numbered<'a> {
    machine: Machine<'a>,
    states: Vec<State>,
    numbers: HashMap<State, u32>,
    /// Where each letter leads from each state, state by state, as far as it is known.
    steps: Vec<Option<u32>>,
}

impl<'a> Numbered<'a> {
    fn new(machine: Machine<'a>) -> Self {
        let start = machine.start();
        Numbered {
            machine,
            states: vec![start.clone()],
            numbers: HashMap::from([(start, 0)]),
            steps: Vec::new(),
        }
    }

    fn step(&mut self, from: u32, letter: usize, alphabet: &[char], meter: &Meter) -> Option<u32> {
        let at = from as usize * alphabet.len() + letter;
        if let Some(Some(to)) = self.steps.get(at) {
            return Some(*to);
        }
        let state = self.states.get(from as usize)?;
        if !meter.charge(STEPS_PER_STATE + self.machine.size(), Work::Containing) {
            return None;
        }
        let next = self.machine.step(state, *alphabet.get(letter)?);
        let number = match self.numbers.get(&next) {
            Some(number) => *number,
            None => {
                // Where its letters lead has to be kept, too.
                if !meter.charge(STEPS_PER_STATE + alphabet.len(), Work::Containing) {
                    return None;
                }
                let number = u32::try_from(self.states.len()).ok()?;
                self.states.push(next.clone());
                self.numbers.insert(next, number);
                number
            }
        };
        let known = self.states.len() * alphabet.len();
        if self.steps.len() < known {
            self.steps.resize(known, None);
        }
        if let Some(step) = self.steps.get_mut(at) {
            *step = Some(number);
        }
        Some(number)
    }

    fn accepts(&self, state: u32) -> Option<usize> {
        self.machine.accepts(self.states.get(state as usize)?)
    }
}

/// One character for each set of characters that no machine tells apart.
fn alphabet(machines: &[Machine<'_>], letter: Letter, meter: &Meter) -> Option<Vec<char>> {
    // Counted before any of it is built.
    let mut said = 0;
    machines.iter().for_each(|machine| {
        machine.classes(|ranges| said += STEPS_PER_CLASS + ranges.len() / 4);
    });
    if !meter.charge(said, Work::Containing) {
        return None;
    }
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
    let signatures = starts.len() * (STEPS_PER_LETTER + classes.len() / 2);
    if !meter.charge(signatures, Work::Containing) {
        return None;
    }
    let ends = starts.iter().skip(1).filter_map(|next| before(*next)).chain([char::MAX]);
    let mut letters: HashMap<Vec<bool>, char> = HashMap::new();
    for (low, high) in starts.iter().zip(ends) {
        let signature = classes.iter().map(|ranges| in_class(ranges, *low)).collect();
        let own = match letter {
            Letter::Plain => letter_in(*low, high),
            Letter::Widest => high,
        };
        letters
            .entry(signature)
            .and_modify(|best| {
                let is_better = match letter {
                    Letter::Plain => rank(own) < rank(*best),
                    Letter::Widest => own.len_utf8() > best.len_utf8(),
                };
                if is_better {
                    *best = own;
                }
            })
            .or_insert(own);
    }
    let mut letters: Vec<char> = letters.into_values().collect();
    letters.sort_by_key(|letter| (rank(*letter), *letter));
    Some(letters)
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
