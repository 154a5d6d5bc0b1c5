//! A call that is running.

use super::open_call::OpenCall;
use super::receipt::{Receipt, RunError};
use crate::audit::Outcome;
use crate::call::Call;

/// A call that is running. Dropping it unfinished records that it was interrupted.
///
/// It ends once:
///
/// ```compile_fail,E0382
/// # use hallpass::Running;
/// fn twice(running: Running) {
///     running.fail();
///     running.succeed();
/// }
/// ```
/// ```
/// # use hallpass::Running;
/// fn once(running: Running) {
///     running.succeed();
/// }
/// ```
#[must_use = "a running call that is dropped is recorded as interrupted: say `succeed` or `fail`"]
pub struct Running {
    pub(super) call: Call,
    pub(super) open: OpenCall,
}

impl Running {
    /// The call, with the arguments the tool must use.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The permit's number in the log.
    pub fn number(&self) -> u64 {
        self.open.seq()
    }

    /// The call is done and went well.
    pub fn succeed(mut self) {
        self.open.close(Outcome::Ok);
    }

    /// The call is done and failed.
    pub fn fail(mut self) {
        self.open.close(Outcome::Error);
    }

    pub(super) fn close_with<T, E>(self, result: Result<T, E>) -> Result<Receipt<T>, RunError<E>> {
        let permit = self.open.seq();
        match result {
            Ok(value) => {
                self.succeed();
                Ok(Receipt { value, permit })
            }
            Err(error) => {
                self.fail();
                Err(RunError::Tool(error))
            }
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("number", &self.open.seq())
            .field("tool", &self.call.tool())
            .finish_non_exhaustive()
    }
}
