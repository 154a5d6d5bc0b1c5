//! What a minted credential is called.

use std::fmt;

/// The most bytes of a handle's detail.
const LONGEST_DETAIL: usize = 1024;

/// What every name of a minted credential begins with.
const PREFIX: &str = "hp_";

/// What a minted credential is called outside: its name, which the broker gives, and what its provider needs in addition
/// to find it again. Plain text that stands in the log: never secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle {
    name: Box<str>,
    detail: Box<str>,
}

impl Handle {
    /// The handle of a credential that was found by its name: see [`sweep`](super::CredentialProvider::sweep).
    pub fn new(name: &str, detail: &str) -> Handle {
        Handle { name: name.into(), detail: detail.into() }
    }

    /// The name that the broker gave it: `hp_<broker>_<id>`, at most 60 characters of `a-z 0-9 _`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the provider needs in addition; nothing where the name is all it needs.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether a record can hold it.
    pub(crate) fn is_plain(&self) -> bool {
        let is_plain = |c: char| matches!(c, ' '..='~');
        self.detail.len() <= LONGEST_DETAIL && self.detail.chars().all(is_plain)
    }
}

/// Shows name and detail.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}

/// Whether a broker can be called so where it mints: short enough for the names of roles, and without what would end its
/// part of a name.
pub(crate) fn is_broker_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=24).contains(&name.len()) && name.bytes().all(is_part)
}

/// What the credentials of a broker are called up to their id.
pub(crate) fn mark(broker: &str) -> String {
    format!("{PREFIX}{broker}_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_what_databases_take_for_a_role() {
        let longest = format!("{}{}", mark(&"a".repeat(24)), "f".repeat(32));
        assert_eq!(longest.len(), 60, "PostgreSQL takes 63 bytes");
    }

    #[test]
    fn a_broker_that_mints_has_a_short_plain_name() {
        assert!(is_broker_name("orders2") && is_broker_name(&"a".repeat(24)));
        for name in ["", "Orders", "a_b", "a-b", "é", "a b", &"a".repeat(25)] {
            assert!(!is_broker_name(name), "{name}");
        }
    }

    #[test]
    fn a_handle_that_could_not_stand_in_a_record_is_not_plain() {
        assert!(Handle::new("hp_a_1", "oid=16401").is_plain());
        for detail in ["a\nb", "é", "\u{202e}", &"a".repeat(LONGEST_DETAIL + 1)] {
            assert!(!Handle::new("hp_a_1", detail).is_plain(), "{detail}");
        }
    }
}
