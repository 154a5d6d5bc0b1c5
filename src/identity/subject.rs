//! Ids of principals.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::spiffe::{SpiffeId, SpiffeIdError};
use crate::visible::{TextFault, TextRule};

const ASSERTED_NAME: TextRule = TextRule {
    max: 255,
    refuses: |text| text.chars().position(|c| !is_asserted_char(c)),
    expected: "printable ASCII without space, quotes, backslash and percent",
};

/// The id of a principal: a [`SpiffeId`], or a name the host asserts.
///
/// Text that starts with `spiffe:` in any case must be a SPIFFE id. Any other is an asserted name: 1
/// to 255 bytes of printable ASCII without space, quotes (`"`, `'`, `` ` ``), backslash, and percent,
/// since `a%2Fb` and `a/b` must not be two principals. Ids are compared byte for byte: case counts,
/// and being ASCII they have one Unicode spelling. A host whose directory takes `Alice` and `alice`
/// for one person settles on one of them before it asserts either. Cloning is cheap.
///
/// ```
/// use hallpass::identity::Subject;
///
/// assert_eq!(Subject::new("alice@acme.test")?.as_str(), "alice@acme.test");
/// assert!(Subject::new("alice%40acme.test").is_err());
/// assert!(Subject::new("SPIFFE://acme.test/alice").is_err());
/// # Ok::<(), hallpass::identity::SubjectError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Reads the id of a principal.
    ///
    /// # Errors
    /// [`SubjectError`] if `id` is neither a SPIFFE id nor an asserted name.
    pub fn new(id: &str) -> Result<Self, SubjectError> {
        if claims_spiffe(id) {
            SpiffeId::parse(id).map_err(Problem::Spiffe)?;
        } else {
            ASSERTED_NAME.check(id).map_err(Problem::Name)?;
        }
        Ok(Subject(Arc::from(id)))
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SPIFFE id, if this is one.
    pub fn spiffe_id(&self) -> Option<SpiffeId> {
        SpiffeId::parse(&self.0).ok()
    }
}

/// Whether a text that is not a SPIFFE id would be taken for one.
pub(super) fn claims_spiffe(id: &str) -> bool {
    id.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
}

fn is_asserted_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '`' | '\\' | '%')
}

/// Why a text is not a [`Subject`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SubjectError(#[from] Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("subject {0}")]
    Spiffe(SpiffeIdError),
    #[error("subject {0}")]
    Name(TextFault),
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(id: &str) -> Result<Self, SubjectError> {
        Subject::new(id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.0)
    }
}

impl Borrow<str> for Subject {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spiffe_ids_and_asserted_names_are_subjects() {
        let spiffe = Subject::new("spiffe://acme.test/a").unwrap();
        assert_eq!(spiffe.spiffe_id().unwrap().trust_domain(), "acme.test");
        let name = Subject::new("alice+1@acme.test").unwrap();
        assert_eq!(name.spiffe_id(), None);
    }

    /// attack 149
    #[test]
    fn what_claims_to_be_spiffe_must_be_it_strictly() {
        for id in ["SPIFFE://acme.test/a", "Spiffe:a", "spiffe:", "spiffe://Acme.test", "spiffe:/a"]
        {
            assert!(Subject::new(id).unwrap_err().to_string().contains("SPIFFE"), "{id}");
        }
        assert!(Subject::new("spiffe").is_ok());
    }

    /// attack 149
    #[test]
    fn percent_encoding_makes_no_second_spelling() {
        assert!(Subject::new("team%2Fa").unwrap_err().to_string().contains("`%` as character 5"));
    }

    #[test]
    fn an_asserted_name_has_1_to_255_bytes_of_plain_ascii() {
        assert!(Subject::new("").is_err());
        assert!(Subject::new(&"a".repeat(255)).is_ok());
        assert!(Subject::new(&"a".repeat(256)).is_err());
        for refused in [' ', '"', '\'', '`', '\\', '%', '\n', '\u{7F}', 'é', '\u{200B}'] {
            assert!(Subject::new(&format!("a{refused}b")).is_err(), "{refused:?}");
        }
    }

    /// attack 104
    #[test]
    fn case_makes_another_subject() {
        assert_ne!(Subject::new("ALICE@x").unwrap(), Subject::new("alice@x").unwrap());
    }

    proptest! {
        #[test]
        fn a_subject_reads_back_as_given(id in "\\PC{0,20}") {
            if let Ok(subject) = Subject::new(&id) {
                prop_assert_eq!(subject.as_str(), id);
            }
        }
    }
}
