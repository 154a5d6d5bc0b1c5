//! An operator's act, on its way to every node.

use std::sync::Arc;
use std::time::Duration;

use super::Operator;
use crate::broker::Ended;
use crate::fleet::acting::{ActError, NotYet};
use crate::fleet::progress::{Done, Progress, Stage};
use crate::fleet::wait::Wait;
use crate::membership::Bell;
use crate::sync::Deadline;

/// An act that has its number. Dropping it cancels nothing.
#[must_use = "an act that is not waited for may not be final: see `wait`"]
pub struct OperatorAct<'o> {
    operator: &'o mut Operator,
    wait: Wait,
    progress: Arc<Progress>,
}

impl<'o> OperatorAct<'o> {
    pub(super) fn new(operator: &'o mut Operator, wait: Wait, progress: Arc<Progress>) -> Self {
        OperatorAct { operator, wait, progress }
    }

    /// Looks who has applied it.
    ///
    /// # Errors
    /// [`ActError::NotYet`] until it is final, also where the store does not answer.
    pub fn look(&mut self) -> Result<Done, ActError> {
        if let Ok(read) = self.operator.read_rows() {
            let rows: Vec<_> = read.rows.iter().map(|(row, said)| (row, said.clone())).collect();
            self.wait.look("", &rows);
        }
        if let Ok(now) = self.operator.clock.read() {
            self.wait.is_over(now.monotonic, self.operator.terms.surely_over());
        }
        match self.progress.stage() {
            Stage::Done(done) => Ok(done),
            Stage::Numbered { number, waiting_for } => {
                let (here, number) = (Ended::default(), Some(number));
                Err(ActError::NotYet(NotYet { here, number, waiting_for }))
            }
            Stage::Owed | Stage::Conflict { .. } => {
                let (here, waiting_for) = (Ended::default(), Vec::new());
                Err(ActError::NotYet(NotYet { here, number: None, waiting_for }))
            }
        }
    }

    /// Looks again and again until it is final, for `timeout` at the longest.
    ///
    /// # Errors
    /// [`ActError::NotYet`] when the time is over, with the nodes that are waited for.
    pub fn wait(mut self, timeout: Duration) -> Result<Done, ActError> {
        let (deadline, pause) = (Deadline::after(timeout), Bell::default());
        loop {
            let looked = self.look();
            let between = self.operator.terms.between_looks();
            if looked.as_ref().is_ok_and(|done| !done.unheard.is_empty()) {
                // Once more: who stood still all the time is marked, and no later act waits for it.
                pause.wait(2 * between);
                let _ = self.operator.read_rows();
                self.operator.mark_still();
            }
            if looked.is_ok() || deadline.is_over() {
                return looked;
            }
            pause.wait(between.min(deadline.left()));
        }
    }
}

impl std::fmt::Debug for OperatorAct<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorAct").field("stage", &self.progress.stage()).finish_non_exhaustive()
    }
}
