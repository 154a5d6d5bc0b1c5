//! What asks something of a text's spelling, as a machine that reads it character by character.

use std::sync::OnceLock;

use super::super::automaton::{Automaton, Positions, Step, after};
use super::super::constraint::Node;
use super::super::expression::{Expression, opposite, written_out};
use super::super::kind::Count;
use super::super::segments::is_control;
use crate::visible::is_hidden;

/// What a leaf asks of a text.
pub(super) enum Reads<'a> {
    /// The same of every text.
    Nothing,
    Machine(Machine<'a>),
    /// What no automaton can say.
    Unknown,
}

/// What building the machine of a folder takes: each segment has some classes of all characters that a
/// path may have.
pub(super) const STEPS_PER_FOLDER: usize = 2000;

/// What building the machine of a leaf takes.
pub(super) fn steps_to_build(leaf: &Node) -> usize {
    match leaf {
        Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) => 16 + 4 * text.len(),
        Node::Glob(glob) => 32 + 16 * glob.as_str().len(),
        Node::Regex(regex) => 8 * regex.automaton().steps().len(),
        Node::Under(root) => STEPS_PER_FOLDER + 4 * root.len(),
        _ => 4,
    }
}

pub(super) fn machine(leaf: &Node) -> Reads<'_> {
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
        // Finite sets, and the levels of orders, are one machine together; the rest is of other kinds of values.
        Node::Is(_)
        | Node::Levels(_)
        | Node::Any
        | Node::Type(_)
        | Node::Range(_)
        | Node::Fields(_)
        | Node::Faulty(_) => Reads::Nothing,
        Node::Each(_) | Node::Some(_) | Node::Items(_) | Node::Count(_) => Reads::Nothing,
        Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_) => Reads::Nothing,
        Node::Under(root) => pattern(folder(root)),
        // Cut by what they are read as.
        Node::Cidr(_) | Node::Instants(_) | Node::Weekly(_) | Node::Json(_) => Reads::Nothing,
        // Which texts are URLs in their one spelling no automaton of a sensible size says.
        Node::Url(_) => Reads::Unknown,
        // Not leaves.
        Node::All(_) | Node::AnyOf(_) | Node::Not(_) => Reads::Unknown,
        // Comparisons are left to the caller: what they are compared with is not known here.
        Node::SameAs(_) | Node::Compared(_) => Reads::Nothing,
    }
}

/// The paths that are `root`, in its one spelling, or lie in it.
pub(super) fn folder(root: &str) -> Option<Automaton> {
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

/// The machine of texts with a segment `.` or `..`.
mod dots {
    /// A segment begins.
    pub(super) const NONE: u64 = 0;
    const ONE: u64 = 1;
    const TWO: u64 = 2;
    /// Inside of another segment.
    const OTHER: u64 = 3;
    const FOUND: u64 = 4;

    pub(super) fn step(state: u64, c: char) -> u64 {
        match (state, c) {
            (FOUND, _) | (ONE | TWO, '/') => FOUND,
            (_, '/') => NONE,
            (NONE, '.') => ONE,
            (ONE, '.') => TWO,
            _ => OTHER,
        }
    }

    pub(super) fn are_found(state: u64) -> bool {
        matches!(state, ONE | TWO | FOUND)
    }
}

/// What [`is_control`] is true of.
const CONTROLS: &[(char, char)] = &[('\0', '\u{8}'), ('\u{b}', '\u{1f}'), ('\u{7f}', '\u{9f}')];

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
#[derive(Clone)]
pub(super) enum Machine<'a> {
    Pattern(Automaton),
    Length(Count),
    /// Finitely many texts, sorted: a state is those that begin with what was read.
    Texts(Vec<&'a str>),
    /// Texts with a segment `.` or `..`.
    DotSegments,
    /// Texts with a control.
    Controls,
}

/// Where a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    Small(u64),
    Large(Box<Positions>),
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
    pub(super) fn start(&self) -> State {
        match self {
            Machine::Pattern(automaton) if automaton.is_small() => State::Small(automaton.start()),
            Machine::Pattern(automaton) => State::Large(Box::new(automaton.start())),
            Machine::Length(_) => State::Length(0),
            Machine::Texts(texts) => State::Texts { from: 0, to: texts.len(), bytes: 0 },
            Machine::DotSegments => State::Small(dots::NONE),
            Machine::Controls => State::Small(0),
        }
    }

    pub(super) fn step(&self, state: &State, c: char) -> State {
        match (self, state) {
            (Machine::Pattern(automaton), State::Small(positions)) => {
                State::Small(automaton.step(positions, c))
            }
            (Machine::Pattern(automaton), State::Large(positions)) => {
                State::Large(Box::new(automaton.step(&**positions, c)))
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
            (Machine::DotSegments, State::Small(state)) => State::Small(dots::step(*state, c)),
            (Machine::Controls, State::Small(seen)) => {
                State::Small(*seen | u64::from(is_control(c)))
            }
            (_, state) => state.clone(),
        }
    }

    /// What of the state answers can depend on: for finite sets the very text.
    pub(super) fn accepts(&self, state: &State) -> Option<usize> {
        match (self, state) {
            (Machine::Pattern(automaton), State::Small(positions)) => {
                automaton.accepts(positions).then_some(0)
            }
            (Machine::Pattern(automaton), State::Large(positions)) => {
                automaton.accepts(&**positions).then_some(0)
            }
            (Machine::Length(count), State::Length(read)) => count.contains(*read).then_some(0),
            (Machine::Texts(texts), State::Texts { from, to, bytes }) => {
                let first = texts.get(*from..*to)?.first()?;
                (first.len() == *bytes).then_some(*from)
            }
            (Machine::DotSegments, State::Small(state)) => dots::are_found(*state).then_some(0),
            (Machine::Controls, State::Small(seen)) => (*seen != 0).then_some(0),
            _ => None,
        }
    }

    pub(super) fn classes(&self, mut each: impl FnMut(&[(char, char)])) {
        match self {
            Machine::Pattern(automaton) => automaton.steps().iter().for_each(|step| match step {
                Step::Char(c) => each(&[(*c, *c)]),
                Step::Class(ranges) => each(ranges),
                _ => {}
            }),
            Machine::Length(_) => {}
            Machine::DotSegments => ['.', '/'].iter().for_each(|c| each(&[(*c, *c)])),
            Machine::Controls => each(CONTROLS),
            Machine::Texts(texts) => {
                texts.iter().flat_map(|text| text.chars()).for_each(|c| each(&[(c, c)]));
            }
        }
    }

    /// Whether it accepts all texts of more bytes, or none.
    pub(super) fn says_the_same_beyond(&self, bytes: usize) -> bool {
        // Of how many characters such a text has at least.
        let least = bytes as u64 / 4 + 1;
        match self {
            Machine::Length(Count { min, max: None }) => *min <= least,
            Machine::Length(Count { max: Some(max), .. }) => *max < least,
            _ => false,
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Machine::Pattern(automaton) => automaton.steps().len(),
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of a step has sixteen bits; a text of more characters is no machine.
    #[test]
    fn a_text_of_more_characters_than_there_are_numbers_of_steps_is_no_machine() {
        let most = usize::from(u16::MAX);
        for characters in [most - 9, most - 8, most - 2, most, most + 8, 2 * most] {
            assert!(literal(&"a".repeat(characters), true, true).is_none(), "{characters}");
        }
        assert!(literal("a", true, true).is_some());
    }
}
