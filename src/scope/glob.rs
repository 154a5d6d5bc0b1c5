//! Glob patterns.

mod foreign;

use super::automaton::{Automaton, Step};
use super::segments::{has_control, has_dot_segment};
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::visible::{escape_for_people, is_hidden};

/// How long a pattern may be, in bytes: half of what a SPIFFE id may have, so that a pattern for one
/// always fits, and few enough that matching a text costs at most as many steps per character.
pub(crate) const MAX_GLOB: usize = 1024;

/// The longest text, in bytes, that a constraint's pattern is asked of: what systems allow a path to be.
/// Of a longer one nothing is known, which a permit refuses and a forbid acts on. Matching costs the
/// pattern times the text, and both may be an agent's.
pub const MAX_PATTERN_TEXT: usize = 4096;

/// How many bytes the patterns of one scope may have together, for the same reason.
pub const MAX_SCOPE_PATTERNS: usize = 4096;

/// How many wildcards a pattern may have: far more than people write; the bound keeps patterns that
/// only exist to be slow out of tokens and policies.
pub(crate) const MAX_WILDCARDS: usize = 32;

/// The characters before which a `\` stands where they are meant themselves.
const ESCAPED: &str = "!~@+?*$[]{}\\";

/// A pattern that text matches from end to end, as [`glob`](super::glob()) says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Glob {
    pattern: Box<str>,
    /// What every match begins with: the pattern up to the first wildcard, without escapes.
    literal: Box<str>,
    tail: GlobTail,
}

/// What follows the literal beginning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum GlobTail {
    Nothing,
    /// A single `*` at the end.
    Run,
    /// A single `**` at the end.
    Anything,
    Automaton(Automaton),
}

/// Why a pattern does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GlobError {
    /// The pattern is empty.
    #[error("an empty pattern matches nothing: leave the constraint out, or say what is meant")]
    Empty,
    /// The pattern has more than 1,024 bytes.
    #[error("a pattern of {0} bytes, expected at most {MAX_GLOB}")]
    TooLong(usize),
    /// The pattern has more than 32 wildcards.
    #[error("a pattern of {0} wildcards, expected at most {MAX_WILDCARDS}")]
    TooManyWildcards(usize),
    /// A character that means something in other pattern languages and nothing here.
    #[error("`{given}` has `{found}`, which has no meaning in a glob: {instead}")]
    Syntax {
        /// The pattern.
        given: String,
        /// The character.
        found: char,
        /// What says the same.
        instead: &'static str,
    },
    /// Characters that mean something else in other patterns: they look as if they did here.
    #[error(
        "`{given}` has `{found}`, which stands for something in other patterns and for itself here: \
         {instead}, or put a `\\` before it where it is meant itself"
    )]
    Foreign {
        /// The pattern.
        given: String,
        /// The characters.
        found: String,
        /// What says what they mean elsewhere.
        instead: &'static str,
    },
    /// A character that no reader sees.
    #[error("`{given}` has the hidden character `{}`, expected visible ones", .found.escape_unicode())]
    Hidden {
        /// The pattern, hidden characters shown.
        given: String,
        /// The character.
        found: char,
    },
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Result<Self, GlobError> {
        check(pattern)?;
        let tokens = tokens(pattern);
        let wildcards = tokens.iter().filter(|token| token.literal().is_none()).count();
        if wildcards > MAX_WILDCARDS {
            return Err(GlobError::TooManyWildcards(wildcards));
        }
        let first = tokens.iter().position(|token| token.literal().is_none());
        let literal = tokens.iter().map_while(|token| token.literal()).collect::<String>().into();
        let tail: Vec<GlobToken> =
            tokens.iter().skip(first.unwrap_or(tokens.len())).copied().collect();
        let tail = match tail.as_slice() {
            [] => GlobTail::Nothing,
            [GlobToken::Run] => GlobTail::Run,
            [GlobToken::Anything] => GlobTail::Anything,
            tokens => GlobTail::Automaton(
                Automaton::new(compile(tokens))
                    .map_err(|_| GlobError::TooManyWildcards(wildcards))?,
            ),
        };
        Ok(Glob { pattern: pattern.into(), literal, tail })
    }

    /// The pattern as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole text matches. Takes time in proportion to the pattern times the text at
    /// most, and no memory.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let matches = self.matches_paid(text, &mut |_| true).unwrap_or_default();
        matches && !has_control(text)
    }

    /// What a constraint of this pattern says of a text: unknown where more is needed than the pattern to
    /// tell what the text leads to, or it takes too many steps.
    pub(super) fn holds_of(&self, text: &str, meter: &Meter) -> Truth {
        let is_of_paths = self.is_of_paths();
        if text.len() > MAX_PATTERN_TEXT
            || (is_of_paths && !meter.charge_bytes(text.len(), Work::Matching))
            || (is_of_paths && has_dot_segment(text))
        {
            return Truth::Unknown;
        }
        match self.matches_within(text, meter) {
            None => Truth::Unknown,
            // Behind a control, text may be cut off, overwritten or run: a forbid minds what it matches.
            Some(true)
                if !meter.charge(1 + text.len() / 8, Work::Matching) || has_control(text) =>
            {
                Truth::Unknown
            }
            Some(matches) => Truth::of(matches),
        }
    }

    /// Whether its texts are read as paths: it has a `/` or is `**`, and does not itself
    /// speak of the segments `.` and `..`.
    pub(super) fn is_of_paths(&self) -> bool {
        (self.pattern.contains('/') || &*self.pattern == "**") && !has_dot_segment(&self.pattern)
    }

    /// Whether the whole text matches, be there controls or not; `None` if that takes too many steps.
    pub(crate) fn matches_within(&self, text: &str, meter: &Meter) -> Option<bool> {
        self.matches_paid(text, &mut |steps| meter.charge(steps, Work::Matching))
    }

    fn matches_paid(&self, text: &str, pay: &mut impl FnMut(usize) -> bool) -> Option<bool> {
        let literal = &*self.literal;
        let looked_at = match &self.tail {
            // Looked through for a `/`.
            GlobTail::Run => text.len(),
            _ => literal.len(),
        };
        if !pay(1 + looked_at / 32) {
            return None;
        }
        let Some(rest) = text.strip_prefix(literal) else { return Some(false) };
        match &self.tail {
            GlobTail::Nothing => Some(rest.is_empty()),
            GlobTail::Run => Some(!rest.contains('/')),
            GlobTail::Anything => Some(true),
            GlobTail::Automaton(automaton) => automaton.matches(rest, pay),
        }
    }

    /// What every match begins with.
    pub(crate) fn beginning(&self) -> &str {
        &self.literal
    }

    /// Whether everything that begins like the pattern matches it, but for controls.
    pub(crate) fn is_beginning(&self) -> bool {
        self.tail == GlobTail::Anything
    }

    /// The whole pattern as an automaton.
    pub(crate) fn automaton(&self) -> Option<Automaton> {
        Automaton::new(compile(&tokens(&self.pattern))).ok()
    }
}

