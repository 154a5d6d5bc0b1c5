//! Exit codes, the same for every subcommand.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a subcommand ended. The worst of several counts, so that a script that looks at the code alone misses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All is well.
    Fine = 0,
    /// The work is done, and something was found or denied.
    Findings = 1,
    /// The work could not be done: something was asked for wrongly, or can't be read or written.
    Unable = 2,
}

impl Exit {
    /// Says on standard error why the work could not be done.
    pub(crate) fn unable(problem: impl Display) -> Exit {
        // If standard error is gone, too, the code still tells.
        let _ = writeln!(io::stderr(), "error: {problem}");
        Exit::Unable
    }

    /// As the report was written: a report that did not reach its reader says nothing about what was looked at.
    pub(crate) fn of_report(written: io::Result<Exit>) -> Exit {
        match written {
            Ok(exit) => exit,
            // Its reader has seen enough, as in `| head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Unable,
            Err(error) => Exit::unable(format_args!("can't write the report: {error}")),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
