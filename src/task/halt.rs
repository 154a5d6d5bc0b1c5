//! A halt: what the kill switch stops.

use super::cell::TaskCell;
use super::halt_error::HaltError;
use super::name::check_task_name;
use crate::identity::{Fold, Identity, check_known_name};
use crate::tool::ToolName;

/// What to stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Halt {
    /// Everything this broker gates.
    Everything,
    /// All that one identity requests, holds or calls, and all that was delegated from what it holds;
    /// and the same of every identity that acts for it. Known by its id or an alias; whom somebody
    /// acts for is known by its id alone. [`Control::revoke_identity`](crate::Control::revoke_identity)
    /// ends what this stops.
    #[non_exhaustive]
    Identity {
        /// Its id, or an alias.
        id: Box<str>,
    },
    /// One task, by its name: the one that is live, and any that is opened under that name until the
    /// halt is [resumed](crate::Control::resume). What is to end one opening alone is
    /// [`Control::revoke_task`](crate::Control::revoke_task).
    #[non_exhaustive]
    Task {
        /// Its name.
        name: Box<str>,
    },
    /// One tool, by its name.
    #[non_exhaustive]
    Tool {
        /// Its name.
        name: Box<str>,
    },
}

impl Halt {
    /// One identity, by its id or an alias.
    ///
    /// ```
    /// use hallpass::Halt;
    ///
    /// assert!(Halt::identity("spiffe://acme.test/agent/payer").is_ok());
    /// let error = Halt::identity("SPIFFE://acme.test/agent/payer/").unwrap_err();
    /// assert_eq!(error.meant(), Some("spiffe://acme.test/agent/payer"));
    /// ```
    ///
    /// # Errors
    /// [`HaltError`] of a name that no identity can be known by, with the likely spelling.
    pub fn identity(id: &str) -> Result<Self, HaltError> {
        let accepts = |id: &str| check_known_name(id).is_ok();
        match check_known_name(id) {
            Ok(()) => Ok(Halt::Identity { id: id.into() }),
            Err(error) => Err(HaltError::new(id, &error, accepts)),
        }
    }

    /// The task of this name, and those that come after it under the same.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no task can have.
    pub fn task(name: &str) -> Result<Self, HaltError> {
        match check_task_name(name) {
            Ok(()) => Ok(Halt::Task { name: name.into() }),
            Err(fault) => {
                let fault = format!("task name {fault}");
                Err(HaltError::new(name, &fault, |name| check_task_name(name).is_ok()))
            }
        }
    }

    /// One tool.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no tool can have.
    pub fn tool(name: &str) -> Result<Self, HaltError> {
        match ToolName::new(name) {
            Ok(_) => Ok(Halt::Tool { name: name.into() }),
            Err(error) => Err(HaltError::new(name, &error, ToolName::accepts)),
        }
    }

    /// An identity that was attested, by its id.
    pub(crate) fn of(id: &str) -> Self {
        Halt::Identity { id: id.into() }
    }

    /// The same, of a name in the spelling that names have where policy folds them.
    pub(crate) fn folded(mut self, fold: Fold) -> Self {
        if let Halt::Identity { id } = &mut self {
            fold.fold(id);
        }
        self
    }

    /// The halt that a record writes like this.
    pub(crate) fn from_record(what: &str) -> Option<Self> {
        match what.split_once(' ') {
            None => (what == "everything").then_some(Halt::Everything),
            Some(("identity", id)) => Halt::identity(id).ok(),
            Some(("task", name)) => Halt::task(name).ok(),
            Some(("tool", name)) => Halt::tool(name).ok(),
            Some(_) => None,
        }
    }

    /// Whether this stops any of `who`, in this task, from using this tool. A holder and anyone
    /// who presents its token have one id, and may differ in aliases and in whom they act for.
    pub(crate) fn stops(&self, task: &TaskCell, who: &[&Identity], tool: Option<&str>) -> bool {
        match self {
            Halt::Everything => true,
            Halt::Identity { id } => {
                task.requester.is_or_acts_for(id) || who.iter().any(|who| who.is_or_acts_for(id))
            }
            Halt::Task { name } => *task.name == **name,
            Halt::Tool { name } => tool.is_some_and(|tool| tool == &**name),
        }
    }
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Halt::Everything => f.write_str("everything"),
            Halt::Identity { id } => write!(f, "identity {id}"),
            Halt::Task { name } => write!(f, "task {name}"),
            Halt::Tool { name } => write!(f, "tool {name}"),
        }
    }
}
