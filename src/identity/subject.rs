//! Ids of principals.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::spiffe::{SpiffeId, SpiffeIdError};
use crate::text::{TextFault, TextRule};

const ASSERTED_NAME: TextRule = TextRule {
    max: 255,
    allows: is_asserted_char,
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

fn claims_spiffe(id: &str) -> bool {
    id.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
}

fn is_asserted_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '`' | '\\' | '%')
}

/// Why a text is no [`Subject`].
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
