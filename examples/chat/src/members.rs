//! Which person a user of the chat is.

use std::collections::HashMap;

use hallpass::identity::Identity;

/// The people behind the chat's users, by the ids that the chat gives them. A stand-in for the host's directory: names
/// that users choose for themselves say nothing.
#[derive(Debug, Default)]
pub struct Members(HashMap<String, Identity>);

impl Members {
    /// No one.
    #[must_use]
    pub fn new() -> Members {
        Members::default()
    }

    /// This user of the chat is that person, whom the host has attested.
    #[must_use]
    pub fn with(mut self, user: &str, who: Identity) -> Members {
        self.0.insert(user.to_owned(), who);
        self
    }

    pub(crate) fn of(&self, user: &str) -> Option<&Identity> {
        self.0.get(user)
    }
}
