//! Where records go.

use std::sync::Arc;

use super::ChainTag;

/// A place that keeps records: a file, a table, a queue, or [`MemoryLog`](super::MemoryLog).
///
/// The broker calls a sink from one thread at a time, in the order of the sequence. Whatever `append`
/// refuses is not given: a permit whose record is refused is denied.
///
/// A sink may panic; that is a refusal. A sink that calls back into its own broker is told no for
/// whatever would need the log, and one that waits for another thread that does so waits for ever.
pub trait Sink: Send + Sync {
    /// Claims the log for one writer and says how it ends; `None` means that it is empty.
    ///
    /// The broker checks that the record was written under a key that it has, and takes the number from
    /// the record. That it is the last one, the broker takes on the sink's word.
    ///
    /// # Errors
    ///
    /// When it has another writer already, or when it cannot be read.
    fn open(&self) -> Result<Option<Tail>, SinkError>;

    /// Keeps one record. Returning `Ok` says that it is kept, as durably as this sink ever keeps.
    ///
    /// # Errors
    ///
    /// An error says that it is *not* kept: the same sequence number will come again, with other
    /// content. A sink that cannot tell (a write that failed half-way) must refuse everything from
    /// then on, and a sink must refuse an entry that does not follow the one it kept last.
    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError>;
}

impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        (**self).open()
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
        (**self).append(entry)
    }
}

/// One record on its way into a [`Sink`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its place in the only order there is; the first is 1 and there are no gaps.
    pub seq: u64,
    /// What ties it to all records before it.
    pub tag: &'a ChainTag,
    /// The record: one JSON object, with no line break and no other raw control character in it.
    pub line: &'a str,
}

/// How a log ends: its last record, as its [`Entry`] said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The tag of the record before the last one; `None` if there is only one.
    pub before: Option<ChainTag>,
    /// The last record's line.
    pub line: String,
    /// The last record's tag.
    pub tag: ChainTag,
}

/// Why a sink did not take a record, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SinkError {
    reason: Arc<str>,
}

impl SinkError {
    /// Longest reason kept, in characters: it is repeated in every record that was not given.
    const LONGEST: usize = 200;

    /// An error with this reason, of which the first 200 characters are kept.
    #[must_use]
    pub fn new(reason: &str) -> Self {
        let end = reason.char_indices().nth(Self::LONGEST).map_or(reason.len(), |(at, _)| at);
        Self { reason: Arc::from(reason.get(..end).unwrap_or(reason)) }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_kept_up_to_its_longest() {
        assert_eq!(SinkError::new("disk full").to_string(), "disk full");
        let long = SinkError::new(&"é".repeat(100_000));
        assert_eq!(long.reason().chars().count(), SinkError::LONGEST);
    }
}
