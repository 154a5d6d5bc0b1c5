//! The words for patterns of texts.

use std::sync::Arc;

use super::constraint::{Constraint, Node};
use super::constraint_error::ConstraintError;
use super::glob::Glob;
use super::regex::Regex;
use super::words::faulty;

/// Text that matches a pattern from end to end.
///
/// | in the pattern | matches |
/// |---|---|
/// | `*` | any run of characters other than `/` and controls, also none |
/// | `**` as a whole segment, between `/` or the ends | any segments, also none: `/a/**/b` matches `/a/b` |
/// | `?` | one character other than `/` and controls |
/// | `\` before one of `!~@+?*$[]{}\` | that character |
///
/// Controls are the characters U+0000 to U+001F and U+007F to U+009F but for tab and line feed, which
/// texts of several lines have: no wildcard matches one, `**` neither.
///
/// Every other character stands for itself, byte for byte: case counts, and `é` composed and
/// decomposed are two texts. Two or more stars next to other characters of a segment are one `*`: to
/// reach across `/` with part of a segment, use [`prefix`](super::prefix), [`suffix`](super::suffix) or
/// [`contains`](super::contains). `a/**` does not match `a`. There are no classes
/// and no alternatives: `[`, `]`, `{` and `}` are refused, and so is what other pattern languages
/// would read otherwise: a `!` or `~/` at the beginning, `@(`, `+(`, `?(` and `!(`, `$NAME` and `${`.
///
/// Of a text of more than [`MAX_PATTERN_TEXT`](super::MAX_PATTERN_TEXT) bytes nothing is known, nor, where the
/// pattern has a `/`, of one with a segment `.` or `..`, nor of a control where only a wildcard would match it.
///
/// ```
/// use hallpass::scope::{Scope, glob};
///
/// let logs = |pattern: &str| Scope::tool("fs.read").arg("path", glob(pattern)).check();
/// assert!(logs("/srv/**/*.log").is_ok() && logs(r"/srv/\$HOME/*.log").is_ok());
/// assert!(logs("/srv/[ab].log").is_err() && logs("$HOME/*.log").is_err());
/// ```
pub fn glob(pattern: &str) -> Constraint {
    match Glob::new(pattern) {
        Ok(glob) => Constraint(Node::Glob(Arc::new(glob))),
        Err(error) => faulty(ConstraintError::Pattern(error.to_string())),
    }
}

/// Text that matches a regular expression from end to end. For policies only: a scope that an agent
/// asks for may not make the broker compile anything.
///
/// `.` (any character but a line feed), classes (`[a-z_]`, `[^/]`), `\d \w \s` and their opposites
/// (ASCII), groups, `|`, `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`; `\` before punctuation makes it
/// literal, and `\n`, `\r`, `\t` are what they are elsewhere.
///
/// Anchors are refused: the whole text is matched in any case, and an expression that relies on being
/// searched for would mean something else. So are look-around, back references, flags, lazy and
/// possessive repetition. Matching takes time in proportion to the text, and an expression has at most 1,024 bytes.
///
/// ```
/// use hallpass::prelude::*;
/// use hallpass::scope::regex;
///
/// let names = |pattern: &str| {
///     let rule = Rule::permit("deploy").tool("deploy").arg("to", regex(pattern));
///     Policy::builder().rule(rule).build()
/// };
/// assert!(names("prod-[a-z]+").is_ok());
/// assert!(names("^prod-.*$").is_err());
/// assert!(Scope::tool("deploy").arg("to", regex("prod-[a-z]+")).check().is_err());
/// ```
pub fn regex(pattern: &str) -> Constraint {
    match Regex::new(pattern) {
        Ok(regex) => Constraint(Node::Regex(Arc::new(regex))),
        Err(error) => faulty(ConstraintError::Pattern(error.to_string())),
    }
}
