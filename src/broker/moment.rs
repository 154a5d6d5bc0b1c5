//! The moment of a question: its time, and what is known of it.

use std::borrow::Cow;

use super::shared::Shared;
use super::source::unavailable;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Denial;
use crate::identity::Identity;

impl Shared {
    /// Reads the clock, and joins what the caller states with what the host's source knows. Called before
    /// any lock of the broker is taken: a source that is slow holds up its own question and no other.
    ///
    /// # Errors
    /// [`Reason::ClockUnreadable`], or [`Reason::ContextUnavailable`] of a source that fails, panics or is
    /// late.
    pub(super) fn moment<'c>(
        &self,
        who: &Identity,
        tool: Option<&str>,
        stated: &'c Context,
    ) -> Result<(Timestamp, Cow<'c, Context>), Denial> {
        let asked = self.now()?;
        let Some(source) = &self.source else { return Ok((asked, Cow::Borrowed(stated))) };
        if self.attested(who, asked).is_err() {
            // It will be denied for that, and costs the source nothing.
            return Ok((asked, Cow::Borrowed(stated)));
        }
        let facts = source.ask(who, tool)?;
        // What is decided is decided as of the facts.
        let now = self.now()?;
        if now.since(asked) >= source.within {
            let (took, within) = (now.since(asked), source.within);
            return Err(unavailable(format_args!(
                "it took {took:?}, expected less than {within:?}"
            )));
        }
        Ok((now, Cow::Owned(stated.joined_with(&facts))))
    }
}
