//! The vectors of `docs/token-format.md`, generated and read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::Call;
use hallpass::args::Args;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::policy::{ArgType, Policy, Rule, Tool};
use hallpass::scope::{
    Constraint, Scope, ValueType, absent, after, all_of, any, any_of, below, cidr, contains, count,
    each, eq, fields, glob, has_all, has_any, items, joined, json, len, max, min, not, of_type,
    one_of, prefix, reference, same_as, some, subset_of, suffix, under, weekly,
};
use hallpass::token::hazmat::{
    AudienceKeys, Claims, Unverified, append_block, gate_keys, mint, verifier_keys,
};
use hallpass::token::{BlockError, Token, TokenError, Verifier, VerifierError};
use hallpass::{Broker, Context, Purpose};
use ring::{hkdf, hmac};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/token-format.md");
const ISSUER: &str = "zsp-bench";
const GATE: &str = "tool-gateway";
const VERIFIER: &str = "search";

fn secret() -> Vec<u8> {
    (0..32).collect()
}

fn ring() -> KeyRing {
    KeyRing::from_secret(SecretKey::from_bytes(&secret()).unwrap())
}

/// What signs for the gate.
fn gates() -> AudienceKeys {
    gate_keys(&ring(), GATE).unwrap()
}

/// What signs for verifiers.
fn verifiers() -> AudienceKeys {
    verifier_keys(&ring(), VERIFIER).unwrap()
}

fn verifier() -> Verifier {
    Verifier::new(ring().audience_secret(VERIFIER).unwrap(), ISSUER)
}

/// For the gate without a scope, and for verifiers with one.
fn claims(scope: Option<&[u8]>) -> Claims<'_> {
    Claims {
        issuer: ISSUER,
        audience: if scope.is_some() { VERIFIER } else { GATE },
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
        one(under("/data/reports")),
        one(under(".")),
        one(cidr(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])),
        one(json(fields([("tool", eq("read"))]))),
        one(after(Timestamp::from_unix_millis(1_767_225_600_000).unwrap())),
        Scope::from_json(
            r#"[{"tool": "t", "args": {"a":
                {"after": "2026-01-01T00:00:00Z", "before": "2026-02-01T00:00:00+01:00"}}}]"#,
        )
        .unwrap(),
        one(weekly(&["mon", "fri"], "09:00", "17:30", "-01:30")),
        one(any_of([of_type(ValueType::Integer), not(of_type(ValueType::List))])),
        one(same_as("args.b")),
        one(min(0).and(reference("args.b.c").as_max())),
        one(joined("/home").and_part("args.user").and_text("/").as_prefix()),
        one(reference("args.b").as_has_all()),
        one(items([eq("git"), one_of(["log", "diff"])])),
        one(items([eq("git")]).rest(any())),
    ]
}

/// As JSON, for a build that has no constraints on URLs.
const URLS: [&str; 2] = [
    r#"[{"tool": "t", "args": {"a": {"url": {"host": "api.acme.test"}}}}]"#,
    r#"[{"tool": "t", "args": {"a": {"url": {
        "host": ["any", "127.0.0.1", {"subdomain_of": "acme.test"}],
        "path": [{"eq": "/", "glob": "/*/x", "prefix": "/a/", "under": "/v1"}, {"under": "/v2"}],
        "port": [443, 8443], "scheme": ["http", "https"]}}}}]"#,
];

/// What no reader takes for a constraint.
const REFUSED: [&[u8]; 35] = [
    b"\0",
    b"\x1d",
    b"\x1c\0\0",
    b"\x1b\x10\x01\x01\x01b",
    b"\x1b\x04\x01\x01\0",
    b"\x1b\x09\x02\x02\x02\x02/a\x01\x01\x01b",
    b"\x1a\x07",
    b"\x14\0",
    b"\x14\x06/data/",
    b"\x14\x07/./data",
    b"\x14\x05/a/..",
    b"\x14\x04/%61",
    b"\x15\0",
    b"\x15\x01\x04\x0a\0\0\x01\x08",
    b"\x15\x01\x04\0\0\0\0\x21",
    b"\x15\x01\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0\x68",
    b"\x15\x02\x04\x0b\0\0\0\x08\x04\x0a\0\0\0\x08",
    b"\x15\x01\x05\x0a\0\0\0\x08",
    b"\x16",
    b"\x16\x11\x02\x05\x01a\x0d\0\x01",
    b"\x17\0",
    b"\x17\x04",
    b"\x17\x01\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x17\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01",
    b"\x18\0\0\0\0\x01\0\0",
    b"\x18\x80\0\0\0\x01\0\0",
    b"\x18\x01\0\x01\0\x01\0\0",
    b"\x18\x01\0\0\x05\xa1\0\0",
    b"\x18\x01\0\0\0\x01\x03\x49",
    b"\x04\0",
    b"\x04\x02",
    b"\x04\x08",
    b"\x11\0",
    b"\x12\0",
    b"\x03\x01\x03\x27\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
];

/// And of one on URLs.
const REFUSED_URLS: [&[u8]; 7] = [
    b"\x19\0\0\0\0",
    b"\x19\x01\x01\x09ACME.test\0\0\0",
    b"\x19\x01\x01\x05127.1\0\0\0",
    b"\x19\x01\0\x01\0\x01a\0\0",
    b"\x19\x01\0\x01\x02\x03/v/\0\0",
    b"\x19\x01\0\0\x01\0\0\0",
    b"\x19\x01\0\0\0\x01\x06gopher",
];

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
    let token = mint(&gates(), &claims(None)).unwrap().attenuate(scope, None).unwrap();
    blocks_of(&token, &gates())[0][2..].to_vec()
}

fn blocks_of(token: &Token, keys: &AudienceKeys) -> Vec<Vec<u8>> {
    let unverified = Unverified::parse(token.expose()).unwrap();
    let verified = unverified.verify_chain(keys, claims(None).issued).unwrap();
    verified.blocks().map(<[u8]>::to_vec).collect()
}

const ARGS: &str = r#"{"table":"orders","limit":500}"#;
const CALLED: i64 = 1_767_225_610_000;

#[test]
fn the_page_shows_what_the_crate_makes() {
    let plain = mint(&gates(), &claims(None)).unwrap();
    let scope = bytes_of(&carried());
    let scoped = mint(&verifiers(), &claims(Some(&scope))).unwrap();
    let narrowed = narrowed(&scoped);
    let scopes = scopes();
    let mut made = json!({
        "secret": hex(&secret()),
        "key_id": ring().active().to_string(),
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
    let broker = Broker::builder(policy).keys(ring()).audience(GATE).build().unwrap();
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
        "blocks": blocks_of(token, &if scope.is_some() { verifiers() } else { gates() }).iter().map(|block| hex(block)).collect::<Vec<_>>(),
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
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
