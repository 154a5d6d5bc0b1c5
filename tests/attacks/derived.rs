//! Keys derived by the words of `docs/token-format.md`, from the secret of every world's ring.

use ring::{hkdf, hmac};

/// What else a ring's secret is, or could be taken, to make keys for.
pub(crate) const OTHER_USES: [(&str, &str); 8] = [
    ("hallpass/v1/token", ""),
    ("hallpass/v1/token", "another-gate"),
    ("hallpass/v1/verifier-token", "hallpass"),
    ("hallpass/v1/key-id", ""),
    ("hallpass/v1/log-chain", ""),
    ("hallpass/v1/log-digest", ""),
    ("hallpass/v1/log-seal", ""),
    ("hallpass/v1/question", ""),
];

/// The tag of a message under the key of this label and context.
pub(crate) fn signed_for(label: &str, context: &str, message: &[u8]) -> [u8; 32] {
    let secret: Vec<u8> = (0..32).collect();
    let length = |part: &str| u16::try_from(part.len()).unwrap().to_be_bytes();
    let info: &[&[u8]] = &[&length(label), label.as_bytes(), &length(context), context.as_bytes()];
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
    let key = hmac::Key::from(prk.expand(info, hmac::HMAC_SHA256).unwrap());
    hmac::sign(&key, message).as_ref().try_into().unwrap()
}
