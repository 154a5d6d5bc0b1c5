//! The catalogue: which tools there are, and what they are labelled.

use std::collections::HashMap;

use crate::value::Value;

/// One tool of the catalogue.
///
/// ```
/// use hallpass::policy::Tool;
///
/// let mail = Tool::new("mail.send").label("egress");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    pub(crate) name: Box<str>,
    pub(crate) labels: Vec<Box<str>>,
}

impl Tool {
    /// A tool without labels.
    pub fn new(name: &str) -> Self {
        Tool { name: name.into(), labels: Vec::new() }
    }

    /// Adds a label: a word for what the tool does or touches (`egress`, `untrusted-input`).
    pub fn label(mut self, label: &str) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Adds labels.
    pub fn labels<'l>(mut self, labels: impl IntoIterator<Item = &'l str>) -> Self {
        self.labels.extend(labels.into_iter().map(Box::from));
        self
    }
}

/// The tools of a policy, by name. Without one, every well-formed tool name is a tool; with one, a
/// tool outside it is refused.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    labels: Option<HashMap<Box<str>, Value>>,
}

impl Catalogue {
    /// Tools whose names have been found unique.
    pub(crate) fn of(tools: &[Tool]) -> Self {
        if tools.is_empty() {
            return Catalogue::default();
        }
        let labels = tools.iter().map(|tool| {
            let mut labels = tool.labels.clone();
            labels.sort();
            labels.dedup();
            (tool.name.clone(), Value::List(labels.into_iter().map(Value::Text).collect()))
        });
        Catalogue { labels: Some(labels.collect()) }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.labels.is_some()
    }

    /// The labels of a tool; `None` if the tool is outside the catalogue.
    pub(crate) fn labels_of(&self, tool: &str) -> Option<&Value> {
        match &self.labels {
            Some(labels) => labels.get(tool),
            None => Some(&NO_LABELS),
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().flat_map(|labels| labels.keys().map(|name| &**name))
    }
}

static NO_LABELS: Value = Value::List(Vec::new());
