//! An act on its way to every node.

use std::sync::Arc;
use std::time::Duration;

use super::node::Inner;
use super::progress::{Done, Progress, Stage};
use crate::broker::Ended;
use crate::sync::Deadline;

/// An act on its way. Dropping it cancels nothing: the node goes on telling the others.
#[must_use = "an act that is not waited for may not be final: see `wait`"]
#[derive(Clone)]
pub struct Acting {
    node: Arc<Inner>,
    progress: Arc<Progress>,
    here: Ended,
}

/// An act that is not final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// Not yet: it is still under way, and goes on.
    #[error("{}", not_yet(.0))]
    NotYet(NotYet),
    /// The epoch that the reload was to replace is not in force any more. Nothing has changed.
    #[error(
        "epoch {epoch} is in force, and not the one that was to be replaced: look at it, and reload again"
    )]
    Conflict {
        /// The epoch in force.
        epoch: u64,
    },
}

/// How far an act is that is not final.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotYet {
    /// What it found at this node, where it has taken effect; nothing of an act that gives.
    pub here: Ended,
    /// The number of its entry; nothing if the store is not known to have one.
    pub number: Option<u64>,
    /// The nodes that may have a lease that was given without it. Nothing while they are not known.
    pub waiting_for: Vec<Box<str>>,
}

impl Acting {
    pub(super) fn new(node: Arc<Inner>, progress: Arc<Progress>, here: Ended) -> Self {
        Acting { node, progress, here }
    }

    /// What it found at this node.
    pub fn here(&self) -> &Ended {
        &self.here
    }

    /// What it came to so far. Asks nothing.
    ///
    /// # Errors
    /// [`ActError`].
    pub fn look(&self) -> Result<Done, ActError> {
        self.outcome(self.progress.stage())
    }

    /// Waits until it is final, for `timeout` at the longest, and drives the node meanwhile if no other thread does.
    ///
    /// # Errors
    /// [`ActError::NotYet`] when the time is over, with who is waited for; [`ActError::Conflict`].
    pub fn wait(&self, timeout: Duration) -> Result<Done, ActError> {
        let deadline = Deadline::after(timeout);
        loop {
            match self.look() {
                Err(ActError::NotYet(_)) if !deadline.is_over() => {}
                outcome => return outcome,
            }
            let rest = self.node.tend();
            self.progress.wait(rest.min(deadline.left()));
        }
    }

    /// As [`wait`](Acting::wait), as a future of any runtime, without a limit: dropping it stops waiting, and cancels
    /// nothing. It drives nothing: somebody has to [tend](super::Fleet::tend) the node.
    ///
    /// # Errors
    /// [`ActError::Conflict`].
    pub async fn done(&self) -> Result<Done, ActError> {
        let stage = std::future::poll_fn(|context| self.progress.poll(context)).await;
        self.outcome(stage)
    }

    fn outcome(&self, stage: Stage) -> Result<Done, ActError> {
        let not_yet = |number, waiting_for| {
            let here = self.here.clone();
            Err(ActError::NotYet(NotYet { here, number, waiting_for }))
        };
        match stage {
            Stage::Done(done) => Ok(done),
            Stage::Conflict { epoch } => Err(ActError::Conflict { epoch }),
            Stage::Owed => not_yet(None, Vec::new()),
            Stage::Numbered { number, waiting_for } => not_yet(Some(number), waiting_for),
        }
    }
}

fn not_yet(how_far: &NotYet) -> String {
    match (how_far.number, &*how_far.waiting_for) {
        (None, _) => "the act is not known to be in the fleet's store yet".into(),
        (Some(number), []) => {
            format!("act {number} is in the fleet's store, and its nodes were not read yet")
        }
        // Who can write the store could have put any name there.
        (Some(number), nodes) => {
            let names = nodes.iter().map(|name| name.escape_debug().to_string());
            format!("act {number} waits for `{}`", names.collect::<Vec<_>>().join("`, `"))
        }
    }
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acting").field("stage", &self.progress.stage()).finish_non_exhaustive()
    }
}
