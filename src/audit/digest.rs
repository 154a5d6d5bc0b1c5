//! Digests in records: keyed, so that short values cannot be guessed from them.

use std::cell::RefCell;

use crate::base64::Spelled;
use crate::key::{LogKey, MacKey};
use crate::sync;
use crate::sync::process_wide::{AtomicU64, Ordering};
use crate::value::{Digest, Object, Value};

/// What a digest is of: no digest of one thing is one of another.
const ARGUMENTS: u8 = 0;
const CONTEXT: u8 = 1;
const SCOPE: u8 = 2;

/// A context of more bytes is digested each time, so that a thread keeps little of one.
const LONGEST_KEPT: usize = 1024;

sync::thread_local! {
    /// What this thread digested last: most questions are asked in the context of the one before.
    static LAST: RefCell<Last> = const { RefCell::new(Last { key: 0, context: Vec::new(), digest: None }) };
}

/// A digest as records write it.
pub(crate) type DigestText = Spelled<43>;

/// The digest of a context, and the bytes that it is of.
struct Last {
    key: u64,
    context: Vec<u8>,
    digest: Option<DigestText>,
}

/// The key of the digests in a log.
pub(crate) struct DigestKey {
    /// A number that no other key of this process has.
    id: u64,
    key: Box<MacKey>,
    /// Most of those who state no context state none at all.
    no_context: DigestText,
}

impl DigestKey {
    pub(crate) fn of(key: &LogKey) -> Self {
        DigestKey::new(key.digests.share())
    }

    fn new(key: Box<MacKey>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let no_context = Digest::from(key.sign(&message_of(&Object::new()))).text();
        DigestKey { id: NEXT.fetch_add(1, Ordering::Relaxed), key, no_context }
    }

    /// The digest of a context. It is the host's word, and what two questions of different callers have in
    /// common is worth knowing: caller and tool are not in it.
    pub(crate) fn context(&self, context: &Object) -> DigestText {
        match context.is_empty() {
            true => self.no_context,
            false => self.context_in(&mut Vec::with_capacity(128), context),
        }
    }

    fn context_in(&self, message: &mut Vec<u8>, context: &Object) -> DigestText {
        message.clear();
        message.push(CONTEXT);
        context.encode(message);
        if message.len() > LONGEST_KEPT {
            return self.text_of(message);
        }
        let digest = LAST.try_with(|last| {
            let last = &mut *last.borrow_mut();
            if let Some(digest) = last.digest
                && last.key == self.id
                && last.context == *message
            {
                return digest;
            }
            let digest = self.text_of(message);
            last.key = self.id;
            last.context.clone_from(message);
            *last.digest.insert(digest)
        });
        // A thread that is ending has nowhere to keep it.
        digest.unwrap_or_else(|_| self.text_of(message))
    }

    fn text_of(&self, message: &[u8]) -> DigestText {
        Digest::from(self.key.sign(message)).text()
    }

    /// The digests of a call's arguments and of its context, with one allocation.
    pub(crate) fn of_call(
        &self,
        who: &str,
        tool: &str,
        args: &Object,
        context: &Object,
    ) -> (DigestText, DigestText) {
        let mut message = Vec::with_capacity(256);
        let arguments = self.arguments_in(&mut message, who, tool, args).text();
        let context = match context.is_empty() {
            true => self.no_context,
            false => self.context_in(&mut message, context),
        };
        (arguments, context)
    }

    /// The digest of a call's arguments. Caller and tool are in it: otherwise an agent that may call anything
    /// and reads the log could try values on a call of its own, and compare (P10).
    pub(crate) fn arguments(&self, who: &str, tool: &str, args: &Object) -> Digest {
        self.arguments_in(&mut Vec::with_capacity(256), who, tool, args)
    }

    /// The digest of a scope, with the holder in it: as with arguments, what one may try tells nothing about what
    /// another was given.
    pub(crate) fn scope(&self, holder: &str, scope: &Value) -> Digest {
        let mut message = vec![SCOPE];
        push_name(&mut message, holder);
        scope.encode(&mut message);
        self.key.sign(&message).into()
    }

    fn arguments_in(&self, message: &mut Vec<u8>, who: &str, tool: &str, args: &Object) -> Digest {
        message.clear();
        message.push(ARGUMENTS);
        push_name(message, who);
        push_name(message, tool);
        args.encode(message);
        self.key.sign(message).into()
    }
}

