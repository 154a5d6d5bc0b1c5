//! What the host notes of a result, as a line says it.

use super::answer::Answer;
use super::fields::{Fields, Misread};
use crate::value::Object;
use crate::{NoteError, Running};

/// Ids that are noted of a running call, by name.
pub(crate) struct Noting<'v> {
    pub(super) permit: &'v str,
    pub(super) notes: &'v Object,
}

/// The fields of a line that notes.
pub(crate) const NOTING: &[&str] = &["permit", "notes"];

impl<'v> Noting<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing or of another kind.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        let notes = fields.object_if("notes")?.ok_or_else(|| {
            Misread("`notes` has no `notes`, expected an object of lists".to_owned())
        })?;
        Ok(Noting { permit: fields.text("permit")?, notes })
    }
}

/// # Errors
/// Why not all of it was noted, which is as far as it came.
pub(super) fn note_all(running: &Running, notes: &Object) -> Result<(), NoteError> {
    notes.iter().try_for_each(|(name, list)| running.note(name, list.clone()))
}

/// Says in an answer whether all was noted.
pub(super) fn told(answer: Answer, noted: Result<(), NoteError>) -> Answer {
    match noted {
        Ok(()) => answer.with("noted", true),
        Err(error) => answer.with("noted", false).because(error.to_string()),
    }
}
