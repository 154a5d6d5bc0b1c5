//! What a log is called: 128 random bits.

use std::fmt;
use std::str::FromStr;

use super::hex::{self, HexError};
use crate::random::{self, RandomError};

/// A log's id: 16 random bytes, drawn when a broker finds its log empty, and written as 32 lowercase
/// hexadecimal digits in the log's first record. All tags depend on it, so that no record of one log can
/// stand in another, even under the same key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId([u8; 16]);

impl LogId {
    /// A fresh id.
    pub(crate) fn random() -> Result<LogId, RandomError> {
        let mut bytes = [0; 16];
        random::fill(&mut bytes)?;
        Ok(LogId(bytes))
    }

    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> LogId {
        LogId(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

impl FromStr for LogId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::read("the id of a log", text).map(LogId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_two_are_not_the_same() {
        let id = LogId::random().unwrap();
        assert_ne!(LogId::random().unwrap(), id);
        let text = id.to_string();
        assert_eq!((text.len(), text.parse()), (32, Ok(id)));
        for bad in ["", &text[1..], &format!("{text}0"), &format!("G{}", &text[1..])] {
            assert!(bad.parse::<LogId>().is_err(), "{bad}");
        }
        let error = "A".repeat(32).parse::<LogId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "not the id of a log, expected 32 lowercase hexadecimal digits"
        );
    }
}
