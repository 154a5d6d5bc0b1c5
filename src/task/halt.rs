//! Halts: the kill switch.

use std::collections::HashSet;

use super::cell::TaskCell;
use super::life::Life;
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::sync::RwLock;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What to stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Halt {
    /// Everything this broker gates.
    Everything,
    /// All that one identity requests, holds or calls, and all that was delegated from what it holds;
    /// and the same of every identity that acts for it. Known by its id or an alias; whom somebody
    /// acts for is known by its id alone. [`Control::revoke_identity`](crate::Control::revoke_identity)
    /// ends what this stops.
    Identity(Box<str>),
    /// One task, by its name: the one that is live, and any that is opened under that name until the
    /// halt is [resumed](crate::Control::resume). What is to end one opening alone is
    /// [`Control::revoke_task`](crate::Control::revoke_task).
    Task(Box<str>),
    /// One tool, by its name.
    Tool(Box<str>),
}

impl Halt {
    /// One identity.
    pub fn identity(id: &str) -> Self {
        Halt::Identity(id.into())
    }

    /// The task of this name, and those that come after it under the same.
    pub fn task(name: &str) -> Self {
        Halt::Task(name.into())
    }

    /// One tool.
    pub fn tool(name: &str) -> Self {
        Halt::Tool(name.into())
    }
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Halt::Everything => f.write_str("everything"),
            Halt::Identity(id) => write!(f, "identity {id}"),
            Halt::Task(name) => write!(f, "task {name}"),
            Halt::Tool(name) => write!(f, "tool {name}"),
        }
    }
}

/// The halts that are on.
#[derive(Default)]
pub(crate) struct Halts {
    /// Whether there is any: read on every call, so it costs no lock while there is none.
    any: AtomicBool,
    on: RwLock<HashSet<Halt>>,
}

impl Halts {
    /// Puts a halt on; `false` if it was on already.
    pub(crate) fn halt(&self, what: Halt) -> bool {
        let mut on = self.on.write();
        let new = on.insert(what);
        self.any.store(true, Ordering::SeqCst);
        new
    }

    /// Takes a halt off; `false` if it was not on.
    pub(crate) fn resume(&self, what: &Halt) -> bool {
        let mut on = self.on.write();
        let was = on.remove(what);
        self.any.store(!on.is_empty(), Ordering::SeqCst);
        was
    }

    /// The halt that stops this, if one does: asked under the task's lock, so that after a halt has
    /// gone through the locks nothing it stops can start.
    pub(crate) fn stopping(
        &self,
        task: &TaskCell,
        who: &[&Identity],
        tool: Option<&str>,
    ) -> Option<Halt> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let on = self.on.read();
        on.iter().find(|halt| halt.stops(task, who, tool)).cloned()
    }

    /// The halt that stops a grant, and the tool to be called on it: of `who` presents or holds it, and
    /// of the holders of all it was delegated from.
    pub(crate) fn stopping_grant(
        &self,
        task: &TaskCell,
        life: &Life,
        grant: GrantId,
        who: &Identity,
        tool: Option<&str>,
    ) -> Option<Halt> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let concerned: Vec<_> = life.holders(grant).chain([who]).collect();
        self.stopping(task, &concerned, tool)
    }

    pub(crate) fn all(&self) -> Vec<Halt> {
        self.on.read().iter().cloned().collect()
    }
}

impl Halt {
    /// Whether this stops any of `who`, in this task, from using this tool. A holder and anyone
    /// presents its token have one id and may differ in aliases and in whom they act for.
    pub(crate) fn stops(&self, task: &TaskCell, who: &[&Identity], tool: Option<&str>) -> bool {
        match self {
            Halt::Everything => true,
            Halt::Identity(id) => {
                task.requester.is_or_acts_for(id) || who.iter().any(|who| who.is_or_acts_for(id))
            }
            Halt::Task(name) => *task.name == **name,
            Halt::Tool(name) => tool.is_some_and(|tool| tool == &**name),
        }
    }
}