/// A name behind its length, so that no two lists of names have the same bytes.
#[inline]
pub(super) fn push_name(message: &mut Vec<u8>, name: &str) {
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(name.as_bytes());
}

fn message_of(context: &Object) -> Vec<u8> {
    let mut message = vec![CONTEXT];
    context.encode(&mut message);
    message
}

#[cfg(test)]
mod tests {
    use ring::hmac;
    use serde_json::json;

    use super::*;
    use crate::call::Call;
    use crate::key::LogKeys;

    fn spelled(bytes: &[u8]) -> DigestText {
        Spelled::new(bytes)
    }

    fn digest(who: &str, tool: &str, args: serde_json::Value) -> Digest {
        let key = DigestKey::new(Box::new(MacKey::from_tag(&[7; 32])));
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
            DigestKey::new(Box::new(MacKey::from_tag(&[7; 32]))).arguments(
                "",
                "",
                &Object::default()
            )
        );
    }

    #[test]
    fn the_digest_of_a_scope_is_of_its_holder_and_of_all_it_says() {
        let key = DigestKey::new(Box::new(MacKey::from_tag(&[7; 32])));
        let scope = |amount: i64| crate::Scope::tool("pay").arg("amount", crate::scope::eq(amount));
        let digest = |who: &str, amount| key.scope(who, &scope(amount).to_value());
        assert_eq!(digest("me", 98), digest("me", 98));
        let all = [digest("me", 98), digest("me", 99), digest("other", 98)];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        let mut message = b"\x02\0\0\0\0\0\0\0\x02me".to_vec();
        scope(98).to_value().encode(&mut message);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        assert_eq!(all[0].as_bytes(), hmac::sign(&key, &message).as_ref());
    }

    /// Each answer is as if nothing were kept: of whatever key, context and thread came before.
    #[test]
    fn what_is_kept_of_the_last_context_is_no_other_ones_digest() {
        let keys = [7, 8, 7].map(|byte| DigestKey::new(Box::new(MacKey::from_tag(&[byte; 32]))));
        let long = "x".repeat(LONGEST_KEPT);
        let texts = ["a", "b", "a", "a", "", &long, &long];
        for text in texts.iter().chain(texts.iter().rev()) {
            for (key, byte) in keys.iter().zip([7, 8, 7]).chain(keys.iter().zip([7, 8, 7])) {
                let context = Object::from_pairs([("env", *text)]).unwrap();
                let key_of_ring = hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
                let expected = hmac::sign(&key_of_ring, &message_of(&context));
                assert_eq!(key.context(&context), spelled(expected.as_ref()), "{text} {byte}");
            }
        }
        assert!(LAST.with_borrow(|last| last.context.len()) <= LONGEST_KEPT);
    }

    #[test]
    fn equal_contexts_have_one_digest_and_others_and_arguments_another() {
        let key = DigestKey::new(Box::new(MacKey::from_tag(&[7; 32])));
        let of = |pairs: &[(&'static str, i64)]| {
            key.context(&Object::from_pairs(pairs.iter().copied()).unwrap())
        };
        assert_eq!(of(&[("a", 1), ("b", 2)]), of(&[("b", 2), ("a", 1)]));
        let all = [of(&[]), of(&[("a", 1)]), of(&[("a", 2)]), of(&[("b", 1)])];
        for (at, digest) in all.iter().enumerate() {
            assert!(!all[..at].contains(digest), "{at}");
        }
        assert_eq!(all[0], spelled(&MacKey::from_tag(&[7; 32]).sign(&message_of(&Object::new()))));
        let args = Object::from_pairs([("x", 1)]).unwrap();
        let context = Object::from_pairs([("a", 1)]).unwrap();
        let both = key.of_call("me", "t", &args, &context);
        assert_eq!(both, (key.arguments("me", "t", &args).text(), all[1]));
        assert_eq!(key.of_call("me", "t", &args, &Object::new()).1, all[0]);
        let mut message = vec![1];
        Object::from_pairs([("a", 1)]).unwrap().encode(&mut message);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        assert_eq!(all[1], spelled(hmac::sign(&key, &message).as_ref()));
    }
}
