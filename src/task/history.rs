//! The history of a task: which tools were used in it, what they are labelled, and what was noted of results.

use std::borrow::Cow;

use crate::policy::{Catalogue, NotesFault, Seen};
use crate::tool::ToolName;
use crate::value::Value;

/// How many tools of one task are told apart: more than a catalogue of today has. A task that has used more
/// is taken to have used every tool.
const MOST_TOOLS: usize = 1024;

/// The catalogue in force, and in which epoch.
pub(crate) type Listing<'c> = (u64, &'c Catalogue);

/// The tools used in a task, and the labels they have had. Neither ever leaves it: a tool that a reload
/// labels anew taints the tasks that have used it before.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Sorted, each once, with the number of its first call.
    tools: Vec<(ToolName, u64)>,
    /// Whether there were more.
    more: bool,
    /// The labels up to `epoch`.
    seen: Seen,
    epoch: u64,
}

impl Default for History {
    fn default() -> Self {
        History::NONE
    }
}

impl History {
    pub(super) const NONE: History =
        History { tools: Vec::new(), more: false, seen: Seen::NONE, epoch: 0 };

    pub(super) fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The labels of the tools used, those of today's catalogue among them.
    pub(crate) fn seen(&self, (epoch, catalogue): Listing<'_>) -> Cow<'_, Seen> {
        if self.epoch == epoch || self.tools.is_empty() {
            return Cow::Borrowed(&self.seen);
        }
        let mut seen = Cow::Borrowed(&self.seen);
        let mut add = |tool: &str, call| {
            let labels = catalogue.labels_of(tool);
            if let Some(longer) = labels.and_then(|labels| seen.with(labels, tool, Some(call))) {
                seen = Cow::Owned(longer);
            }
        };
        for (tool, call) in &self.tools {
            add(tool.as_str(), *call);
        }
        if self.more {
            let last = self.tools.iter().map(|(_, call)| *call).max().unwrap_or_default();
            catalogue.names().for_each(|tool| add(tool, last));
        }
        seen
    }

    /// As [`seen`](Self::seen), after a call of a tool with these labels.
    pub(crate) fn seen_after(
        &self,
        tool: &str,
        labels: &Value,
        listing: Listing<'_>,
    ) -> Cow<'_, Seen> {
        let seen = self.seen(listing);
        match seen.with(labels, tool, None) {
            Some(longer) => Cow::Owned(longer),
            None => seen,
        }
    }

    /// Adds a call of a tool, with the tool's labels.
    pub(super) fn add(
        &mut self,
        tool: &ToolName,
        labels: &Value,
        call: u64,
        (epoch, catalogue): Listing<'_>,
    ) {
        if self.epoch != epoch {
            if let Cow::Owned(longer) = self.seen((epoch, catalogue)) {
                self.seen = longer;
            }
            self.epoch = epoch;
        }
        if let Some(longer) = self.seen.with(labels, tool.as_str(), Some(call)) {
            self.seen = longer;
        }
        if let Err(at) = self.tools.binary_search_by(|(own, _)| own.cmp(tool)) {
            if self.tools.len() < MOST_TOOLS {
                self.tools.insert(at, (tool.clone(), call));
            } else {
                self.more = true;
            }
        }
    }

    /// Adds what the host noted of a result; how many of these were not there before.
    pub(super) fn note(&mut self, name: &str, value: &Value) -> Result<usize, NotesFault> {
        self.seen.add_notes(name, value)
    }

    pub(super) fn shrink(&mut self) {
        self.tools.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Tool;

    fn labelled(tools: &[(&str, &str)]) -> Catalogue {
        let tools: Vec<Tool> =
            tools.iter().map(|(tool, label)| Tool::new(tool).label(label)).collect();
        Catalogue::of(&tools, |_| Value::Null.digest())
    }

    fn labels(history: &History, listing: Listing<'_>) -> Vec<String> {
        let seen = history.seen(listing);
        let Value::List(labels) = seen.labels() else { panic!() };
        labels.iter().map(|label| label.as_text().unwrap().to_owned()).collect()
    }

    fn add(history: &mut History, tool: &str, call: u64, listing: Listing<'_>) {
        let labels = listing.1.labels_of(tool).cloned().unwrap_or(Value::List(Vec::new()));
        history.add(&ToolName::new(tool).unwrap(), &labels, call, listing);
    }

    #[test]
    fn labels_of_every_epoch_stay_and_those_of_today_are_added() {
        let (first, then) = (labelled(&[("a", "x"), ("b", "y")]), labelled(&[("a", "z")]));
        let mut history = History::default();
        add(&mut history, "a", 5, (1, &first));
        assert_eq!(labels(&history, (1, &first)), ["x"]);
        assert_eq!(labels(&history, (2, &then)), ["x", "z"], "asked before anything is called");
        add(&mut history, "b", 6, (2, &then));
        assert_eq!(labels(&history, (2, &then)), ["x", "z"]);
        assert_eq!(labels(&history, (3, &first)), ["x", "z", "y"]);
        let told = format!("{:?}", history.seen((3, &first)));
        assert!(told.contains("Some(5)") && told.contains("Some(6)"), "{told}");
    }

    #[test]
    fn a_task_that_has_used_more_tools_than_are_told_apart_is_taken_to_have_used_all() {
        let none = labelled(&[("other", "x")]);
        let mut history = History::default();
        for n in 0..MOST_TOOLS as u64 {
            add(&mut history, &format!("tool-{n}"), n, (1, &none));
        }
        let later = labelled(&[("other", "x"), ("tool-9999", "y")]);
        assert!(labels(&history, (2, &later)).is_empty());
        add(&mut history, "tool-9999", 7, (1, &none));
        assert_eq!(history.tools.len(), MOST_TOOLS);
        let mut seen = labels(&history, (2, &later));
        seen.sort();
        assert_eq!(seen, ["x", "y"]);
    }
}
