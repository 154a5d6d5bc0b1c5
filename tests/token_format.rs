//! The vectors of `docs/token-format.md`, generated and read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::Call;
use hallpass::args::Args;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::scope::{
    Constraint, Scope, absent, all_of, any, any_of, below, contains, count, each, eq, fields, glob,
    has_all, has_any, len, max, min, not, one_of, prefix, some, subset_of, suffix,
};
use hallpass::token::{
    Claims, KeyRing, SecretKey, Token, TokenError, Unverified, Verifier, VerifierError, mint,
};
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

/// A scope of each kind there is.
fn scopes() -> Vec<Scope> {
    let one = |constraint: Constraint| Scope::tool("t").arg("a", constraint);
    vec![
        Scope::tool("db.query")
            .arg("table", one_of(["orders", "customers"]))
            .arg("limit", max(1000)),
        Scope::tool("b").any_args().any_resource().and_tool("a"),
        Scope::tool("doc.read")
            .resource(eq("doc"), prefix("7/"))
            .resource_attr("team", eq("red"))
            .other_args()
            .arg("page", any()),
        one(absent()),
        one(eq(hallpass::value::Value::Null)),
        one(one_of([true, false])),
        Scope::from_json(r#"[{"tool": "t", "args": {"a": {"above": -1.50, "max": 3}}}]"#).unwrap(),
        one(all_of([contains("b"), contains("a")])),
        one(below(0)),
        one(suffix(".pdf")),
        one(contains("é")),
        one(glob("/data/**/*.csv")),
        one(len(1..=200)),
        one(count(1..)),
        one(fields([("b", eq(1)), ("a", any())]).other_fields()),
        one(each(some(eq("x")))),
        one(subset_of(["a", "b"])),
        one(has_any(["a", "b"])),
        one(has_all([1, 2])),
        one(any_of([eq("x"), not(min(10))])),
    ]
}

/// The scope as the second token carries it.
fn carried() -> Scope {
    Scope::tool("db.query").arg("table", one_of(["orders", "customers"])).arg("limit", max(1000))
}

/// The blocks of the third.
fn narrowed(token: &Token) -> Token {
    let first = Scope::tool("db.query").arg("table", eq("orders")).arg("limit", max(900));
    let second = Scope::tool("db.query").other_args().arg("limit", max(800));
    let once = token.attenuate(&first, None).unwrap();
    once.attenuate(&second, Timestamp::from_unix_millis(1_767_225_700_000)).unwrap()
}

/// The bytes of a scope: what a block has behind its two first bytes.
fn bytes_of(scope: &Scope) -> Vec<u8> {
    let keys = ring().for_audience(AUDIENCE).unwrap();
    let token = mint(&keys, &claims(None)).unwrap().attenuate(scope, None).unwrap();
    blocks_of(&token)[0][2..].to_vec()
}

fn blocks_of(token: &Token) -> Vec<Vec<u8>> {
    let keys = ring().for_audience(AUDIENCE).unwrap();
    let unverified = Unverified::parse(token.expose()).unwrap();
    let verified = unverified.verify_chain(&keys, claims(None).issued).unwrap();
    verified.blocks().map(<[u8]>::to_vec).collect()
}

const ARGS: &str = r#"{"table":"orders","limit":500}"#;
const CALLED: i64 = 1_767_225_610_000;

#[test]
fn the_page_shows_what_the_crate_makes() {
    let keys = ring().for_audience(AUDIENCE).unwrap();
    let plain = mint(&keys, &claims(None)).unwrap();
    let scope = bytes_of(&carried());
    let scoped = mint(&keys, &claims(Some(&scope))).unwrap();
    let narrowed = narrowed(&scoped);
    let scopes = scopes().into_iter().map(|scope| {
        let shown: Value = serde_json::from_str(&scope.to_value().to_json()).unwrap();
        json!({ "scope": shown, "bytes": hex(&bytes_of(&scope)) })
    });
    let made = json!({
        "secret": hex(&secret()),
        "key_id": ring().active().to_string(),
        "audience": AUDIENCE,
        "root_key": hex(&root_key()),
        "scopes": scopes.collect::<Vec<_>>(),
        "tokens": [
            vector(&plain, None),
            vector(&scoped, Some(&scope)),
            vector(&narrowed, Some(&scope)),
        ],
        "call_bound": {
            "tool": "db.query",
            "args": serde_json::from_str::<Value>(ARGS).unwrap(),
            "digest": hex(Args::from_json(ARGS).unwrap().object().digest().as_bytes()),
            "time": CALLED,
            "nonce": hex(&[0xab; 16]),
            "text": call_bound(&narrowed),
        },
    });
    let shown: Value = serde_json::from_str(shown()).unwrap();
    assert!(shown == made, "put this into docs/token-format.md:\n{made:#}");
}

/// By the words of the page: the crate draws a nonce of its own.
fn call_bound(token: &Token) -> String {
    let (body, tag) = token.expose().strip_prefix("hp1.").unwrap().split_once('.').unwrap();
    let sized = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    let digest = Args::from_json(ARGS).unwrap().object().digest();
    let (time, nonce) = (CALLED.to_be_bytes(), [0xab; 16]);
    let message =
        [&[0, 0, 1][..], &sized(AUDIENCE), &sized("db.query"), digest.as_bytes(), &time, &nonce]
            .concat();
    let mac = hmac(&URL_SAFE_NO_PAD.decode(tag).unwrap(), &message);
    let proof = URL_SAFE_NO_PAD.encode([&time[..], &nonce, &mac].concat());
    format!("hp1c.{body}.{proof}")
}

/// What the page shows is what a verifier takes.
#[test]
fn a_verifier_takes_the_vectors() {
    let vectors: Value = serde_json::from_str(shown()).unwrap();
    let verifier = Verifier::new(ring().audience_secret(AUDIENCE).unwrap());
    let call = Call::from_json("db.query", ARGS).unwrap();
    let at = Timestamp::from_unix_millis(CALLED).unwrap();
    for text in [
        &vectors["tokens"][1]["text"],
        &vectors["tokens"][2]["text"],
        &vectors["call_bound"]["text"],
    ] {
        let token = Token::from_text(text.as_str().unwrap().to_owned());
        verifier.verify(&token, Some("agent-7"), &call, at).map(drop).unwrap();
    }
}

/// The page is specified well enough for another language: `format.py` reads nothing but the page
/// and the standard library, and what it makes is taken.
#[test]
fn a_script_in_another_language_verifies_the_vectors_and_narrows_a_token() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/format.py");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/token-format.md");
    let lines = std::fs::read_to_string(script).unwrap().lines().count();
    assert!(lines <= 120, "{lines} lines");
    let Ok(output) = std::process::Command::new("python3").args([script, page]).output() else {
        println!("skipped: there is no python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verifier = Verifier::new(ring().audience_secret(AUDIENCE).unwrap());
    let verify = |key: &str, limit: i64| {
        let token = Token::from_text(made[key].as_str().unwrap().to_owned());
        let args = json!({ "table": "orders", "limit": limit });
        let call = Call::new("db.query", args).unwrap();
        let at = Timestamp::from_unix_millis(CALLED).unwrap();
        verifier.verify(&token, Some("agent-7"), &call, at).map(drop)
    };
    assert_eq!(verify("narrowed", 100), Ok(()));
    assert_eq!(verify("narrowed", 101), Err(VerifierError::OutOfScope));
    // One more block that says more, the last block taken off, and the narrowing block changed.
    assert_eq!(verify("rewidened", 100), Ok(()));
    assert_eq!(verify("rewidened", 101), Err(VerifierError::OutOfScope));
    for widened in ["cut", "changed"] {
        let refused = Err(VerifierError::Token(TokenError::BadSignature));
        assert_eq!(verify(widened, 100), refused, "{widened}");
    }
    // Presented by the script for one call.
    assert_eq!(verify("presented", 77), Ok(()));
    assert_eq!(verify("presented", 76), Err(VerifierError::Token(TokenError::BadSignature)));
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

fn vector(token: &Token, scope: Option<&[u8]>) -> Value {
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
        "blocks": blocks_of(token).iter().map(|block| hex(block)).collect::<Vec<_>>(),
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
