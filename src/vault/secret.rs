//! A secret in the clear.

use std::fmt;

use zeroize::Zeroizing;

use super::error::{FEWEST, FEWEST_BITS, MOST, SecretError};

/// Secret bytes in the clear: never printed, never cloned, wiped when dropped.
///
/// A host makes one to [seal](super::Vault::seal) it, and a tool gets one by reference while it runs.
///
/// ```
/// use hallpass::vault::Secret;
///
/// let secret = Secret::new("postgres://orders:fD3kW9sLq2@db/orders")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// # Ok::<(), hallpass::vault::SecretError>(())
/// ```
/// ```compile_fail,E0599
/// # use hallpass::vault::Secret;
/// fn copy(secret: &Secret) -> Secret {
///     secret.clone()
/// }
/// ```
/// ```compile_fail,E0277
/// # use hallpass::vault::Secret;
/// fn print(secret: &Secret) -> String {
///     format!("{secret}")
/// }
/// ```
/// ```compile_fail,E0277
/// # use hallpass::vault::Secret;
/// fn write(secret: &Secret) -> serde_json::Result<String> {
///     serde_json::to_string(secret)
/// }
/// ```
/// ```
/// # use hallpass::vault::Secret;
/// fn look(secret: &Secret) -> &[u8] {
///     secret.expose()
/// }
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over, and wipes them when dropped. Copies that the caller has are the caller's; a `Vec` that
    /// grew has left some behind.
    ///
    /// # Errors
    /// [`SecretError`] below 16 bytes and above 16 KiB, if all bytes are the same, and if they say a number.
    ///
    /// ```
    /// # use hallpass::vault::{Secret, SecretError};
    /// assert_eq!(Secret::new("8301947265518230467").unwrap_err(), SecretError::Number);
    /// ```
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Secret, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < FEWEST {
            return Err(SecretError::TooShort { given: bytes.len() });
        }
        Secret::checked(bytes)
    }

    /// A secret of 8 to 15 bytes, of which the host declares how many bits of entropy it has: at least 64, so that
    /// no result holds it by chance. What people think up has fewer, whatever its length.
    ///
    /// ```
    /// use hallpass::vault::{Secret, SecretError};
    ///
    /// assert_eq!(Secret::new("x8Fq29Lz").unwrap_err(), SecretError::TooShort { given: 8 });
    /// assert!(Secret::with_entropy(*b"\xf1\x9a\x03\xd4\xe5\x86\x17\x28\x39\xca", 80).is_ok());
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new); and [`SecretError::Entropy`].
    pub fn with_entropy(bytes: impl Into<Vec<u8>>, bits: u32) -> Result<Secret, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        let given = bytes.len();
        let possible = u32::try_from(given.saturating_mul(8)).unwrap_or(u32::MAX);
        // These are no fewer than 8 bytes, then.
        if bits < FEWEST_BITS || bits > possible {
            return Err(SecretError::Entropy { bits, given });
        }
        Secret::checked(bytes)
    }

    fn checked(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
        if bytes.len() > MOST {
            return Err(SecretError::TooLong { given: bytes.len() });
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(SecretError::Uniform);
        }
        // Longer ones are infinite, and are in no numeric type.
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<f64>().ok());
        if number.is_some_and(f64::is_finite) {
            return Err(SecretError::Number);
        }
        Ok(Secret(bytes))
    }

    /// What was sealed, and so was found well formed before.
    pub(super) fn unsealed(bytes: Zeroizing<Vec<u8>>) -> Secret {
        Secret(bytes)
    }

    /// The secret itself. The one way to it, so that a search for the name finds every place that has it. What the
    /// tool copies, prints or sends is no longer the crate's.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, if it is UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Shows nothing of the secret, not even its length.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
