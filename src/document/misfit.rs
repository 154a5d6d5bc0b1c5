//! Something that does not fit where it stands.

/// What is wrong with one part of a document: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The byte of the text at which the part begins.
    pub(crate) at: usize,
    /// The keys that lead there, as in `what.args.limit` or `approval.review[0]`.
    pub(crate) path: String,
    pub(crate) problem: String,
}

impl Misfit {
    pub(crate) fn new(at: usize, problem: impl Into<String>) -> Self {
        Misfit { at, path: String::new(), problem: problem.into() }
    }

    /// The same, seen from the table in which the part stands at `key`.
    pub(crate) fn inside(mut self, key: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{key}{joint}{}", self.path);
        self
    }

    /// The same, seen from the list of which the part is an element.
    pub(crate) fn of_element(self, index: usize) -> Self {
        self.inside(&format!("[{index}]"))
    }
}
