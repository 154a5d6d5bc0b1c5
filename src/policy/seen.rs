//! What a task has seen: labels of the tools used in it, and which call brought each.

use crate::value::Value;

/// How many labels are told of with the call that brought them.
const TOLD: usize = 8;

/// Labels of the tools used in a task. They never leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    labels: Value,
    /// In the order of the labels.
    brought_by: Vec<Brought>,
}

/// A call that brought a label.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Brought {
    tool: Box<str>,
    /// The number of its permit; `None` of the call that is asked about.
    call: Option<u64>,
}

impl Seen {
    pub(crate) const NONE: Seen = Seen { labels: Value::List(Vec::new()), brought_by: Vec::new() };

    pub(crate) fn nothing() -> &'static Seen {
        static NOTHING: Seen = Seen::NONE;
        &NOTHING
    }

    /// The list of the labels, as rules see it.
    pub(crate) fn labels(&self) -> &Value {
        &self.labels
    }

    /// What will have been seen after a call of a tool with these labels, whose permit has this number if
    /// it has been given; `None` if the call adds nothing.
    pub(crate) fn with(&self, labels: &Value, tool: &str, call: Option<u64>) -> Option<Seen> {
        let (Value::List(seen), Value::List(labels)) = (&self.labels, labels) else { return None };
        let mut new = labels.iter().filter(|label| !seen.contains(label)).peekable();
        new.peek()?;
        let mut after = self.clone();
        if let Value::List(seen) = &mut after.labels {
            for label in new {
                seen.push(label.clone());
                after.brought_by.push(Brought { tool: tool.into(), call });
            }
        }
        Some(after)
    }

    /// Which call brought which label, for people; empty where nothing was seen.
    pub(super) fn told(&self) -> String {
        let Value::List(labels) = &self.labels else { return String::new() };
        let told = labels.iter().zip(&self.brought_by).take(TOLD);
        let told = told.map(|(label, Brought { tool, call })| match call {
            Some(call) => format!("{label} by call {call} of `{tool}`"),
            None => format!("{label} by this call"),
        });
        let told = told.collect::<Vec<_>>().join(", ");
        match labels.len().checked_sub(TOLD) {
            _ if labels.is_empty() => told,
            Some(more) if more > 0 => format!(" ({told} and {more} more)"),
            _ => format!(" ({told})"),
        }
    }
}
