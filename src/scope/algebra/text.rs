//! Texts: all patterns run side by side as automata, until no new combination of states comes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use super::super::automaton::{Automaton, Positions, Step, after, before, in_class};
use super::super::constraint::Node;
use super::super::kind::Count;
use super::super::regex::{Expression, opposite, written_out};
use super::cells::{Budget, Sampler};
use super::read;
use crate::text::is_hidden;
use crate::value::Value;

/// Exact for patterns, lengths, paths and finite sets: what a test answers depends on nothing but which
/// patterns accept, so one text for each set of accepting patterns is enough.
pub(super) fn sample(sampler: &mut Sampler<'_>, plain: u8, budget: &mut Budget) {
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
    let read = read::sample(sampler, plain, budget);
    if missed || (read && spelling) {
        sampler.miss();
    }
    if !texts.is_empty() {
        machines.push(Machine::Texts(texts.into_iter().collect()));
    }
    let mut product = Product::new(machines);
    product.explore(sampler, budget);
}

/// What a leaf asks of a text.
enum Reads<'a> {
    /// The same of every text.
    Nothing,
    Machine(Machine<'a>),
    /// What no automaton can say.
    Unknown,
}

fn machine(leaf: &Node) -> Reads<'_> {
    let pattern = |automaton: Option<Automaton>| {
        automaton.map_or(Reads::Unknown, |automaton| Reads::Machine(Machine::Pattern(automaton)))
    };
    match leaf {
        Node::Prefix(text) => pattern(literal(text, false, true)),
        Node::Suffix(text) => pattern(literal(text, true, false)),
        Node::Contains(text) => pattern(literal(text, true, true)),
        Node::Glob(glob) => pattern(glob.automaton()),
        Node::Regex(regex) => pattern(Some(regex.automaton().clone())),
        Node::Len(count) => Reads::Machine(Machine::Length(*count)),
        Node::Present(_) => Reads::Machine(Machine::Length(Count { min: 1, max: None })),
        // Finite sets are one machine together; the rest is of other kinds of values.
        Node::Is(_) | Node::Any | Node::Range(_) | Node::Fields(_) | Node::Faulty(_) => {
            Reads::Nothing
        }
        Node::Each(_) | Node::Some(_) | Node::Count(_) => Reads::Nothing,
        Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_) => Reads::Nothing,
        Node::Under(root) => pattern(folder(root)),
        // Cut by what they are read as.
        Node::Cidr(_) | Node::Instants(_) | Node::Weekly(_) | Node::Json(_) => Reads::Nothing,
        // Not leaves.
        Node::All(_) | Node::AnyOf(_) | Node::Not(_) => Reads::Unknown,
        // Comparisons are left to whoever asks: what they are compared with is not known here.
        Node::SameAs(_) => Reads::Nothing,
    }
}

/// The paths that are `root`, in its one spelling, or lie in it.
fn folder(root: &str) -> Option<Automaton> {
    let one = |ranges: &[(char, char)]| Expression::One(Step::Class(ranges.into()));
    let literal = |text: &str| {
        Expression::Sequence(text.chars().map(|c| Expression::One(Step::Char(c))).collect())
    };
    let many = |inner| Expression::Repeat { inner: Box::new(inner), least: 0, most: None };
    let plain = path_characters();
    let without = |unwanted: &str| {
        let mut outside = opposite(plain.to_vec());
        outside.extend(unwanted.chars().map(|c| (c, c)));
        opposite(outside)
    };
    // A segment is neither `.` nor `..`: what follows a dot or two decides.
    let segment = |first: &str| {
        let any = || many(one(plain));
        Expression::Alternatives(vec![
            Expression::Sequence(vec![one(&without(first)), any()]),
            Expression::Sequence(vec![literal("."), one(&without(".")), any()]),
            Expression::Sequence(vec![literal(".."), one(plain), any()]),
        ])
    };
    let below = || many(Expression::Sequence(vec![literal("/"), segment(".")]));
    let paths = match root {
        "/" => Expression::Alternatives(vec![
            literal("/"),
            Expression::Sequence(vec![literal("/"), segment("."), below()]),
        ]),
        // A path that begins with `~` is none.
        "." => Expression::Alternatives(vec![
            literal("."),
            Expression::Sequence(vec![segment(".~"), below()]),
        ]),
        root => Expression::Sequence(vec![literal(root), below()]),
    };
    written_out(&paths).ok()
}

/// The characters that a segment of a path may have.
fn path_characters() -> &'static [(char, char)] {
    static CHARACTERS: OnceLock<Vec<(char, char)>> = OnceLock::new();
    CHARACTERS.get_or_init(|| {
        let refused = ('\0'..=char::MAX).filter(|c| matches!(c, '/' | '\\' | '%') || is_hidden(*c));
        let mut ranges: Vec<(char, char)> = Vec::new();
        for c in refused {
            match ranges.last_mut() {
                Some((_, high)) if after(*high) == Some(c) => *high = c,
                _ => ranges.push((c, c)),
            }
        }
        opposite(ranges)
    })
}

/// The text itself, with anything before or behind it.
fn literal(text: &str, before: bool, behind: bool) -> Option<Automaton> {
    let anything = |at: usize| {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        let any = Step::Class(Box::new([('\0', char::MAX)]));
        [Step::Split(at + 1, at + 3), any, Step::Jump(at)]
    };
    if text.len() >= usize::from(u16::MAX) - 8 {
        return None;
    }
    let mut steps = Vec::new();
    if before {
        steps.extend(anything(0));
    }
    steps.extend(text.chars().map(Step::Char));
    if behind {
        steps.extend(anything(steps.len()));
    }
    steps.push(Step::End);
    Automaton::new(steps).ok()
}