fn check(pattern: &str) -> Result<(), GlobError> {
    if pattern.is_empty() {
        return Err(GlobError::Empty);
    }
    if pattern.len() > MAX_GLOB {
        return Err(GlobError::TooLong(pattern.len()));
    }
    let given = || escape_for_people(pattern, crate::visible::SHOWN);
    if let Some((found, instead)) = foreign::foreign(pattern) {
        let found = escape_for_people(found, crate::visible::SHOWN);
        return Err(GlobError::Foreign { given: given(), found, instead });
    }
    let mut characters = pattern.chars();
    while let Some(found) = characters.next() {
        let instead = match found {
            '\\' if characters.as_str().starts_with(foreign::is_escaped) => {
                characters.next();
                continue;
            }
            '[' | ']' => {
                "use `regex` for a class of characters, or a `\\` before it for this very character"
            }
            '{' | '}' => {
                "use `any = [{ glob = .. }, { glob = .. }]` for alternatives, or a `\\` before it for \
                 this very character"
            }
            '\\' => {
                "it stands before one of `!~@+?*$[]{}\\` that is meant itself; for a backslash write two"
            }
            _ if is_hidden(found) => return Err(GlobError::Hidden { given: given(), found }),
            _ => continue,
        };
        return Err(GlobError::Syntax { given: given(), found, instead });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GlobToken {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Run,
    /// `**/`: whole segments, each with its `/`, or none.
    Segments,
    /// `**` at the end.
    Anything,
}

impl GlobToken {
    fn literal(&self) -> Option<char> {
        match self {
            GlobToken::Literal(c) => Some(*c),
            _ => None,
        }
    }
}

fn tokens(pattern: &str) -> Vec<GlobToken> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    let mut segment_start = true;
    while let Some(c) = rest.chars().next() {
        let (token, length) = if segment_start && rest == "**" {
            (GlobToken::Anything, 2)
        } else if segment_start && rest.starts_with("**/") {
            (GlobToken::Segments, 3)
        } else if c == '*' {
            (GlobToken::Run, rest.len() - rest.trim_start_matches('*').len())
        } else if c == '?' {
            (GlobToken::One, 1)
        } else if c == '\\'
            && let Some(escaped) = rest.chars().nth(1)
        {
            (GlobToken::Literal(escaped), 1 + escaped.len_utf8())
        } else {
            (GlobToken::Literal(c), c.len_utf8())
        };
        segment_start = matches!(token, GlobToken::Segments | GlobToken::Literal('/'));
        // `**/**/` says no more than `**/`, and a second loop would only cost.
        let repeated = token == GlobToken::Segments && tokens.last() == Some(&GlobToken::Segments);
        if !repeated {
            tokens.push(token);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

fn compile(tokens: &[GlobToken]) -> Vec<Step> {
    let anything = || Step::Class(Box::new([('\0', char::MAX)]));
    let in_segment = || Step::Class(Box::new([('\0', '.'), ('0', char::MAX)]));
    let mut steps = Vec::new();
    for token in tokens {
        // Lengths are bounded by `MAX_GLOB` times the steps of one token.
        let here = u16::try_from(steps.len()).unwrap_or(u16::MAX);
        match token {
            GlobToken::Literal(c) => steps.push(Step::Char(*c)),
            GlobToken::One => steps.push(in_segment()),
            GlobToken::Run => {
                steps.extend([Step::Split(here + 1, here + 3), in_segment(), Step::Jump(here)]);
            }
            GlobToken::Anything => {
                steps.extend([Step::Split(here + 1, here + 3), anything(), Step::Jump(here)]);
            }
            GlobToken::Segments => steps.extend([
                Step::Split(here + 1, here + 5),
                Step::Split(here + 2, here + 4),
                anything(),
                Step::Jump(here + 1),
                Step::Char('/'),
            ]),
        }
    }
    steps.push(Step::End);
    steps
}

#[cfg(test)]
mod rows;
#[cfg(test)]
mod tests;
