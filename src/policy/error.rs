//! What is wrong with a policy, and where.

use std::fmt;

use crate::scope::Fact;
use crate::visible::Shown;

/// A policy that cannot be meant: which rule, where in it, what was expected.
///
/// From text it knows line and column, both counted from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    subject: Subject,
    /// Which of the rules or tools, in the order in which they were given.
    item: Option<usize>,
    at: Box<str>,
    problem: Box<str>,
    position: Option<(usize, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Policy,
    Rule(Box<str>),
    Tool(Box<str>),
}

impl PolicyError {
    pub(crate) fn new(at: &str, problem: impl Into<Box<str>>) -> Self {
        PolicyError {
            subject: Subject::Policy,
            item: None,
            at: at.into(),
            problem: problem.into(),
            position: None,
        }
    }

    pub(crate) fn of_rule(rule: &str, at: &str, problem: String) -> Self {
        PolicyError { subject: Subject::Rule(rule.into()), ..PolicyError::new(at, problem) }
    }

    pub(crate) fn of_tool(tool: &str, at: &str, problem: String) -> Self {
        PolicyError { subject: Subject::Tool(tool.into()), ..PolicyError::new(at, problem) }
    }

    /// Says which rule or tool it is: two may have one name, which is itself an error.
    pub(crate) fn of_item(mut self, item: usize) -> Self {
        self.item = Some(item);
        self
    }

    pub(crate) fn item(&self) -> Option<usize> {
        self.item
    }

    pub(crate) fn at_position(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// The rule it stands in, if it stands in one.
    pub fn rule(&self) -> Option<&str> {
        match &self.subject {
            Subject::Rule(id) => Some(id),
            _ => None,
        }
    }

    /// The catalogue's tool it stands in, if it stands in one.
    pub fn tool(&self) -> Option<&str> {
        match &self.subject {
            Subject::Tool(name) => Some(name),
            _ => None,
        }
    }

    /// Where it stands: the path of keys, as in `grant.uses`.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// What is wrong, and what was expected.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Line and column, if the policy was read from text.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        match &self.subject {
            Subject::Policy => {}
            Subject::Rule(id) => write!(f, "rule {}: ", Shown(id))?,
            Subject::Tool(name) => write!(f, "tool {}: ", Shown(name))?,
        }
        if !self.at.is_empty() {
            write!(f, "{}: ", Shown(&self.at))?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for PolicyError {}

/// Where in a rule's text a condition on `fact` stands.
pub(crate) fn place_of(fact: &Fact) -> String {
    match fact {
        Fact::Tool | Fact::Labels => fact.to_string(),
        Fact::ResourceType | Fact::ResourceId | Fact::ResourceAttr(_) | Fact::Arg(_) => {
            format!("what.{fact}")
        }
        _ => fact.to_string(),
    }
}
