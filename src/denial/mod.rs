//! Denials: one word for the agent, the whole story for operators.
//!
//! ```
//! # use hallpass::prelude::*;
//! # let broker = Broker::new(Policy::builder().build()?)?;
//! # let agent = broker.assert_identity("agent-7")?;
//! let task = broker.open(&agent, Purpose::new("reporting"))?;
//! let denial = task.request(Scope::tool("db.query"), &Context::new()).unwrap_err();
//!
//! assert_eq!(denial.to_string(), "denied: not_permitted"); // all that an agent learns
//! assert_eq!(denial.code(), Code::NotPermitted);
//! assert_eq!(denial.reason(), Reason::NotCovered); // operators learn why
//! assert!(denial.explain().to_string().contains("no rule speaks of it"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reason;

use std::fmt;
use std::sync::Arc;

pub use reason::{Code, Reason};

/// Something was asked for and not given.
///
/// `Display` is what an agent may see: the code and nothing else. What operators need is in
/// [`reason`](Denial::reason), [`rules`](Denial::rules) and [`explain`](Denial::explain).
#[derive(Clone, PartialEq, Eq)]
pub struct Denial(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    reason: Reason,
    rules: Vec<Arc<str>>,
    detail: Option<Box<str>>,
    nearest: Option<Nearest>,
}

/// The rule that came closest to permitting, and the first thing that kept it from doing so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    pub(crate) rule: Arc<str>,
    pub(crate) obstacle: Box<str>,
}

impl Nearest {
    /// The rule's id.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What kept it from applying, in words, with the condition and what was found.
    pub fn obstacle(&self) -> &str {
        &self.obstacle
    }
}

impl Denial {
    pub(crate) fn new(reason: Reason) -> Self {
        Denial(Box::new(Inner { reason, rules: Vec::new(), detail: None, nearest: None }))
    }

    pub(crate) fn because(mut self, detail: impl fmt::Display) -> Self {
        self.0.detail = Some(detail.to_string().into());
        self
    }

    pub(crate) fn by_rules(mut self, rules: Vec<Arc<str>>) -> Self {
        self.0.rules = rules;
        self
    }

    pub(crate) fn nearest_to(mut self, nearest: Option<Nearest>) -> Self {
        self.0.nearest = nearest;
        self
    }

    /// What an agent may be told.
    pub fn code(&self) -> Code {
        self.0.reason.code()
    }

    /// Why, for operators.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The rules that decided: the forbids, or the asks; none where no rule permitted.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.rules.iter().map(|id| &**id)
    }

    /// The permit that came closest, where none applied.
    pub fn nearest(&self) -> Option<&Nearest> {
        self.0.nearest.as_ref()
    }

    /// Everything, for operators: shows values and rules, and so is never for agents.
    pub fn explain(&self) -> Explanation<'_> {
        Explanation(self)
    }
}

/// A denial in full. Only `Display`: it is for people.
#[derive(Clone, Copy)]
pub struct Explanation<'d>(&'d Denial);

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0.0;
        write!(f, "{} ({})", inner.reason, inner.reason.code())?;
        if let Some(detail) = &inner.detail {
            write!(f, ": {detail}")?;
        }
        for (at, rule) in inner.rules.iter().enumerate() {
            f.write_str(if at == 0 { "; decided by " } else { ", " })?;
            write!(f, "`{rule}`")?;
        }
        if let Some(nearest) = &inner.nearest {
            write!(f, "; nearest permit `{}`: {}", nearest.rule, nearest.obstacle)?;
        }
        Ok(())
    }
}

/// What an agent may see.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied: {}", self.code())
    }
}

/// Code and reason, without any value: a `{:?}` in a log line must not tell more than the log does.
impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denial")
            .field("code", &self.code())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Denial {}
