//! What is suggested, for people who read it and sign it off.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::policy::Policy;

/// A tighter policy, and what it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Suggestion {
    /// The text of the policy, with all that is not tightened as it was.
    pub policy: String,
    /// What is tightened.
    pub tightened: Vec<TightenedPart>,
    /// What was used and is left as it was, with why.
    pub left: Vec<LeftPart>,
}

/// A part of a permit that is tightened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TightenedPart {
    /// The permit.
    pub rule: String,
    /// The part of it: `args`, or `args.NAME`.
    pub part: String,
    /// What the text says.
    pub was: String,
    /// What it says in the suggestion.
    pub now: String,
    /// How many calls it comes from.
    pub calls: u64,
    /// The values that it comes from.
    pub seen: Vec<SeenValue>,
}

/// A value, or what stands for many, and the record that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeenValue {
    /// The argument.
    pub argument: String,
    /// The value as JSON; of numbers their ends, of many texts what they begin with.
    pub value: String,
    /// The first record that has it.
    pub first: u64,
    /// How many calls had it.
    pub calls: u64,
}

/// A part of a permit that is left as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftPart {
    /// The permit.
    pub rule: String,
    /// The part of it.
    pub part: String,
    /// Why.
    pub why: String,
}

impl TightenedPart {
    pub(super) fn new(rule: &str, part: &str, was: &str, now: &str) -> Self {
        let [rule, part, was, now] = [rule, part, was, now].map(str::to_owned);
        TightenedPart { rule, part, was, now, calls: 0, seen: Vec::new() }
    }

    pub(super) fn with(self, calls: u64, seen: impl IntoIterator<Item = SeenValue>) -> Self {
        TightenedPart { calls, seen: seen.into_iter().collect(), ..self }
    }
}

impl Suggestion {
    pub(super) fn of(policy: String) -> Self {
        Suggestion { policy, tightened: Vec::new(), left: Vec::new() }
    }

    pub(super) fn leave(&mut self, rule: &str, part: &str, why: &str) {
        let [rule, part, why] = [rule, part, why].map(str::to_owned);
        self.left.push(LeftPart { rule, part, why });
    }

    /// Writes what is tightened into the text. What does not load, or gives more than the policy does, is left as it was.
    pub(super) fn apply(&mut self, edits: Vec<(Range<usize>, TightenedPart)>, old: &Policy) {
        let whole = edited(&self.policy, edits.iter());
        if is_narrower(&whole, old) {
            self.policy = whole;
            self.tightened = edits.into_iter().map(|(_, part)| part).collect();
            return;
        }
        // One by one, to keep those that can be meant.
        let mut kept = Vec::new();
        for edit in edits {
            let tried = edited(&self.policy, kept.iter().chain([&edit]));
            match is_narrower(&tried, old) {
                true => kept.push(edit),
                false => {
                    let TightenedPart { rule, part, now, .. } = &edit.1;
                    let why = format!("`{now}` does not load in its place, or gives more");
                    self.left.push(LeftPart { rule: rule.clone(), part: part.clone(), why });
                }
            }
        }
        self.policy = edited(&self.policy, kept.iter());
        self.tightened = kept.into_iter().map(|(_, part)| part).collect();
    }
}

/// Whether the text is a policy, and no question is found that it permits and `old` does not. Where that can't be decided, it
/// still gives no more: a part is only ever replaced by itself and something more, or `"any"` by something.
fn is_narrower(text: &str, old: &Policy) -> bool {
    Policy::from_toml(text).is_ok_and(|new| old.diff(&new).wider().witnesses().len() == 0)
}

fn edited<'e>(
    text: &str,
    edits: impl Iterator<Item = &'e (Range<usize>, TightenedPart)>,
) -> String {
    let mut edits: Vec<_> = edits.collect();
    edits.sort_by_key(|(span, _)| span.start);
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (span, part) in edits {
        out.push_str(text.get(at..span.start).unwrap_or_default());
        out.push_str(&part.now);
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The policy, headed by comments that say of each part what it comes from.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# A tighter policy, from what was used. To be read, and signed off by: ____________"
        )?;
        for TightenedPart { rule, part, was, now, calls, seen } in &self.tightened {
            writeln!(f, "#\n# {}, {part}, from {calls} calls", shown(rule))?;
            writeln!(f, "#   was {}", shown(was))?;
            writeln!(f, "#   now {}", shown(now))?;
            for SeenValue { argument, value, first, calls } in seen {
                let (argument, value) = (shown(argument), shown(value));
                writeln!(f, "#   {argument}: {value}, first in record {first}, {calls} calls")?;
            }
        }
        for LeftPart { rule, part, why } in &self.left {
            writeln!(f, "#\n# {}, {part}: left as it is: {}", shown(rule), shown(why))?;
        }
        writeln!(f)?;
        f.write_str(&self.policy)
    }
}

/// On one line, with what is hidden or would end the comment escaped.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match crate::visible::is_hidden(character) || character.is_control() {
            true => out.extend(character.escape_unicode()),
            false => out.push(character),
        }
    }
    out
}
