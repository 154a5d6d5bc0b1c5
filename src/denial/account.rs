//! An account of a denial, for operators: made of what the denial kept, when somebody reads it.

use std::fmt;
use std::sync::Arc;

/// What a denial keeps of its question, to be put into words when somebody reads them.
pub(crate) trait Explain: Send + Sync {
    fn explain(&self) -> Account;
}

/// Why something was denied, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) detail: Option<Box<str>>,
    pub(crate) nearest: Option<Nearest>,
}

impl Account {
    pub(crate) fn of(detail: impl fmt::Display) -> Self {
        Account { detail: Some(detail.to_string().into()), nearest: None }
    }
}

/// The rule that came closest to permitting, and everything that kept it from doing so.
///
/// Of the permits of the tool, the one with the fewest unmet conditions; one that speaks of the holder comes
/// before one that speaks of others, and then one that speaks at this moment before one that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    pub(crate) rule: Arc<str>,
    /// At least one.
    pub(crate) obstacles: Vec<Box<str>>,
    /// The arguments of a call that was asked for and that the rule does not cover.
    pub(crate) example: Option<Box<str>>,
}

impl Nearest {
    /// The rule's id.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What kept it from applying, in words: each unmet condition, with what was found.
    pub fn obstacles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.obstacles.iter().map(|own| &**own)
    }

    /// The arguments of a call that was asked for and that the rule does not cover, as JSON; `None` where
    /// no such call was looked for or found.
    pub fn example(&self) -> Option<&str> {
        self.example.as_deref()
    }
}

/// The rule in backticks, what kept it from applying, and the call that shows it.
impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.rule)?;
        for (at, obstacle) in self.obstacles.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            f.write_str(obstacle)?;
        }
        match &self.example {
            Some(example) => write!(f, "; it does not cover {example}"),
            None => Ok(()),
        }
    }
}
