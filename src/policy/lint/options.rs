//! What lint is asked, and what it found.

use std::fmt;
use std::time::Duration;

use super::warning::Warning;
use crate::clock::Timestamp;
use crate::identity::Identity;

/// How many findings are kept: people mend one at a time.
const MOST_KEPT: usize = 1_000;

/// What lint looks at, in addition to what [`Policy::lint`](crate::Policy::lint) does: what the algebra shows of rules,
/// and, where they are given, what identities there are.
///
/// See [`Policy::lint_with`](crate::Policy::lint_with).
#[derive(Clone, Copy, Debug)]
pub struct LintOptions<'i> {
    pub(super) now: Timestamp,
    pub(super) ceiling: Option<Duration>,
    pub(super) overlaps: bool,
    pub(super) people: Option<&'i [Identity]>,
}

impl<'i> LintOptions<'i> {
    /// At this time.
    pub fn at(now: Timestamp) -> Self {
        LintOptions { now, ceiling: None, overlaps: false, people: None }
    }

    /// Of a broker whose tasks live so long at most.
    pub fn ceiling(self, ceiling: Duration) -> Self {
        LintOptions { ceiling: Some(ceiling), ..self }
    }

    /// Also tells of each permit which forbids and asks take some of it, with a question that shows it: nothing is wrong
    /// with that, and readers who are to agree to a policy want to know.
    pub fn overlaps(self) -> Self {
        LintOptions { overlaps: true, ..self }
    }

    /// These are all who call, and all who review: tells which rules match none of them, and which asks they can't
    /// answer.
    pub fn people(self, people: &'i [Identity]) -> Self {
        LintOptions { people: Some(people), ..self }
    }
}

/// What lint found: [`Policy::lint_with`](crate::Policy::lint_with).
#[derive(Clone, Debug, Default)]
pub struct LintReport {
    warnings: Vec<Warning>,
    more: usize,
}

impl LintReport {
    pub(super) fn of(mut warnings: Vec<Warning>) -> Self {
        let more = warnings.len().saturating_sub(MOST_KEPT);
        warnings.truncate(MOST_KEPT);
        LintReport { warnings, more }
    }

    /// The findings, in the order of the rules' ids; the first 1,000.
    pub fn warnings(&self) -> impl ExactSizeIterator<Item = &Warning> {
        self.warnings.iter()
    }

    /// How many were found that are not among these.
    pub fn more(&self) -> usize {
        self.more
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.warnings.is_empty()
    }
}

/// For people, a finding a line.
impl fmt::Display for LintReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "{warning}")?;
        }
        match self.more {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}
