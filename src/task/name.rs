//! Names of tasks.

use crate::visible::{TextFault, TextRule};

/// The longest name of a task, in bytes.
pub(crate) const MAX_TASK_NAME: usize = 255;

const TASK_NAME: TextRule = TextRule {
    max: MAX_TASK_NAME,
    refuses: |text| text.chars().position(|c| !c.is_ascii_graphic()),
    expected: "1 to 255 visible ASCII characters without spaces",
};

/// Whether a task can have this name: 1 to 255 visible ASCII characters.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_task_name(name: &str) -> Result<(), TextFault> {
    TASK_NAME.check(name)
}
