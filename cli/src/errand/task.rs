//! What each session of a command begins with: who asks, and for what.

use std::collections::BTreeMap;
use std::sync::Arc;

use hallpass::identity::Identity;
use hallpass::value::Digest;
use hallpass::{Broker, Context, Purpose, Task};

use super::gatekeeper::Gatekeeper;

/// Opens the tasks of a command.
pub(crate) struct Errand {
    pub(crate) broker: Broker,
    pub(crate) who: Identity,
    pub(crate) purpose: Purpose,
    pub(crate) context: Context,
    /// Whether what could be asked for depends on what was done before.
    pub(crate) remembers: bool,
    /// The definitions that the catalogue pins, by the names of their tools.
    pub(crate) pins: BTreeMap<String, Digest>,
}

impl Errand {
    /// Opens a task.
    ///
    /// # Errors
    /// Why there can be none, or what is wrong with the context.
    pub(crate) fn open(&self) -> Result<Arc<Task>, String> {
        let opened = self.broker.open(&self.who, self.purpose.clone());
        let task =
            opened.map_err(|denial| format!("the task can't be opened: {}", denial.explain()))?;
        // Whether it is well formed is asked now, and not at the first call.
        task.askable(["hallpass:ping"], &self.context)
            .map_err(|denial| format!("`--context`: {}", denial.explain()))?;
        Ok(Arc::new(task))
    }

    /// Keeps the gate for a session of this task, as long as the task is kept.
    pub(crate) fn keeper(&self, task: &Arc<Task>) -> Gatekeeper {
        Gatekeeper {
            gate: self.broker.gate(),
            task: Arc::downgrade(task),
            who: self.who.clone(),
            context: self.context.clone(),
            remembers: self.remembers,
            pins: self.pins.clone(),
        }
    }
}
