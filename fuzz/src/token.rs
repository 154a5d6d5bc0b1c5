//! Tokens: none is made without the key, each has one spelling, and a block more never covers a call
//! more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::Call;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::scope::{Scope, any, prefix};
use hallpass::token::hazmat::{
    AudienceKeys, Claims, Unverified, append_block, mint, verifier_keys,
};
use hallpass::token::{Token, Verifier};
use ring::hmac;

const ISSUER: &str = "i";
const AUDIENCE: &str = "gate";

pub fn token(bytes: &[u8]) {
    let Some((&mode, rest)) = bytes.split_first() else { return };
    let world = World::new();
    match mode % 3 {
        0 => world.text(rest),
        1 => world.body(rest),
        _ => world.parts(rest),
    }
}

struct World {
    keys: AudienceKeys,
    verifier: Verifier,
    root_key: [u8; 32],
    now: Timestamp,
}

impl World {
    fn new() -> World {
        let secret: Vec<u8> = (0..32).collect();
        let ring = KeyRing::from_secret(SecretKey::from_bytes(&secret).expect("a secret"));
        let secret = ring.audience_secret(AUDIENCE).expect("an audience");
        World {
            keys: verifier_keys(&ring, AUDIENCE).expect("an audience"),
            root_key: *secret.expose(),
            verifier: Verifier::new(secret, ISSUER),
            now: at(1_767_225_600_000),
        }
    }

    /// Text as it comes from anywhere.
    fn text(&self, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.presented(text);
        }
    }

    /// Bytes of a body, with the tag that belongs to them.
    fn body(&self, body: &[u8]) {
        let mut tag = self.root_key;
        let mut left = body;
        while let Some((length, rest)) = left.split_first_chunk() {
            let Some(block) = rest.get(..usize::from(u16::from_be_bytes(*length))) else { break };
            let key = hmac::Key::new(hmac::HMAC_SHA256, &tag);
            tag = hmac::sign(&key, &left[..2 + block.len()]).as_ref().try_into().expect("32 bytes");
            left = &left[2 + block.len()..];
        }
        let (body, tag) = (URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(tag));
        self.presented(&format!("hp1.{body}.{tag}"));
    }

    /// A token of this key with any scope and any blocks, apart by a length byte each.
    fn parts(&self, bytes: &[u8]) {
        let mut left = bytes;
        let mut next = || {
            let (&length, rest) = left.split_first()?;
            let (part, rest) = rest.split_at_checked(usize::from(length)).unwrap_or((rest, &[]));
            left = rest;
            Some(part)
        };
        let claims = self.claims(next().filter(|scope| !scope.is_empty()));
        let Ok(mut token) = mint(&self.keys, &claims) else { return };
        while let Some(block) = next() {
            let Ok(longer) = append_block(&token, block) else { return };
            self.no_wider(&longer, &token);
            token = longer;
        }
        assert!(self.presented(token.expose()), "what was made verifies");
    }

    /// Whether the text is one of this key's tokens.
    fn presented(&self, text: &str) -> bool {
        let Ok(unverified) = Unverified::parse(text) else { return false };
        let Ok(verified) = unverified.verify_chain(&self.keys, self.now) else { return false };
        let blocks: Vec<&[u8]> = verified.blocks().collect();
        assert_eq!(unverified.verify(&self.keys, self.now).is_ok(), blocks.is_empty());

        let made = mint(&self.keys, verified.claims()).expect("its claims can be minted");
        let made = blocks.iter().fold(made, |token, block| {
            append_block(&token, block).expect("its blocks can be appended")
        });
        assert_eq!(made.expose(), text, "one spelling");
        self.none_near_it(text);

        if let Ok(narrowed) = made.attenuate(&Scope::tool("a").arg("a", prefix("a")), None) {
            self.no_wider(&narrowed, &made);
            let call = Call::new("b", serde_json::json!({})).expect("a call");
            assert!(self.verifier.verify(&narrowed, None, &call, self.now).is_err());
        }
        if let Ok(same) = made.attenuate(&Scope::tool("a").arg("a", any()), Some(self.now)) {
            for call in calls() {
                assert!(self.verifier.verify(&same, None, &call, self.now).is_err(), "expired");
            }
        }
        true
    }

    /// No text that differs in one character verifies.
    fn none_near_it(&self, text: &str) {
        // A few places, for the time it takes: the version, the key id, the body, the tag.
        for place in [2, 9, 60, text.len() / 2, text.len() - 50, text.len() - 1] {
            let mut other = text.as_bytes().to_vec();
            let Some(byte) = other.get_mut(place) else { continue };
            *byte = if *byte == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).expect("base64 is ASCII");
            let verified = Unverified::parse(&other)
                .is_ok_and(|other| other.verify_chain(&self.keys, self.now).is_ok());
            assert!(!verified, "{other}");
        }
    }

    /// Whatever the longer token covers, the shorter does.
    fn no_wider(&self, longer: &Token, shorter: &Token) {
        for call in calls() {
            let covers = |token| self.verifier.verify(token, None, &call, self.now).is_ok();
            assert!(!covers(longer) || covers(shorter), "{call:?}");
        }
    }

    fn claims<'a>(&self, scope: Option<&'a [u8]>) -> Claims<'a> {
        Claims {
            issuer: ISSUER,
            audience: AUDIENCE,
            task: "t",
            generation: 1,
            grant: GrantId::from_bytes([7; 16]),
            serial: 1,
            holder: "h",
            issued: self.now,
            expires: at(1_767_225_900_000),
            scope,
        }
    }
}

fn calls() -> impl Iterator<Item = Call> {
    [
        "{}",
        r#"{"a":"a"}"#,
        r#"{"a":1}"#,
        r#"{"a":["a","b"]}"#,
        r#"{"b":{"a":null}}"#,
        r#"{"a":"/a"}"#,
        r#"{"a":"/a/../b"}"#,
        r#"{"a":"10.0.0.1"}"#,
        r#"{"a":"2026-01-01T00:00:00Z"}"#,
        r#"{"a":"[1]"}"#,
        r#"{"a":"https://a.test/a"}"#,
    ]
    .into_iter()
    .map(|args| {
        let args: serde_json::Value = serde_json::from_str(args).expect("JSON");
        Call::new("a", args).expect("a call")
    })
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).expect("an instant")
}