/// One pattern, or what counts as one.
enum Machine<'a> {
    Pattern(Automaton),
    Length(Count),
    /// Finitely many texts, sorted: a state is those that begin with what was read.
    Texts(Vec<&'a str>),
}

/// Where a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Pattern(Positions),
    /// Characters read, counted no further than it matters.
    Length(u64),
    /// Which texts begin with the bytes read so far.
    Texts {
        from: usize,
        to: usize,
        bytes: usize,
    },
}

impl Machine<'_> {
    fn start(&self) -> State {
        match self {
            Machine::Pattern(automaton) => State::Pattern(automaton.start()),
            Machine::Length(_) => State::Length(0),
            Machine::Texts(texts) => State::Texts { from: 0, to: texts.len(), bytes: 0 },
        }
    }

    fn step(&self, state: &State, c: char) -> State {
        match (self, state) {
            (Machine::Pattern(automaton), State::Pattern(positions)) => {
                State::Pattern(automaton.step(positions, c))
            }
            (Machine::Length(count), State::Length(read)) => {
                let enough = count.max.map_or(count.min, |max| max.saturating_add(1));
                State::Length(read.saturating_add(1).min(enough))
            }
            (Machine::Texts(texts), State::Texts { from, to, bytes }) => {
                let within = texts.get(*from..*to).unwrap_or_default();
                let next = |text: &&str| text.get(*bytes..).and_then(|rest| rest.chars().next());
                let low = within.partition_point(|text| next(text) < Some(c));
                let high = within.partition_point(|text| next(text) <= Some(c));
                if low == high {
                    return State::Texts { from: 0, to: 0, bytes: 0 };
                }
                State::Texts { from: from + low, to: from + high, bytes: bytes + c.len_utf8() }
            }
            (_, state) => state.clone(),
        }
    }

    /// What of the state answers can depend on: for finite sets the very text.
    fn accepts(&self, state: &State) -> Option<usize> {
        match (self, state) {
            (Machine::Pattern(automaton), State::Pattern(positions)) => {
                automaton.accepts(positions).then_some(0)
            }
            (Machine::Length(count), State::Length(read)) => count.contains(*read).then_some(0),
            (Machine::Texts(texts), State::Texts { from, to, bytes }) => {
                let first = texts.get(*from..*to)?.first()?;
                (first.len() == *bytes).then_some(*from)
            }
            _ => None,
        }
    }

    fn classes(&self, each: &mut dyn FnMut(&[(char, char)])) {
        match self {
            Machine::Pattern(automaton) => automaton.steps().iter().for_each(|step| match step {
                Step::Char(c) => each(&[(*c, *c)]),
                Step::Class(ranges) => each(ranges),
                _ => {}
            }),
            Machine::Length(_) => {}
            Machine::Texts(texts) => {
                texts.iter().flat_map(|text| text.chars()).for_each(|c| each(&[(c, c)]));
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Machine::Pattern(automaton) => automaton.steps().len(),
            _ => 1,
        }
    }
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

    fn step(&mut self, from: u32, c: char, budget: &mut Budget) -> Option<u32> {
        if let Some(to) = self.steps.get(&(from, c)) {
            return Some(*to);
        }
        let state = self.states.get(from as usize)?;
        if !budget.spend(1 + self.machine.size() / 8) {
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
    fn explore(&mut self, sampler: &mut Sampler<'_>, budget: &mut Budget) {
        let start: Box<[u32]> = self.machines.iter().map(|_| 0).collect();
        let mut seen = HashSet::from([start.clone()]);
        let mut answers = HashSet::new();
        // Each state with how it was reached.
        let mut reached: Vec<(Box<[u32]>, usize, char)> = vec![(start, 0, '\0')];
        let mut at = 0;
        while let Some((state, ..)) = reached.get(at) {
            let state = state.clone();
            let accepts: Vec<Option<usize>> = self
                .machines
                .iter()
                .zip(&state)
                .map(|(machine, state)| machine.accepts(*state))
                .collect();
            if answers.insert(accepts) {
                sampler.offer(Some(Value::from(spell(&reached, at))), budget);
                if sampler.done() {
                    return;
                }
            }
            for c in &self.alphabet {
                if !budget.spend(1) {
                    return sampler.give_up();
                }
                let next: Option<Box<[u32]>> = self
                    .machines
                    .iter_mut()
                    .zip(&state)
                    .map(|(machine, state)| machine.step(*state, *c, budget))
                    .collect();
                let Some(next) = next else { return sampler.give_up() };
                if !seen.contains(&next) {
                    seen.insert(next.clone());
                    reached.push((next, at, *c));
                }
            }
            at += 1;
        }
    }
}

fn spell(reached: &[(Box<[u32]>, usize, char)], mut at: usize) -> String {
    let mut letters = Vec::new();
    while at > 0
        && let Some((_, from, c)) = reached.get(at)
    {
        letters.push(*c);
        at = *from;
    }
    letters.iter().rev().collect()
}

/// One character for each set of characters that no machine tells apart, easy to read where there is
/// a choice.
fn alphabet(machines: &[Machine<'_>]) -> Vec<char> {
    let mut classes: BTreeSet<Vec<(char, char)>> = BTreeSet::new();
    machines.iter().for_each(|machine| {
        machine.classes(&mut |ranges| {
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
