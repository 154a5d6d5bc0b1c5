//! The record that closes a task: its last call is done, and nothing is left to withdraw of what was minted for it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A task has ended, no call of it runs any more, and each credential that was planned for it is gone, or stands until
/// it expires since it can't be withdrawn.
///
/// It follows an `ended` record that says `unsettled`, once. A task whose end left nothing has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settled<'a> {
    /// The task.
    pub task: Cow<'a, str>,
    /// Its generation, which no other task of the log has.
    pub generation: u64,
    /// The names of the credentials that are gone: of more than 1,024, those that went first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Cow<'a, str>>,
    /// How many more are gone than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// The credentials that can't be withdrawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Lasting<'a>>,
}

impl Settled<'_> {
    /// How many credentials are gone, listed or not.
    #[must_use]
    pub fn count_gone(&self) -> u64 {
        self.more.saturating_add(self.gone.len() as u64)
    }
}

/// A credential that can't be withdrawn, and stands until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lasting<'a> {
    /// What it is called outside.
    pub name: Cow<'a, str>,
    /// Until when it stands.
    pub until: Timestamp,
}

/// For fields that are written where they are not 0.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
