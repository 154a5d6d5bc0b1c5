//! SPIFFE ids, read strictly.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::visible::{SHOWN, escape_for_people};

const SCHEME: &str = "spiffe://";
/// The length every SPIFFE implementation must support, and the most this one takes.
const ID_MAX: usize = 2048;
/// The length of a host name, which bounds a trust domain in the SPIFFE-ID standard.
const TRUST_DOMAIN_MAX: usize = 255;

/// A SPIFFE id: `spiffe://` + trust domain + path.
///
/// Each principal has one spelling, because ids are compared byte for byte. So what other readers
/// fold into one is refused here: upper case in scheme or trust domain, and a trust domain that ends
/// in a dot (to a resolver the same name as without). Percent-encoding, empty and dot segments, a
/// trailing slash, ports, user info, queries and fragments are not part of any SPIFFE id. The path
/// keeps its case, as the standard says. Cloning is cheap.
///
/// ```
/// use hallpass::identity::SpiffeId;
///
/// let id = SpiffeId::parse("spiffe://acme.test/agent/planner")?;
/// assert_eq!(id.trust_domain(), "acme.test");
/// assert_eq!(id.path(), "/agent/planner");
/// assert!(SpiffeId::parse("spiffe://ACME.test/agent/planner").is_err());
/// # Ok::<(), hallpass::identity::SpiffeIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId(Arc<str>);

impl SpiffeId {
    /// Reads a SPIFFE id of at most 2048 bytes.
    ///
    /// # Errors
    /// [`SpiffeIdError`] if `id` is not spelled the one way the standard and this type allow.
    pub fn parse(id: &str) -> Result<Self, SpiffeIdError> {
        match check(id) {
            Ok(()) => Ok(SpiffeId(Arc::from(id))),
            Err(fault) => Err(SpiffeIdError { given: escape_for_people(id, SHOWN), fault }),
        }
    }

    /// The id as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trust domain, without scheme and path.
    pub fn trust_domain(&self) -> &str {
        split(&self.0).map_or("", |(domain, _)| domain)
    }

    /// The path with its leading slash, or empty text if there is none.
    pub fn path(&self) -> &str {
        split(&self.0).map_or("", |(_, path)| path)
    }
}

fn check(id: &str) -> Result<(), SpiffeFault> {
    if id.len() > ID_MAX {
        return Err(SpiffeFault::TooLong);
    }
    let (domain, path) = split(id).ok_or(SpiffeFault::Scheme)?;
    check_trust_domain(domain)?;
    match path.strip_prefix('/') {
        None => Ok(()),
        Some(segments) => segments.split('/').try_for_each(check_segment),
    }
}

/// Trust domain and path; none if the scheme is another.
fn split(id: &str) -> Option<(&str, &str)> {
    let rest = id.strip_prefix(SCHEME)?;
    let end = rest.find('/').unwrap_or(rest.len());
    rest.split_at_checked(end)
}

fn check_trust_domain(domain: &str) -> Result<(), SpiffeFault> {
    if domain.is_empty() {
        return Err(SpiffeFault::NoTrustDomain);
    }
    if domain.len() > TRUST_DOMAIN_MAX {
        return Err(SpiffeFault::TrustDomainTooLong);
    }
    if !domain.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')) {
        return Err(SpiffeFault::TrustDomainCharacter);
    }
    if domain.ends_with('.') {
        return Err(SpiffeFault::TrailingDot);
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), SpiffeFault> {
    match segment {
        "" => Err(SpiffeFault::EmptySegment),
        "." | ".." => Err(SpiffeFault::DotSegment),
        _ if segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) =>
        {
            Ok(())
        }
        _ => Err(SpiffeFault::PathCharacter),
    }
}

