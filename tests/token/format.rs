//! The vectors of `docs/token-format.md`, generated and read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::Call;
use hallpass::args::Args;
use hallpass::clock::Timestamp;
use hallpass::policy::{ArgType, Policy, Rule, Tool};
use hallpass::scope::Scope;
use hallpass::token::hazmat::{Unverified, append_block, mint};
use hallpass::token::{BlockError, Token, TokenError, VerifierError};
use hallpass::{Broker, Context, Purpose};
use ring::{hkdf, hmac};
use serde_json::{Value, json};

use crate::vectors::{
    ARGS, CALLED, GATE, REFUSED, REFUSED_URLS, URLS, VERIFIER, bytes_of, carried, claims, gates,
    hex, key_ring, narrowed, scopes, secret, shown, unhex, vector, verifier, verifiers,
};

#[test]
fn the_page_shows_what_the_crate_makes() {
    let plain = mint(&gates(), &claims(None)).unwrap();
    let scope = bytes_of(&carried());
    let scoped = mint(&verifiers(), &claims(Some(&scope))).unwrap();
    let narrowed = narrowed(&scoped);
    let scopes = scopes();
    let mut made = json!({
        "secret": hex(&secret()),
        "key_id": key_ring().active().to_string(),
        "gate": { "audience": GATE, "root_key": hex(&root_key(GATE)) },
        "verifier": { "audience": VERIFIER, "root_key": hex(&root_key(VERIFIER)) },
        "scopes": scopes.iter().map(scope_vector).collect::<Vec<_>>(),
        "refused": REFUSED.map(refused).to_vec(),
        "typed": [typed()],
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
    let of_urls =
        [("urls", json!(URLS.map(url_vector))), ("refused_urls", json!(REFUSED_URLS.map(refused)))];
    for (key, of_urls) in of_urls {
        // A build that reads no URLs can't make these; that it refuses them is a test below.
        made[key] = if cfg!(feature = "url") { of_urls } else { shown[key].clone() };
    }
    assert!(shown == made, "put this into docs/token-format.md:\n{made:#}");
}

fn scope_vector(scope: &Scope) -> Value {
    let shown: Value = serde_json::from_str(&scope.to_value().to_json()).unwrap();
    json!({ "scope": shown, "bytes": hex(&bytes_of(scope)) })
}

fn url_vector(scope: &str) -> Value {
    Scope::from_json(scope).map_or(Value::Null, |scope| scope_vector(&scope))
}

/// A scope of one condition with this constraint, and why it is refused.
fn refused(constraint: &[u8]) -> Value {
    let bytes = [b"\x01\x01t\0\x01\x01\x01a", constraint].concat();
    json!({ "bytes": hex(&bytes), "why": fault_of(&bytes).unwrap() })
}

/// What a reader says of a block with these bytes as its scope; `None` where it has nothing against it.
fn fault_of(scope: &[u8]) -> Option<String> {
    let token = mint(&verifiers(), &claims(Some(&bytes_of(&carried())))).unwrap();
    let token = append_block(&token, &[&[2, 0], scope].concat()).unwrap();
    let at = Timestamp::from_unix_millis(CALLED).unwrap();
    let call = Call::from_json("db.query", ARGS).unwrap();
    match verifier().verify(&token, None, &call, at).unwrap_err() {
        VerifierError::Token(TokenError::Block { error: BlockError::Scope(fault), .. }) => {
            Some(fault.to_string())
        }
        VerifierError::OutOfScope(_) => None,
        other => panic!("{other}"),
    }
}

/// What a root block carries where the broker's catalogue says what arguments are.
fn typed() -> Value {
    let tool = Tool::new("mail.send").arg("attachment", ArgType::Path);
    let rule = Rule::permit("all").any_tool().any_args();
    let policy = Policy::builder().tool(tool).rule(rule).build().unwrap();
    let broker = Broker::builder(policy).keys(key_ring()).audience(GATE).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let scope = Scope::tool("mail.send").any_args();
    let grant = task.request(scope.clone().embedded_for(VERIFIER), &Context::new()).unwrap();
    let parsed = Unverified::parse(grant.token_for(VERIFIER).unwrap().expose()).unwrap();
    let verified = parsed
        .verify(
            &verifiers(),
            hallpass::clock::Clock::read(&hallpass::clock::SystemClock::new()).unwrap().wall,
        )
        .unwrap();
    let mut vector = scope_vector(&scope);
    vector["types"] = json!([["mail.send", "attachment", 1]]);
    vector["bytes"] = json!(hex(verified.claims().scope.unwrap()));
    vector
}

/// attack 152: the numbers of constraints on URLs are taken, and a build without them refuses each token
/// that has one, whatever else it says.
#[test]
fn a_build_without_urls_refuses_each_vector_with_one() {
    let vectors: Value = serde_json::from_str(shown()).unwrap();
    let urls = vectors["urls"].as_array().unwrap();
    assert_eq!(urls.len(), URLS.len());
    let unread =
        "the scope: the kind of constraint `url`, in a build without the feature `url`, is unknown";
    for vector in urls {
        let fault = fault_of(&unhex(vector["bytes"].as_str().unwrap()));
        assert_eq!(fault.as_deref(), (!cfg!(feature = "url")).then_some(unread));
    }
    for vector in vectors["refused_urls"].as_array().unwrap() {
        assert!(fault_of(&unhex(vector["bytes"].as_str().unwrap())).is_some());
    }
}

/// By the words of the page: the crate draws a nonce of its own.
fn call_bound(token: &Token) -> String {
    let (body, tag) = token.expose().strip_prefix("hp1.").unwrap().split_once('.').unwrap();
    let sized = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    let digest = Args::from_json(ARGS).unwrap().object().digest();
    let (time, nonce) = (CALLED.to_be_bytes(), [0xab; 16]);
    let message =
        [&[0, 0, 1][..], &sized(VERIFIER), &sized("db.query"), digest.as_bytes(), &time, &nonce]
            .concat();
    let mac = hmac(&URL_SAFE_NO_PAD.decode(tag).unwrap(), &message);
    let proof = URL_SAFE_NO_PAD.encode([&time[..], &nonce, &mac].concat());
    format!("hp1c.{body}.{proof}")
}

/// What the page shows is what a verifier takes.
#[test]
fn a_verifier_takes_the_vectors() {
    let vectors: Value = serde_json::from_str(shown()).unwrap();
    let verifier = verifier();
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
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/token/format.py");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/token-format.md");
    let lines = std::fs::read_to_string(script).unwrap().lines().count();
    assert!(lines <= 140, "{lines} lines");
    let Ok(output) = std::process::Command::new("python3").args([script, page]).output() else {
        println!("skipped: there is no python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verifier = verifier();
    let verify = |key: &str, limit: i64| {
        let token = Token::from_text(made[key].as_str().unwrap().to_owned());
        let args = json!({ "table": "orders", "limit": limit });
        let call = Call::new("db.query", args).unwrap();
        let at = Timestamp::from_unix_millis(CALLED).unwrap();
        verifier.verify(&token, Some("agent-7"), &call, at).map(drop)
    };
    assert_eq!(verify("narrowed", 100), Ok(()));
    assert!(matches!(verify("narrowed", 101), Err(VerifierError::OutOfScope(_))));
    // One more block that says more, the last block taken off, and the narrowing block changed.
    assert_eq!(verify("rewidened", 100), Ok(()));
    assert!(matches!(verify("rewidened", 101), Err(VerifierError::OutOfScope(_))));
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
        let mut key = root_key(vector["claims"]["audience"].as_str().unwrap());
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
    for vector in vectors["tokens"].as_array().unwrap() {
        let text = vector["text"].as_str().unwrap();
        let unverified = Unverified::parse(text).unwrap();
        let scope = vector["claims"]["scope"].as_str().map(unhex);
        let keys = if scope.is_some() { verifiers() } else { gates() };
        let verified = unverified.verify_chain(&keys, claims(None).issued).unwrap();
        assert_eq!(verified.claims(), &claims(scope.as_deref()));
        let blocks: Vec<String> = verified.blocks().map(hex).collect();
        assert_eq!(json!(blocks), vector["blocks"]);
        assert_eq!(Token::from_text(text.to_owned()).id().to_string(), vector["id"]);
    }
}

fn root_key(audience: &str) -> [u8; 32] {
    match audience {
        GATE => derive(b"hallpass/v1/token", audience.as_bytes()),
        _ => derive(b"hallpass/v1/verifier-token", audience.as_bytes()),
    }
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

/// What the page says is read, unusual as it is.
#[test]
fn what_looks_like_a_mistake_and_is_none_is_read() {
    let one = |constraint: &[u8]| [b"\x01\x01t\0\x01\x01\x01a", constraint].concat();
    for (what, bytes) in [
        ("`all` of one", one(b"\x11\x01\x01")),
        ("`any` of one", one(b"\x12\x01\x01")),
        ("`fields` of none", one(b"\x0a\0\0")),
        ("a field without a name", one(b"\x0a\0\x01\0\x01")),
        ("a set of two kinds", one(b"\x03\x02\x02\x04\x01x")),
        ("an argument without a name", b"\x01\x01t\0\x01\x01\0\x01".to_vec()),
        ("an argument with a point", b"\x01\x01t\0\x01\x01\x03a.b\x01".to_vec()),
        ("an argument that is a control", b"\x01\x01t\0\x01\x01\x01\x01\x01".to_vec()),
        (
            "two conditions on one argument",
            b"\x01\x01t\0\x02\x01\x01a\x01\x01\x01a\x05\x01x".to_vec(),
        ),
    ] {
        assert_eq!(fault_of(&bytes), None, "{what}");
    }
}
