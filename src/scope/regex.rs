//! Regular expressions, for policies.

use std::iter::Peekable;
use std::str::Chars;

use super::automaton::{Automaton, MAX_STEPS, Step};
use super::expression::{Expression, merged, opposite, written_out};
use crate::meter::{Meter, Work};
use crate::visible::escape_for_people;

/// How long a pattern may be, in bytes: what is longer is not a rule that people can review.
pub(crate) const MAX_REGEX: usize = 1024;

/// How deep groups may be nested, so that reading and matching need little stack.
const MAX_GROUPS: usize = 16;

/// The most often something may be repeated by `{n,m}`: no more than fits a compiled pattern.
const MAX_REPEAT: u32 = 1000;

/// A regular expression that text matches from end to end, as [`regex`](super::regex()) says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Regex {
    pattern: Box<str>,
    automaton: Automaton,
}

/// Why a regular expression was refused, and where: positions count characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}`: {fault}, at character {position}")]
pub(crate) struct RegexError {
    given: String,
    fault: RegexFault,
    position: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum RegexFault {
    #[error(
        "an empty expression, group or alternative: say what it stands for, or make it optional with `?`"
    )]
    Empty,
    #[error("more than {MAX_REGEX} bytes")]
    TooLong,
    #[error("too large once repetitions are written out: expected at most {MAX_STEPS} steps")]
    TooLarge,
    #[error("groups nested deeper than {MAX_GROUPS} levels")]
    TooDeep,
    #[error("an anchor, expected none: the whole text is matched in any case")]
    Anchor,
    #[error(
        "an extension beginning with `(?`, expected a plain group: case is compared as it is, so for \
         both write both, as in `[Aa]`; a group needs no `?:`, and look-around is a second condition with `not`"
    )]
    Extension,
    #[error("a repetition with nothing to repeat")]
    NothingToRepeat,
    #[error(
        "a lazy, possessive or repeated repetition, expected a single `*`, `+`, `?` or {{n,m}}"
    )]
    Repeated,
    #[error(
        "not a repetition: expected {{n}}, {{n,}} or {{n,m}} with n up to m and at most {MAX_REPEAT}"
    )]
    Repetition,
    #[error(
        "an unknown escape: a pattern is of the whole text, so that nothing says where a word ends, groups are not referred \
         to, and classes are `\\d`, `\\w`, `\\s` and `[…]`"
    )]
    Escape,
    #[error(
        "a class that does not end, is empty, or has a range from high to low: letters are `[a-z]` here, not `[[:alpha:]]`"
    )]
    Class,
    #[error("a bracket that closes nothing or is not closed")]
    Unbalanced,
}

impl Regex {
    pub(crate) fn new(pattern: &str) -> Result<Self, RegexError> {
        compile(pattern).map(|automaton| Regex { pattern: pattern.into(), automaton }).map_err(
            |(fault, position)| RegexError {
                given: escape_for_people(pattern, crate::visible::SHOWN),
                fault,
                position,
            },
        )
    }

    /// The expression as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole text matches, whatever it takes.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.automaton.matches(text, &mut |_| true).unwrap_or_default()
    }

    /// Whether the whole text matches; `None` if that takes too many steps.
    pub(crate) fn matches_within(&self, text: &str, meter: &Meter) -> Option<bool> {
        self.automaton.matches(text, &mut |steps| meter.charge(steps, Work::Matching))
    }

    pub(crate) fn automaton(&self) -> &Automaton {
        &self.automaton
    }
}

