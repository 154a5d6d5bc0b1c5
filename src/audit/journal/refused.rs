//! Why the log has not taken a record.

use std::time::Duration;

use crate::audit::SinkError;

/// Why a record is not in the log, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The sink refused this record or one before it.
    #[error("the log refused the record: {0}")]
    Sink(SinkError),
    /// The sink has not answered in time.
    #[error("the log did not take the record within {0:?}")]
    TimedOut(Duration),
    /// What waited for it was dropped.
    #[error("the call was given up before the log had its record")]
    NotAwaited,
    /// With this many waiting records, nothing that gives access is placed.
    #[error("the log owes {0} records, expected fewer before it takes one that gives access")]
    TooManyDebts(usize),
    /// The sink called its own broker.
    #[error("the log was used from within its own sink")]
    Reentrant,
    /// This process was forked from the one that the broker was built in.
    #[error("the broker was built in the process that this one was forked from")]
    Forked,
    /// The broker was closed.
    #[error("the broker is closed")]
    Closed,
}

impl Refused {
    /// What the record of a withdrawal says: of a sink's refusal, the sink's own words.
    pub(super) fn cause(&self) -> String {
        match self {
            Refused::Sink(cause) => cause.reason().to_owned(),
            other => other.to_string(),
        }
    }
}
