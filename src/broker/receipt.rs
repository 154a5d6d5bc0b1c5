//! What a permitted call gave.

use std::fmt;

use crate::denial::Denial;
use crate::scrub::{Scrub, ScrubSource, Scrubber};

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
    source: ScrubSource,
}

impl<T> Receipt<T> {
    pub(super) fn new(value: T, source: ScrubSource) -> Self {
        Receipt { value, source }
    }

    /// The number, in the log, of the permit.
    pub fn permit(&self) -> u64 {
        self.source.permit
    }

    /// What the tool returned, as it is: for the host's own use. It may hold what the tool ran with, so
    /// it is not for an agent.
    pub fn raw(self) -> T {
        self.value
    }

    /// What the tool returned, put through a function that takes the secrets out: for types that have no
    /// [`Scrub`].
    ///
    /// ```
    /// # use hallpass::Receipt;
    /// struct Page { title: String, bytes: usize }
    ///
    /// fn title(receipt: Receipt<Page>) -> String {
    ///     receipt.scrubbed_by(|page, scrubber| scrubber.text(page.title))
    /// }
    /// ```
    pub fn scrubbed_by<U>(self, scrub: impl FnOnce(T, &Scrubber<'_>) -> U) -> U {
        scrub(self.value, &self.source.scrubber())
    }
}

impl<T: Scrub> Receipt<T> {
    /// What the tool returned, without the secrets that the task has used: the way to an agent. What was found is a
    /// record of its own.
    pub fn scrubbed(self) -> T {
        self.scrubbed_by(T::scrub)
    }
}

/// Shows the permit's number, and nothing of what the tool returned.
impl<T> fmt::Debug for Receipt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("permit", &self.source.permit).finish_non_exhaustive()
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
pub struct ToolError<E> {
    error: E,
    source: ScrubSource,
}

impl<E> ToolError<E> {
    /// The tool's own error, as it is: for the host's own use, and not for an agent.
    pub fn raw(self) -> E {
        self.error
    }

    /// The tool's own error, without the secrets that the task has used.
    pub fn scrubbed(self) -> E
    where
        E: Scrub,
    {
        self.error.scrub(&self.source.scrubber())
    }
}

impl<E> RunError<E> {
    pub(super) fn of_tool(error: E, source: ScrubSource) -> Self {
        RunError::Tool(ToolError { error, source })
    }
}

impl<E: fmt::Display> fmt::Display for ToolError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tool failed: {}", self.source.scrubber().text(self.error.to_string()))
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
