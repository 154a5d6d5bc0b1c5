//! What a permitted call gave.

use std::fmt;

use crate::denial::Denial;
use crate::scrub::{Scrub, Scrubber};

/// What a permitted call gave. What the tool returned is taken out in one of two ways: as
/// [`scrubbed`](Receipt::scrubbed), the way to an agent, or [`raw`](Receipt::raw).
///
/// ```compile_fail,E0616
/// # use hallpass::Receipt;
/// fn past_the_scrubber(receipt: Receipt<String>) -> String {
///     receipt.value
/// }
/// ```
/// ```
/// # use hallpass::Receipt;
/// fn through_it(receipt: Receipt<String>) -> String {
///     receipt.scrubbed()
/// }
/// ```
pub struct Receipt<T> {
    value: T,
    permit: u64,
}

impl<T> Receipt<T> {
    pub(super) fn new(value: T, permit: u64) -> Self {
        Receipt { value, permit }
    }

    /// The number, in the log, of the permit.
    pub fn permit(&self) -> u64 {
        self.permit
    }

    /// What the tool returned, as it is: for the host's own use. It may hold what the tool ran with, so
    /// it is not for an agent.
    pub fn raw(self) -> T {
        self.value
    }
}

impl<T: Scrub> Receipt<T> {
    /// What the tool returned, without the secrets that the task has used: the way to an agent.
    pub fn scrubbed(self) -> T {
        self.value.scrub(&Scrubber::IDLE)
    }
}

/// Shows the permit's number, and nothing of what the tool returned.
impl<T> fmt::Debug for Receipt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("permit", &self.permit).finish_non_exhaustive()
    }
}

/// Why [`Permit::run`](crate::Permit::run) gave no receipt.
pub enum RunError<E> {
    /// The call never started: what was permitted is no longer.
    Denied(Denial),
    /// The tool ran and failed.
    Tool(ToolError<E>),
}

/// The error of a tool. Its text is scrubbed; the tool's own error may hold what the tool ran with, and is
/// [`raw`](ToolError::raw).
pub struct ToolError<E>(E);

impl<E> ToolError<E> {
    /// The tool's own error, as it is: for the host's own use, and not for an agent.
    pub fn raw(self) -> E {
        self.0
    }
}

impl<E> RunError<E> {
    pub(super) fn of_tool(error: E) -> Self {
        RunError::Tool(ToolError(error))
    }
}

impl<E: fmt::Display> fmt::Display for ToolError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tool failed: {}", self.0.to_string().scrub(&Scrubber::IDLE))
    }
}

impl<E: fmt::Display> fmt::Display for RunError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Denied(denial) => denial.fmt(f),
            RunError::Tool(error) => error.fmt(f),
        }
    }
}

/// Shows nothing of the tool's own error.
impl<E> fmt::Debug for ToolError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolError").finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for RunError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Denied(denial) => f.debug_tuple("Denied").field(denial).finish(),
            RunError::Tool(error) => f.debug_tuple("Tool").field(error).finish(),
        }
    }
}

// No source: a chain of causes is printed, and what it prints of the tool's own error is not scrubbed.
impl<E: fmt::Display> std::error::Error for ToolError<E> {}
impl<E: fmt::Display> std::error::Error for RunError<E> {}
