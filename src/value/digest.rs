//! Digests of values.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::base64::Spelled;

/// A SHA-256 digest: names content exactly without repeating it. Anyone can compute one, so it
/// proves nothing, and comparing it needs no care about timing.
///
/// ```
/// use hallpass::value::{Digest, Value};
///
/// let digest = Value::Null.digest();
/// assert_eq!(digest, Digest::of(&[0]));
/// assert_eq!(digest.to_string(), "bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest as records write it.
    pub(crate) fn text(&self) -> Spelled<43> {
        Spelled::new(&self.0)
    }

    /// The digest's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Takes bytes that were a digest before.
impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }
}

/// Base64url without padding, 43 characters.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
