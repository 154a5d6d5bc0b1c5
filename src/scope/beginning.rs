//! How a text begins that a constraint matches, and of which texts that tells.

use super::automaton::Step;
use super::constraint::Node;
use super::glob::MAX_PATTERN_TEXT;
use super::path::canonical_path;
use super::segments::{has_dot_segment, is_of_paths};
use crate::meter::{Meter, Work};

/// What every text that a constraint matches begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// Not empty.
    pub(crate) text: Box<str>,
    pub(crate) reader: Reader,
}

/// How a kind reads texts: some it does not read at all, and of those it is unknown whether they match,
/// however they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reader {
    /// Every text: `prefix`.
    Text,
    /// Texts that lead nowhere else than they say: a `prefix` of paths.
    Path,
    /// Texts that are not too long: `glob` and `regex`.
    Pattern,
    /// Both: a `glob` of paths.
    PathPattern,
    /// Absolute paths in their one spelling: `under` an absolute folder.
    Absolute,
    /// Relative paths in their one spelling.
    Relative,
}

impl Node {
    /// How what it matches begins; `None` where that is not one beginning, or nothing at all.
    pub(crate) fn beginning(&self) -> Option<Beginning> {
        let (text, reader) = match self {
            Node::Prefix(start) if is_of_paths(start) => (start.clone(), Reader::Path),
            Node::Prefix(start) => (start.clone(), Reader::Text),
            Node::Glob(glob) if glob.is_of_paths() => {
                (glob.beginning().into(), Reader::PathPattern)
            }
            Node::Glob(glob) => (glob.beginning().into(), Reader::Pattern),
            Node::Regex(regex) => (literal_beginning(regex.automaton().steps()), Reader::Pattern),
            // Everything relative lies under it.
            Node::Under(folder) if &**folder == "." => return None,
            Node::Under(folder) if folder.starts_with('/') => (folder.clone(), Reader::Absolute),
            Node::Under(folder) => (folder.clone(), Reader::Relative),
            _ => return None,
        };
        (!text.is_empty()).then_some(Beginning { text, reader })
    }
}

/// The characters in front of the first choice. Nothing leads back into them: what is repeated begins with
/// a choice.
fn literal_beginning(steps: &[Step]) -> Box<str> {
    let literal = steps.iter().map_while(|step| match step {
        Step::Char(own) => Some(*own),
        Step::Class(_) | Step::Split(..) | Step::Jump(_) | Step::End => None,
    });
    literal.collect::<String>().into()
}

impl Reader {
    /// Whether the other reader reads every text that this one does.
    pub(crate) fn reads_no_more_than(self, other: Reader) -> bool {
        use Reader::{Absolute, Path, PathPattern, Pattern, Relative, Text};
        match other {
            Text => true,
            Path => matches!(self, Path | PathPattern | Absolute | Relative),
            Pattern => matches!(self, Pattern | PathPattern),
            PathPattern | Absolute | Relative => self == other,
        }
    }

    /// Whether it is known of a text which begins otherwise that it does not match.
    pub(crate) fn reads(self, text: &str, meter: &Meter) -> bool {
        let is_short = text.len() <= MAX_PATTERN_TEXT;
        let looks_through = || meter.charge_bytes(text.len(), Work::Visiting);
        match self {
            Reader::Text => true,
            Reader::Pattern => is_short,
            Reader::Path => looks_through() && !has_dot_segment(text),
            Reader::PathPattern => is_short && looks_through() && !has_dot_segment(text),
            Reader::Absolute | Reader::Relative => {
                text.starts_with('/') == (self == Reader::Absolute)
                    && meter.charge(1 + text.len() / 4, Work::Visiting)
                    && canonical_path(text).is_ok_and(|path| path.len() == text.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scope::fact::Absence;
    use crate::scope::model::values;
    use crate::scope::{Constraint, Stance, Truth, glob, prefix, regex, under};
    use crate::value::Value;

    fn beginning(constraint: &Constraint) -> Option<String> {
        constraint.0.beginning().map(|own| own.text.into())
    }

    #[test]
    fn a_pattern_begins_with_what_stands_before_its_first_choice() {
        for (constraint, begins) in [
            (regex("prod-[a-z]+"), Some("prod-")),
            (regex("ab*"), Some("a")),
            (regex("ab+c"), Some("ab")),
            (regex("a{2}b?"), Some("aa")),
            (regex("(ab)+"), Some("ab")),
            (regex("a|b"), None),
            (regex("a?b"), None),
            (regex("a*"), None),
            (regex(".*"), None),
            (glob("/srv/*/x"), Some("/srv/")),
            (glob(r"a\*b*"), Some("a*b")),
            (glob("*"), None),
            (prefix(""), None),
            (under("/"), Some("/")),
            (under("."), None),
            (under("a/b"), Some("a/b")),
        ] {
            assert_eq!(beginning(&constraint).as_deref(), begins, "{constraint}");
        }
    }

    proptest! {
        /// What begins otherwise does not match: known to be so where the reader reads it, never true where
        /// not.
        #[test]
        fn what_begins_otherwise_does_not_match(
            constraint in prop_oneof![
                "[a/.]{1,3}".prop_map(|start| prefix(&start)),
                prop::sample::select(vec!["a*", "a/*", "/a/**", "ab", "**/a", "./a*", "?a"]).prop_map(glob),
                prop::sample::select(vec!["a.*", "ab?", "(a|b)c", "a+", "a{2,3}/b*"]).prop_map(regex),
                prop::sample::select(vec!["/", "/a", "a", "a/b", "."]).prop_map(under),
            ],
            value in prop_oneof![
                3 => "[ab/.]{0,6}".prop_map(Value::from),
                1 => Just(Value::from("b".repeat(MAX_PATTERN_TEXT + 1))),
                1 => values(),
            ],
        ) {
            let Some(own) = constraint.0.beginning() else { return Ok(()) };
            let meter = Meter::ample();
            let begins = value.as_text().is_some_and(|text| text.starts_with(&*own.text));
            if !begins && !matches!(value, Value::List(_)) {
                let of = |stance| constraint.holds_of(Some(&value), Absence::Argument, stance, false, &meter);
                prop_assert_ne!(of(Stance::Cover), Truth::True);
                let known = value.as_text().is_some_and(|text| own.reader.reads(text, &meter));
                prop_assert_eq!(of(Stance::Guard) == Truth::False, known, "{}", constraint);
            }
        }
    }
}
