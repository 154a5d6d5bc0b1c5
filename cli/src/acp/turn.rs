//! A prompt's turn: a task, and the commands that run under it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hallpass::Task;

use crate::errand::{Gatekeeper, Outcome, Started};

/// How many terminals a turn may have at once.
const MOST_TERMINALS: usize = 256;

/// What the agent may do while it answers a prompt.
pub(super) struct Turn {
    pub(super) keeper: Gatekeeper,
    task: Arc<Task>,
    /// The terminals that were permitted, each with its call as long as the command runs.
    terminals: BTreeMap<String, Option<Box<Started>>>,
    /// Commands that were asked for, and have no terminal yet.
    pub(super) coming: usize,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnEnd {
    Answered,
    Failed,
    Cancelled,
}

impl Turn {
    pub(super) fn new(keeper: Gatekeeper, task: Arc<Task>) -> Self {
        Turn { keeper, task, terminals: BTreeMap::new(), coming: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.terminals.len().saturating_add(self.coming) >= MOST_TERMINALS
    }

    pub(super) fn has_terminal(&self, id: &str) -> bool {
        self.terminals.contains_key(id)
    }

    /// A command runs in this terminal. One of the same name is another one's, or the editor's mistake: which of both it
    /// is can't be told any more, so that the later call is over.
    pub(super) fn run(&mut self, terminal: String, started: Box<Started>) -> Result<(), ()> {
        self.coming = self.coming.saturating_sub(1);
        if self.terminals.contains_key(&terminal) {
            self.keeper.finish(started, Outcome::Interrupted);
            return Err(());
        }
        self.terminals.insert(terminal, Some(started));
        Ok(())
    }

    /// The command of a terminal has ended, once.
    pub(super) fn ended(&mut self, terminal: &str, outcome: Outcome) {
        if let Some(started) = self.terminals.get_mut(terminal).and_then(Option::take) {
            self.keeper.finish(started, outcome);
        }
    }

    /// A terminal is there no more.
    pub(super) fn released(&mut self, terminal: &str) {
        self.ended(terminal, Outcome::Interrupted);
        self.terminals.remove(terminal);
    }

    /// Ends the task and all that runs under it: the terminals that have to be ended.
    pub(super) fn end(mut self, how: TurnEnd) -> Vec<String> {
        let terminals: Vec<String> = self.terminals.keys().cloned().collect();
        for terminal in &terminals {
            self.ended(terminal, Outcome::Interrupted);
        }
        // One that all turns share goes on.
        if let Some(task) = Arc::into_inner(self.task) {
            match how {
                TurnEnd::Answered => drop(task.complete()),
                TurnEnd::Failed => drop(task.fail("the agent did not answer the prompt")),
                TurnEnd::Cancelled => drop(task.revoke()),
            }
        }
        terminals
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("task", &self.task.name()).finish_non_exhaustive()
    }
}
