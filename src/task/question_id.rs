//! A question's id.

use std::fmt;

use crate::base64::{Spelled, decode};
use crate::random::{self, RandomError};

/// A question's id: 128 random bits. It names a question and lends no authority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QuestionId([u8; 16]);

impl QuestionId {
    pub(crate) fn random() -> Result<QuestionId, RandomError> {
        let mut bytes = [0; 16];
        random::fill(&mut bytes)?;
        Ok(QuestionId(bytes))
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> QuestionId {
        QuestionId(bytes)
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// The id as records write it.
    pub(crate) fn text(&self) -> Spelled<22> {
        Spelled::new(&self.0)
    }

    /// Reads what [`text`](Self::text) wrote.
    pub(crate) fn parse(text: &str) -> Option<QuestionId> {
        let mut bytes = [0; 16];
        decode(text, &mut bytes)?;
        Some(QuestionId(bytes))
    }
}

impl fmt::Debug for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}