/// Why a text is not a [`SpiffeId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a SPIFFE id: {fault}")]
pub struct SpiffeIdError {
    given: String,
    fault: SpiffeFault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum SpiffeFault {
    #[error("more than {ID_MAX} bytes")]
    TooLong,
    #[error("does not start with lower-case `{SCHEME}`")]
    Scheme,
    #[error("the trust domain is missing")]
    NoTrustDomain,
    #[error("the trust domain has more than {TRUST_DOMAIN_MAX} bytes")]
    TrustDomainTooLong,
    #[error("a trust domain has only lower-case letters, digits and `.-_`")]
    TrustDomainCharacter,
    #[error("the trust domain ends in a dot")]
    TrailingDot,
    #[error("the path has an empty segment or a trailing slash")]
    EmptySegment,
    #[error("the path has the segment `.` or `..`")]
    DotSegment,
    #[error("a path has only letters, digits and `.-_` between its slashes")]
    PathCharacter,
}

impl FromStr for SpiffeId {
    type Err = SpiffeIdError;

    fn from_str(id: &str) -> Result<Self, SpiffeIdError> {
        SpiffeId::parse(id)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn complaint(id: &str) -> String {
        SpiffeId::parse(id).unwrap_err().to_string()
    }

    #[test]
    fn an_id_knows_its_parts() {
        let id = SpiffeId::parse("spiffe://acme.test/Agent/x_1").unwrap();
        assert_eq!((id.trust_domain(), id.path()), ("acme.test", "/Agent/x_1"));
        let bare = SpiffeId::parse("spiffe://acme.test").unwrap();
        assert_eq!((bare.trust_domain(), bare.path()), ("acme.test", ""));
    }

    /// attack 149
    #[test]
    fn no_second_spelling_of_a_principal_is_read() {
        assert!(complaint("spiffe://Acme.test/a").contains("lower-case letters"));
        assert!(complaint("Spiffe://acme.test/a").contains("lower-case `spiffe://`"));
        assert!(complaint("spiffe://acme.test./a").contains("ends in a dot"));
        assert!(complaint("spiffe://acme.test./").contains("ends in a dot"));
        assert!(complaint("spiffe://acme%2Etest/a").contains("lower-case letters"));
        assert!(complaint("spiffe://acme.test/%61").contains("a path has only"));
        assert!(complaint("spiffe://acme.test/b/../a").contains("`..`"));
        assert!(complaint("spiffe://acme.test/./a").contains("`.`"));
        assert!(complaint("spiffe://acme.test//a").contains("empty segment"));
        assert!(complaint("spiffe://acme.test/a/").contains("trailing slash"));
        assert!(complaint("spiffe://acme.test:443/a").contains("trust domain"));
        assert!(complaint("spiffe://u@acme.test/a").contains("trust domain"));
        assert!(complaint(" spiffe://acme.test/a").contains("does not start"));
    }

    #[test]
    fn the_path_keeps_its_case() {
        let read = |id| SpiffeId::parse(id).unwrap();
        assert_ne!(read("spiffe://acme.test/a"), read("spiffe://acme.test/A"));
    }

    #[test]
    fn lengths_are_bounded() {
        let id = |length: usize| format!("spiffe://t/{}", "p".repeat(length - 11));
        assert!(SpiffeId::parse(&id(2048)).is_ok());
        assert!(complaint(&id(2049)).contains("more than 2048"));
        assert!(SpiffeId::parse(&format!("spiffe://{}", "t".repeat(255))).is_ok());
        assert!(complaint(&format!("spiffe://{}", "t".repeat(256))).contains("more than 255"));
        assert!(complaint("spiffe://").contains("missing"));
    }

    proptest! {
        #[test]
        fn an_id_that_is_read_is_put_together_from_its_parts(
            id in "spiffe://[a-zA.%_-]{0,4}(/[a-zA-Z.%_-]{0,3}){0,3}",
        ) {
            if let Ok(read) = SpiffeId::parse(&id) {
                prop_assert_eq!(format!("spiffe://{}{}", read.trust_domain(), read.path()), id);
            }
        }
    }
}
