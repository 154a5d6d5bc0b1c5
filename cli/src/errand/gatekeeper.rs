//! The broker's side of the gate: each call asks for exactly itself, just in time.

use std::collections::BTreeMap;
use std::sync::Weak;

use hallpass::args::Args;
use hallpass::identity::Identity;
use hallpass::tool::ToolName;
use hallpass::value::Digest;
use hallpass::{Call, Context, Denial, Gate, Grant, Reason, Running, Scope, Task};

/// Who asks, for which task, in which context.
pub(crate) struct Gatekeeper {
    pub(crate) gate: Gate,
    /// Who ends the session keeps it: what else holds the gate, as the thread that reads from a server does until all that
    /// has its output is gone, keeps no task open.
    pub(crate) task: Weak<Task>,
    pub(crate) who: Identity,
    pub(crate) context: Context,
    /// Whether what could be asked for depends on what was done before.
    pub(crate) remembers: bool,
    /// The definitions that the catalogue pins, by the names of their tools.
    pub(crate) pins: BTreeMap<String, Digest>,
}

/// A call that has started, and the grant for it alone. Dropped, its outcome is `interrupted`.
#[derive(Debug)]
pub(crate) struct Started {
    running: Running,
    grant: Grant,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Error,
    Interrupted,
}

impl Started {
    /// What the call is made with: what was decided about, and nothing of what was sent.
    pub(crate) fn args(&self) -> &Args {
        self.running.args()
    }
}

impl Gatekeeper {
    /// Asks for exactly this call, authorizes and starts it. What is granted is worth nothing else, and is
    /// taken back by [`finish`](Self::finish).
    pub(crate) fn start(&self, tool: &str, args: &str) -> Result<Box<Started>, Denial> {
        let call = match Call::from_json(tool, args) {
            Ok(call) => call,
            Err(error) => {
                let why = error.to_string();
                return Err(self.gate.deny(&self.who, tool, Reason::MalformedCall, &why));
            }
        };
        let wanted = Scope::exactly(&call).digested();
        let Some(task) = self.task.upgrade() else {
            return Err(self.gate.deny(&self.who, tool, Reason::TaskOver, "its session is over"));
        };
        let grant = task.request(wanted, &self.context)?;
        let permit = self.gate.authorize(&grant, &self.who, call, &self.context);
        match permit.and_then(|permit| permit.start()) {
            Ok(running) => Ok(Box::new(Started { running, grant })),
            Err(denial) => {
                let _ = task.revoke_grant(&grant);
                Err(denial)
            }
        }
    }

    /// Records what became of a call, and takes its grant back.
    pub(crate) fn finish(&self, started: Box<Started>, outcome: Outcome) {
        let Started { running, grant } = *started;
        match outcome {
            Outcome::Ok => running.succeed(),
            Outcome::Error => running.fail(),
            Outcome::Interrupted => drop(running),
        }
        // With its task the grant is over, too.
        let _ = self.task.upgrade().map(|task| task.revoke_grant(&grant));
    }

    /// Denies what does not get as far as the broker, and records it.
    pub(crate) fn deny(&self, name: &str, reason: Reason, why: &str) -> Denial {
        self.gate.deny(&self.who, name, reason, why)
    }

    /// Of these tools, those of which some call could be permitted now. Where that can't be told, none.
    pub(crate) fn askable<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Vec<ToolName> {
        let task = self.task.upgrade();
        task.and_then(|task| task.askable(names, &self.context).ok()).unwrap_or_default()
    }

    pub(crate) fn could_ask(&self, name: &str) -> bool {
        !self.askable([name]).is_empty()
    }
}
