//! Why a log on file is not opened.

use std::io;

use crate::audit::Fault;
use crate::audit::checkpoint::CheckpointFault;

/// Why a log on file is not opened. Nothing was changed of one that has a writer or does not verify.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused.
    #[error("{what} of the log can't be read or written: {error}")]
    Io {
        /// What was to be read or written.
        what: String,
        /// What it said.
        error: io::Error,
    },
    /// Another broker writes to it, in this process or another.
    #[error("the log has a writer already, expected none: close the broker that has it")]
    HasWriter,
    /// A file is not there, though a later one is, or numbers of it were used.
    #[error("`{file}` is missing from the log")]
    Missing {
        /// Its name.
        file: String,
    },
    /// A line is not what the format says.
    #[error("line {line} of `{file}` {what}")]
    Line {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A record is not the one that was written.
    #[error("line {line} of `{file}`: {fault}")]
    Fault {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong, and which record it names.
        fault: Fault,
    },
    /// The log ends before its anchor, or is not the one its anchor has seen.
    #[error("{0}")]
    Anchor(Fault),
    /// The log is not what a checkpoint of it has seen.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointFault),
    /// What says which numbers are reserved can't be read.
    #[error(
        "`reserved` does not say which numbers may have been used, expected `{{\"through\":N}}`"
    )]
    Reserved,
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(&'static str),
}

impl OpenError {
    pub(super) fn io(what: &str, error: io::Error) -> Self {
        OpenError::Io { what: what.to_owned(), error }
    }

    /// The fault of a record, where it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            OpenError::Fault { fault, .. } | OpenError::Anchor(fault) => Some(fault),
            _ => None,
        }
    }
}
