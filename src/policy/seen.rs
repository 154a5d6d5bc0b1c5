//! What a task has seen: labels of the tools used in it, which call brought each, and what was noted of results.

use std::sync::Arc;

use super::noted::{Notes, NotesFault};
use crate::value::Value;

/// How many labels are told of with the call that brought them.
const TOLD: usize = 8;

/// Labels of the tools used in a task, and the host's notes. Neither ever leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    labels: Value,
    /// In the order of the labels.
    brought_by: Vec<Brought>,
    /// Most tasks have none. Shared with questions that are kept.
    notes: Option<Arc<Notes>>,
}

/// A call that brought a label.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Brought {
    tool: Box<str>,
    /// The number of its permit; `None` of the call that is asked about.
    call: Option<u64>,
}

impl Seen {
    pub(crate) const NONE: Seen =
        Seen { labels: Value::List(Vec::new()), brought_by: Vec::new(), notes: None };

    pub(crate) fn nothing() -> &'static Seen {
        static NOTHING: Seen = Seen::NONE;
        &NOTHING
    }

    /// The list of the labels, as rules see it.
    pub(crate) fn labels(&self) -> &Value {
        &self.labels
    }

    /// What was noted under a name: a list that is not empty.
    // Few rules ask for any: written out where facts are found, it makes every other fact dearer.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&self, name: &str) -> Option<&Value> {
        self.notes.as_ref()?.list(name)
    }

    /// Adds to the notes under a name, all that is given or nothing; how many were not there before.
    ///
    /// # Errors
    /// [`NotesFault`]: one is no id, or there would be too many.
    pub(crate) fn add_notes(&mut self, name: &str, value: &Value) -> Result<usize, NotesFault> {
        // Copied only where a question that is kept shares them: this is done under the task's lock.
        if let Some(notes) = &mut self.notes {
            return Arc::make_mut(notes).add(name, value);
        }
        let mut notes = Notes::default();
        let added = notes.add(name, value)?;
        if added > 0 {
            self.notes = Some(Arc::new(notes));
        }
        Ok(added)
    }

    /// What was seen of a task of which labels and notes are told.
    ///
    /// # Errors
    /// [`NotesFault`]: no task has such notes.
    pub(crate) fn told_of<'n>(
        labels: &Value,
        notes: impl IntoIterator<Item = (&'n str, &'n Value)>,
    ) -> Result<Seen, NotesFault> {
        let mut seen = Seen::NONE.with(labels, "", None).unwrap_or(Seen::NONE);
        for (name, list) in notes {
            seen.add_notes(name, list)?;
        }
        Ok(seen)
    }

    /// The same notes after calls of tools with these labels, and no others.
    pub(super) fn with_labels(&self, labels: &Value) -> Seen {
        let seen = Seen { notes: self.notes.clone(), ..Seen::NONE };
        seen.with(labels, "", Some(0)).unwrap_or(seen)
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