fn compile(pattern: &str) -> Result<Automaton, (RegexFault, usize)> {
    if pattern.len() > MAX_REGEX {
        return Err((RegexFault::TooLong, 1));
    }
    let mut parser = Parser { rest: pattern.chars().peekable(), position: 1 };
    let parsed = parser.alternatives(0);
    let position = parser.position;
    let expression = parsed.map_err(|fault| (fault, position))?;
    if parser.rest.peek().is_some() {
        return Err((RegexFault::Unbalanced, position));
    }
    written_out(&expression).map_err(|_| (RegexFault::TooLarge, 1))
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    position: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.position += 1;
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.rest.peek() == Some(&wanted);
        if there {
            self.next();
        }
        there
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expression, RegexFault> {
        if depth > MAX_GROUPS {
            return Err(RegexFault::TooDeep);
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.take('|') {
            alternatives.push(self.sequence(depth)?);
        }
        Ok(Expression::Alternatives(alternatives))
    }

    fn sequence(&mut self, depth: usize) -> Result<Expression, RegexFault> {
        let mut sequence = Vec::new();
        while let Some(c) = self.rest.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            let one = self.one(depth)?;
            sequence.push(self.repeated(one)?);
        }
        if sequence.is_empty() {
            Err(RegexFault::Empty)
        } else {
            Ok(Expression::Sequence(sequence))
        }
    }

    fn one(&mut self, depth: usize) -> Result<Expression, RegexFault> {
        let Some(c) = self.next() else { return Err(RegexFault::Empty) };
        Ok(Expression::One(match c {
            '(' => {
                if self.rest.peek() == Some(&'?') {
                    return Err(RegexFault::Extension);
                }
                let inner = self.alternatives(depth + 1)?;
                return if self.take(')') { Ok(inner) } else { Err(RegexFault::Unbalanced) };
            }
            '[' => Step::Class(self.class()?),
            '.' => Step::Class(Box::new([('\0', '\t'), ('\u{b}', char::MAX)])),
            '\\' => match self.escape()? {
                Escape::Char(c) => Step::Char(c),
                Escape::Class(ranges) => Step::Class(ranges.into()),
            },
            '^' | '$' => return Err(RegexFault::Anchor),
            '*' | '+' | '?' | '{' => return Err(RegexFault::NothingToRepeat),
            ']' | '}' => return Err(RegexFault::Unbalanced),
            c => Step::Char(c),
        }))
    }

    fn repeated(&mut self, inner: Expression) -> Result<Expression, RegexFault> {
        let (least, most) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.next();
                let bounds = self.bounds()?;
                return self.once(Expression::Repeat {
                    inner: Box::new(inner),
                    least: bounds.0,
                    most: bounds.1,
                });
            }
            _ => return Ok(inner),
        };
        self.next();
        self.once(Expression::Repeat { inner: Box::new(inner), least, most })
    }

    fn once(&mut self, repeat: Expression) -> Result<Expression, RegexFault> {
        match self.rest.peek() {
            Some('*' | '+' | '?' | '{') => Err(RegexFault::Repeated),
            _ => Ok(repeat),
        }
    }

    /// Behind `{`: `n}`, `n,}` or `n,m}`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), RegexFault> {
        let least = self.number().ok_or(RegexFault::Repetition)?;
        let most = if self.take(',') { self.number() } else { Some(least) };
        let ordered = most.is_none_or(|most| least <= most && most > 0);
        if ordered && self.take('}') { Ok((least, most)) } else { Err(RegexFault::Repetition) }
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            let next = number.unwrap_or(0_u32) * 10 + digit;
            if next > MAX_REPEAT {
                return None;
            }
            number = Some(next);
            self.next();
        }
        number
    }

    fn escape(&mut self) -> Result<Escape, RegexFault> {
        let digits = [('0', '9')];
        let word = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        let space = [('\t', '\r'), (' ', ' ')];
        Ok(match self.next() {
            Some('n') => Escape::Char('\n'),
            Some('r') => Escape::Char('\r'),
            Some('t') => Escape::Char('\t'),
            Some('d') => Escape::Class(digits.into()),
            Some('w') => Escape::Class(word.into()),
            Some('s') => Escape::Class(space.into()),
            Some('D') => Escape::Class(opposite(digits.into())),
            Some('W') => Escape::Class(opposite(word.into())),
            Some('S') => Escape::Class(opposite(space.into())),
            Some(c) if c.is_ascii_punctuation() || c == ' ' => Escape::Char(c),
            _ => return Err(RegexFault::Escape),
        })
    }

    /// Behind `[`.
    fn class(&mut self) -> Result<Box<[(char, char)]>, RegexFault> {
        let negated = self.take('^');
        let mut ranges = Vec::new();
        loop {
            let low = match self.next() {
                None | Some('[') => return Err(RegexFault::Class),
                Some(']') => break,
                Some('\\') => match self.escape()? {
                    Escape::Char(c) => c,
                    Escape::Class(class) => {
                        ranges.extend(class);
                        continue;
                    }
                },
                Some(c) => c,
            };
            // A dash at the end is itself.
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next() != Some(']');
            if !is_range {
                ranges.push((low, low));
                continue;
            }
            self.next();
            let high = match self.next() {
                Some('\\') => match self.escape()? {
                    Escape::Char(c) => c,
                    Escape::Class(_) => return Err(RegexFault::Class),
                },
                Some(c) => c,
                None => return Err(RegexFault::Class),
            };
            if low > high {
                return Err(RegexFault::Class);
            }
            ranges.push((low, high));
        }
        let ranges = if negated { opposite(ranges) } else { merged(ranges) };
        if ranges.is_empty() { Err(RegexFault::Class) } else { Ok(ranges.into()) }
    }
}

enum Escape {
    Char(char),
    Class(Vec<(char, char)>),
}

#[cfg(test)]
mod tests;
