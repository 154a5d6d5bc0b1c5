//! A URL that was read, and what every pattern asks of it.

use super::host::is_inner;
use super::path::has_other_spelling;
use super::read::Parts;

/// A URL in its one spelling.
#[derive(Debug)]
pub(crate) struct UrlParts {
    pub(super) parts: Parts,
    /// Whether its host is of this machine, its network or its cloud.
    pub(super) is_inner: bool,
    /// Whether servers may take its path for another.
    pub(super) path_has_other_spelling: bool,
}

impl UrlParts {
    /// `None` for what is not a URL, or is spelled otherwise.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let parts = Parts::read(text)?;
        let is_inner = parts.host().is_some_and(is_inner);
        let path_has_other_spelling = has_other_spelling(parts.path());
        Some(UrlParts { parts, is_inner, path_has_other_spelling })
    }
}
