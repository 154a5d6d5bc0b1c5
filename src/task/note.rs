//! Notes of a running call: kept in the history of its task, and counted for the record of its outcome.

use super::life::Life;
use crate::policy::NotesFault;
use crate::value::Value;

/// Why a call notes nothing.
pub(crate) enum NotNoted {
    /// Its task is over, or it has its outcome already.
    Over,
    Fault(NotesFault),
}

impl Life {
    /// Notes what a running call gave, for all grants of the task.
    pub(crate) fn note(&mut self, seq: u64, name: &str, value: &Value) -> Result<(), NotNoted> {
        let runs = self.permit(seq).is_some_and(|permit| permit.running);
        if self.over.is_some() || !runs {
            return Err(NotNoted::Over);
        }
        let added = self.rest_mut().history.note(name, value).map_err(NotNoted::Fault)?;
        if let Some(permit) = self.permit_mut(seq) {
            permit.noted = permit.noted.saturating_add(added as u64);
        }
        Ok(())
    }
}
