//! A review of what was done in an emergency, as a line says it.

use crate::identity::Assertion;

use super::fields::{Fields, Misread};
use super::statement;

/// The fields of a review.
pub(crate) const REVIEW: &[&str] = &["grant", "who", "verdict", "note"];

/// Somebody's review of what was done.
pub(crate) struct Review<'v> {
    pub(super) grant: &'v str,
    pub(super) who: Assertion,
    pub(super) verdict: &'v str,
    /// The line's note, which readers of the answers see, too.
    pub(super) note: &'v str,
}

impl<'v> Review<'v> {
    /// # Errors
    /// [`Misread`]: a field is missing, unknown or of another kind.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        Ok(Review {
            grant: fields.text("grant")?,
            who: statement::who("who", fields.require("who", "an object with `id`")?)?,
            verdict: fields.text("verdict")?,
            note: fields.text_if("note")?.unwrap_or_default(),
        })
    }
}
