//! The vectors of `docs/token-format.md`, generated and read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::token::{Claims, KeyRing, SecretKey, Token, Unverified, append_block, mint};
use ring::{hkdf, hmac};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../docs/token-format.md");
const AUDIENCE: &str = "tool-gateway";

fn secret() -> Vec<u8> {
    (0..32).collect()
}

fn ring() -> KeyRing {
    KeyRing::from_secret(SecretKey::from_bytes(&secret()).unwrap())
}

fn claims(scope: Option<&[u8]>) -> Claims<'_> {
    Claims {
        issuer: "zsp-bench",
        audience: AUDIENCE,
        task: "task-42",
        generation: 1,
        grant: GrantId::from_bytes(0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes()),
        serial: 1,
        holder: "agent-7",
        issued: Timestamp::from_unix_millis(1_767_225_600_000).unwrap(),
        expires: Timestamp::from_unix_millis(1_767_225_900_000).unwrap(),
        scope,
    }
}

#[test]
fn the_page_shows_what_the_crate_makes() {
    let keys = ring().for_audience(AUDIENCE).unwrap();
    let plain = mint(&keys, &claims(None)).unwrap();
    let scoped = mint(&keys, &claims(Some(b"opaque"))).unwrap();
    let narrowed = append_block(&append_block(&plain, b"one").unwrap(), b"two").unwrap();
    let made = json!({
        "secret": hex(&secret()),
        "key_id": ring().active().to_string(),
        "audience": AUDIENCE,
        "root_key": hex(&root_key()),
        "tokens": [
            vector(&plain, None, &[]),
            vector(&scoped, Some(b"opaque"), &[]),
            vector(&narrowed, None, &[b"one", b"two"]),
        ],
    });
    let shown: Value = serde_json::from_str(shown()).unwrap();
    assert!(shown == made, "put this into docs/token-format.md:\n{made:#}");
}

/// The page alone is enough: nothing here but its words, HMAC, HKDF and base64.
#[test]
fn the_vectors_verify_by_the_words_of_the_page() {
    let vectors: Value = serde_json::from_str(shown()).unwrap();
    let tokens = vectors["tokens"].as_array().unwrap();
    for vector in tokens {
        let text = vector["text"].as_str().unwrap();
        let (body, tag) = text.strip_prefix("hp1.").unwrap().split_once('.').unwrap();
        let body = URL_SAFE_NO_PAD.decode(body).unwrap();
        assert_eq!(hex(&body), vector["body"]);
        assert_eq!(hex(&body[3..7]), vectors["key_id"]);
        let mut key = root_key();
        let mut left = &*body;
        while !left.is_empty() {
            let length = 2 + usize::from(u16::from_be_bytes([left[0], left[1]]));
            let (frame, rest) = left.split_at(length);
            key = hmac(&key, frame);
            left = rest;
        }
        assert_eq!(URL_SAFE_NO_PAD.encode(key), tag);
    }
    assert_eq!(tokens.len(), 3);
    assert!(
        hex(&derive(b"hallpass/v1/key-id", b"")).starts_with(vectors["key_id"].as_str().unwrap())
    );
}

#[test]
fn the_crate_reads_the_vectors() {
    let vectors: Value = serde_json::from_str(shown()).unwrap();
    let keys = ring().for_audience(AUDIENCE).unwrap();
    for vector in vectors["tokens"].as_array().unwrap() {
        let text = vector["text"].as_str().unwrap();
        let unverified = Unverified::parse(text).unwrap();
        let verified = unverified.verify_chain(&keys, claims(None).issued).unwrap();
        let scope = vector["claims"]["scope"].as_str().map(unhex);
        assert_eq!(verified.claims(), &claims(scope.as_deref()));
        let blocks: Vec<String> = verified.blocks().map(hex).collect();
        assert_eq!(json!(blocks), vector["blocks"]);
        assert_eq!(Token::from_text(text.to_owned()).id().to_string(), vector["id"]);
    }
}

fn vector(token: &Token, scope: Option<&[u8]>, blocks: &[&[u8]]) -> Value {
    let body = token.expose().split('.').nth(1).unwrap();
    let claims = claims(scope);
    json!({
        "claims": {
            "issuer": claims.issuer,
            "audience": claims.audience,
            "task": claims.task,
            "generation": claims.generation,
            "grant": hex(claims.grant.as_bytes()),
            "serial": claims.serial,
            "holder": claims.holder,
            "issued": claims.issued.unix_millis(),
            "expires": claims.expires.unix_millis(),
            "scope": scope.map(hex),
        },
        "blocks": blocks.iter().map(|block| hex(block)).collect::<Vec<_>>(),
        "body": hex(&URL_SAFE_NO_PAD.decode(body).unwrap()),
        "text": token.expose(),
        "id": token.id().to_string(),
    })
}

/// The one fenced block of JSON on the page.
fn shown() -> &'static str {
    let (_, after) = PAGE.split_once("```json\n").unwrap();
    after.split_once("\n```").unwrap().0
}

fn root_key() -> [u8; 32] {
    derive(b"hallpass/v1/token", AUDIENCE.as_bytes())
}

fn derive(label: &[u8], context: &[u8]) -> [u8; 32] {
    let length = |part: &[u8]| u16::try_from(part.len()).unwrap().to_be_bytes();
    let info: &[&[u8]] = &[&length(label), label, &length(context), context];
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret());
    let mut key = [0; 32];
    prk.expand(info, hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
    key
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
