//! What the log says of a grant whose time became shorter.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::words::is_false;
use crate::clock::Timestamp;

/// What is in force limits a grant more tightly than what it was given by: it ends sooner than was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the vocabulary; the odd ones are said"
)]
#[non_exhaustive]
pub struct GrantShortened<'a> {
    pub task: Cow<'a, str>,
    pub generation: u64,
    pub grant: Cow<'a, str>,
    /// When it ends now, at the latest.
    pub expires: Timestamp,
    /// Under which policy that was found.
    pub epoch: u64,
    #[serde(default, skip_serializing_if = "is_false")]
    pub break_glass: bool,
}
