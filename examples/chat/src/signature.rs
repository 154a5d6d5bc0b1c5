//! The signature of a callback: `v0=` and the hex text of an HMAC-SHA256, under the app's signing secret, of
//! `v0:TIMESTAMP:BODY`.

use ring::hmac;

/// How old, or how far ahead, a callback may be, in seconds: what is older was captured.
const WINDOW: u64 = 5 * 60;

/// The app's signing secret.
pub struct SigningSecret(hmac::Key);

/// Why a callback is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// It has no time, or one that is not a number.
    NoTime,
    /// It is older than five minutes, or of a time to come.
    Stale,
    /// Its signature is missing, or another.
    Forged,
}

impl SigningSecret {
    /// The secret that the chat shows to the app's owner.
    #[must_use]
    pub fn new(secret: &[u8]) -> SigningSecret {
        SigningSecret(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Whether the chat sent this body at about this time, in seconds since the epoch.
    ///
    /// # Errors
    /// [`Unsigned`] says why it is not believed.
    pub fn check(
        &self,
        timestamp: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> Result<(), Unsigned> {
        let timestamp = timestamp.ok_or(Unsigned::NoTime)?;
        let sent: u64 = timestamp.parse().map_err(|_| Unsigned::NoTime)?;
        if now.abs_diff(sent) > WINDOW {
            return Err(Unsigned::Stale);
        }
        let given = signature.and_then(|text| unhex(text.strip_prefix("v0=")?));
        let given = given.ok_or(Unsigned::Forged)?;
        // In time that does not depend on where they differ.
        hmac::verify(&self.0, &signed(timestamp, body), &given).map_err(|_| Unsigned::Forged)
    }

    /// The signature of a body, as the chat makes it: for a stand-in of the chat.
    #[must_use]
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let tag = hmac::sign(&self.0, &signed(timestamp, body));
        tag.as_ref().iter().fold("v0=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// Nothing of the secret.
impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningSecret").finish_non_exhaustive()
    }
}

fn signed(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [b"v0:", timestamp.as_bytes(), b":", body].concat()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    (is_hex && digits.len().is_multiple_of(2)).then(|| digits.chunks(2).map_while(byte).collect())
}
