//! The history of a task: what the tools used in it have touched.

use crate::value::Value;

/// Labels of the tools used in a task. They never leave it.
#[derive(Debug)]
pub(crate) struct History {
    labels: Value,
}

impl Default for History {
    fn default() -> Self {
        History::NONE
    }
}

impl History {
    pub(super) const NONE: History = History { labels: Value::List(Vec::new()) };

    pub(super) fn is_empty(&self) -> bool {
        self.labels == History::NONE.labels
    }

    pub(crate) fn labels(&self) -> &Value {
        &self.labels
    }

    /// The history as it would be after a call of a tool with these labels; `None` if that adds
    /// nothing.
    pub(crate) fn with(&self, labels: &Value) -> Option<Value> {
        let (Value::List(seen), Value::List(labels)) = (&self.labels, labels) else { return None };
        let mut new = labels.iter().filter(|label| !seen.contains(label)).peekable();
        new.peek()?;
        Some(Value::List(seen.iter().chain(new).cloned().collect()))
    }

    pub(crate) fn add(&mut self, labels: &Value) {
        if let Some(longer) = self.with(labels) {
            self.labels = longer;
        }
    }
}
