//! Digests in records: keyed, so that short values cannot be guessed from them.

use crate::key::{LogKey, MacKey};
use crate::value::{Digest, Object};

/// What a digest is of: no digest of one thing is one of another.
const ARGUMENTS: u8 = 0;

/// The key of the digests in a log.
pub(crate) struct DigestKey(MacKey);

impl DigestKey {
    pub(crate) fn of(key: &LogKey) -> Self {
        DigestKey(key.digests.share())
    }

    /// The digest of a call's arguments. Caller and tool are in it: otherwise whoever may call anything
    /// and reads the log could try values on a call of its own, and compare (P10).
    pub(crate) fn arguments(&self, who: &str, tool: &str, args: &Object) -> Digest {
        let mut message = Vec::with_capacity(256);
        message.push(ARGUMENTS);
        for name in [who, tool] {
            let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(name.as_bytes());
        }
        args.encode(&mut message);
        self.0.sign(&message).into()
    }
}

#[cfg(test)]
mod tests {
    use ring::hmac;
    use serde_json::json;

    use super::*;
    use crate::call::Call;
    use crate::key::LogKeys;

    fn digest(who: &str, tool: &str, args: serde_json::Value) -> Digest {
        let key = DigestKey(MacKey::from_tag(&[7; 32]));
        key.arguments(who, tool, Call::new("t", args).unwrap().args().object())
    }

    #[test]
    fn a_digest_is_the_hmac_that_the_page_says() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let mut message = b"\0\0\0\0\0\0\0\0\x02me\0\0\0\0\0\0\0\x04t.do".to_vec();
        Call::new("t", json!({ "a": 1 })).unwrap().args().object().encode(&mut message);
        let expected = hmac::sign(&key, &message);
        assert_eq!(digest("me", "t.do", json!({ "a": 1 })).as_bytes(), expected.as_ref());
    }

    /// What one caller may try tells nothing about what another did.
    #[test]
    fn the_same_arguments_of_another_caller_or_tool_have_another_digest() {
        let one = || json!({ "amount": 98 });
        let all = [
            digest("me", "pay", one()),
            digest("other", "pay", one()),
            digest("me", "read", one()),
            digest("mep", "ay", one()),
            digest("me", "pay", json!({ "amount": 99 })),
        ];
        for (at, digest) in all.iter().enumerate() {
            assert!(!all[..at].contains(digest), "{at}");
        }
        assert_eq!(digest("me", "pay", one()), all[0]);
        let keys = LogKeys::generate().unwrap();
        assert_ne!(
            DigestKey::of(keys.active_key()).arguments("", "", &Object::default()),
            DigestKey(MacKey::from_tag(&[7; 32])).arguments("", "", &Object::default())
        );
    }
}
