//! The vectors of `docs/token-format.md`, as the crate makes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass::grant::GrantId;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::scope::{
    Constraint, Scope, ValueType, absent, after, all_of, any, any_of, below, cidr, contains, count,
    each, eq, fields, glob, has_all, has_any, items, joined, json, len, max, min, not, of_type,
    one_of, prefix, reference, same_as, some, subset_of, suffix, under, weekly,
};
use hallpass::token::hazmat::{AudienceKeys, Claims, Unverified, gate_keys, mint, verifier_keys};
use hallpass::token::{Token, Verifier};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/token-format.md");
const ISSUER: &str = "zsp-bench";
pub(crate) const GATE: &str = "tool-gateway";
pub(crate) const VERIFIER: &str = "search";

pub(crate) fn secret() -> Vec<u8> {
    (0..32).collect()
}

pub(crate) fn key_ring() -> KeyRing {
    KeyRing::from_secret(SecretKey::from_bytes(&secret()).unwrap())
}

/// What signs for the gate.
pub(crate) fn gates() -> AudienceKeys {
    gate_keys(&key_ring(), GATE).unwrap()
}

/// What signs for verifiers.
pub(crate) fn verifiers() -> AudienceKeys {
    verifier_keys(&key_ring(), VERIFIER).unwrap()
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new(key_ring().audience_secret(VERIFIER).unwrap(), ISSUER)
}

/// For the gate without a scope, and for verifiers with one.
pub(crate) fn claims(scope: Option<&[u8]>) -> Claims<'_> {
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
pub(crate) fn scopes() -> Vec<Scope> {
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
pub(crate) const URLS: [&str; 2] = [
    r#"[{"tool": "t", "args": {"a": {"url": {"host": "api.acme.test"}}}}]"#,
    r#"[{"tool": "t", "args": {"a": {"url": {
        "host": ["any", "127.0.0.1", {"subdomain_of": "acme.test"}],
        "path": [{"eq": "/", "glob": "/*/x", "prefix": "/a/", "under": "/v1"}, {"under": "/v2"}],
        "port": [443, 8443], "scheme": ["http", "https"]}}}}]"#,
];

/// What no reader takes for a constraint.
pub(crate) const REFUSED: [&[u8]; 35] = [
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
pub(crate) const REFUSED_URLS: [&[u8]; 7] = [
    b"\x19\0\0\0\0",
    b"\x19\x01\x01\x09ACME.test\0\0\0",
    b"\x19\x01\x01\x05127.1\0\0\0",
    b"\x19\x01\0\x01\0\x01a\0\0",
    b"\x19\x01\0\x01\x02\x03/v/\0\0",
    b"\x19\x01\0\0\x01\0\0\0",
    b"\x19\x01\0\0\0\x01\x06gopher",
];

/// The scope as the second token carries it.
pub(crate) fn carried() -> Scope {
    Scope::tool("db.query").arg("table", one_of(["orders", "customers"])).arg("limit", max(1000))
}

/// The blocks of the third.
pub(crate) fn narrowed(token: &Token) -> Token {
    let first = Scope::tool("db.query").arg("table", eq("orders")).arg("limit", max(900));
    let second = Scope::tool("db.query").other_args().arg("limit", max(800));
    let once = token.attenuate(&first, None).unwrap();
    once.attenuate(&second, Timestamp::from_unix_millis(1_767_225_700_000)).unwrap()
}

/// The bytes of a scope: what a block has behind its two first bytes.
pub(crate) fn bytes_of(scope: &Scope) -> Vec<u8> {
    let token = mint(&gates(), &claims(None)).unwrap().attenuate(scope, None).unwrap();
    blocks_of(&token, &gates())[0][2..].to_vec()
}

fn blocks_of(token: &Token, keys: &AudienceKeys) -> Vec<Vec<u8>> {
    let unverified = Unverified::parse(token.expose()).unwrap();
    let verified = unverified.verify_chain(keys, claims(None).issued).unwrap();
    verified.blocks().map(<[u8]>::to_vec).collect()
}

pub(crate) const ARGS: &str = r#"{"table":"orders","limit":500}"#;
pub(crate) const CALLED: i64 = 1_767_225_610_000;

pub(crate) fn vector(token: &Token, scope: Option<&[u8]>) -> Value {
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
pub(crate) fn shown() -> &'static str {
    let (_, after) = PAGE.split_once("```json\n").unwrap();
    after.split_once("\n```").unwrap().0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
