//! What a tool gave, and what it may not show.

use hallpass::scrub::{Scrub, Scrubber};
use rig_core::tool::{ToolExecutionError, ToolOutput};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The result of a tool.
pub(crate) struct Output(pub(crate) ToolOutput);

/// The error of a tool.
pub(crate) struct Failed(pub(crate) ToolExecutionError);

impl Scrub for Output {
    fn scrub(self, scrubber: &Scrubber<'_>) -> Self {
        let unreadable = || ToolOutput::text("the result can't be scrubbed");
        Output(scrubbed(&self.0, scrubber).unwrap_or_else(unreadable))
    }
}

/// Without its source, which is of any type and may say anything.
impl Scrub for Failed {
    fn scrub(self, scrubber: &Scrubber<'_>) -> Self {
        let unreadable = || ToolExecutionError::other("the error can't be scrubbed");
        Failed(scrubbed(&self.0, scrubber).unwrap_or_else(unreadable))
    }
}

fn scrubbed<T: Serialize + DeserializeOwned>(given: &T, scrubber: &Scrubber<'_>) -> Option<T> {
    let text: Value = serde_json::to_value(given).ok()?;
    serde_json::from_value(text.scrub(scrubber)).ok()
}
