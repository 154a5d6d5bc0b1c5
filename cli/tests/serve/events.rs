//! Security events, pushed by an identity provider with `curl`'s like: a client that writes what it likes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::{Clock as _, SystemClock};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::server::{Response, Server, question};
use crate::world::Folder;
use crate::world::gated::{of_kind, records};

/// Ana reads orders as long as her device complies.
const POLICY: &str = r#"
    version = 1
    [[rule]]
    id = "read"
    effect = "permit"
    who = { kind = "human" }
    what = { tool = "read", args = "any", resource = { type = "order", id = "any" } }
    [[rule]]
    id = "unfit"
    effect = "forbid"
    who = { attrs = { compliance = { present = true, not = { eq = "compliant" } } } }
    what = { tool = "any" }
"#;
const EVENTS: &str = r#"
    issuer = "https://idp.acme.test"
    audience = "hallpass"
    algorithm = "EdDSA"
    keys = "keys.json"
    bearer = "events.bearer"
    remember = "seen"
    [on]
    session-revoked = "revoke"
    risk-level-change = "halt"
    assurance-level-change = "nothing"
    device-compliance-change = { restate = { compliance = "current_status" } }
"#;
const PROVIDER: &str = "fedcba9876543210fedcba9876543210";

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Provider(Ed25519KeyPair);

impl Provider {
    fn new(seed: u8) -> Self {
        Provider(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn keys(&self) -> String {
        let x = encoded(self.0.public_key().as_ref());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k1", "use": "sig" }] })
            .to_string()
    }

    /// A token of one event about a subject.
    fn token(&self, id: &str, subject: &str, event: &str, details: Value) -> String {
        let now = SystemClock::new().read().unwrap().wall.unix_millis() / 1000;
        let uri = format!("https://schemas.openid.net/secevent/caep/event-type/{event}");
        let mut details = details;
        details["event_timestamp"] = json!(now);
        let claims = json!({
            "iss": "https://idp.acme.test", "aud": "hallpass", "jti": id, "iat": now,
            "sub_id": { "format": "iss_sub", "iss": "https://idp.acme.test", "sub": subject },
            "events": { uri: details },
        });
        let header = json!({ "alg": "EdDSA", "kid": "k1", "typ": "secevent+jwt" });
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let tag = encoded(self.0.sign(signed.as_bytes()));
        format!("{signed}.{tag}")
    }
}

fn folder(provider: &Provider) -> Folder {
    let folder = Folder::new();
    folder.write("events.toml", EVENTS);
    folder.write("keys.json", provider.keys());
    folder.write("events.bearer", PROVIDER);
    folder
}

fn server(folder: Folder) -> Server {
    Server::in_folder(folder, POLICY, &["--events", "events.toml"])
}

fn push_as(server: &Server, secret: &str, media: &str, token: &str) -> Response {
    let length = token.len();
    server.exchange(
        format!(
            "POST /events HTTP/1.1\r\nHost: pdp.test\r\nConnection: close\r\nAccept: application/json\r\n\
             Authorization: Bearer {secret}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n{token}"
        )
        .as_bytes(),
    )
}

fn push(server: &Server, token: &str) -> Response {
    push_as(server, PROVIDER, "application/secevent+jwt", token)
}

#[test]
fn an_event_halts_who_it_is_about_and_no_one_else_once_and_for_good() {
    let provider = Provider::new(7);
    let server = server(folder(&provider));
    assert!(server.may(&question("ana", "read", "7")));
    let halts =
        provider.token("e1", "ana", "risk-level-change", json!({ "current_level": "HIGH" }));
    let taken = push(&server, &halts);
    assert_eq!((taken.status, &*taken.body), (202, ""));
    let denied = server.ask(&question("ana", "read", "7"));
    assert_eq!(denied["context"]["reason"], "halted");
    assert!(server.may(&question("ben", "read", "7")));
    // Received again it is taken, and nothing is done.
    assert_eq!(push(&server, &halts).status, 202);
    let left = server.end();
    assert_eq!(of_kind(&records(&left.folder), "halted").len(), 1);
}

#[test]
fn what_an_event_restates_goes_before_what_requests_say() {
    let provider = Provider::new(7);
    let server = server(folder(&provider));
    let mut asked = question("ana", "read", "7");
    asked["subject"]["properties"] = json!({ "compliance": "compliant" });
    assert!(server.may(&asked));
    let status = |id, status| {
        provider.token(id, "ana", "device-compliance-change", json!({ "current_status": status }))
    };
    assert_eq!(push(&server, &status("e1", "not-compliant")).status, 202);
    assert!(!server.may(&asked), "the request says what is no more");
    assert_eq!(push(&server, &status("e2", "compliant")).status, 202);
    assert!(server.may(&asked));
    // An event that does not say it.
    let silent = provider.token("e3", "ana", "device-compliance-change", json!({}));
    assert_eq!(push(&server, &silent).status, 202);
    assert_eq!(server.ask(&asked)["context"]["reason"], "halted");
}

#[test]
fn only_the_provider_is_heard_and_only_what_it_has_signed() {
    let provider = Provider::new(7);
    let server = server(folder(&provider));
    let event =
        |id| provider.token(id, "ana", "risk-level-change", json!({ "current_level": "HIGH" }));
    let media = "application/secevent+jwt";
    for secret in ["", "x", crate::server::SECRET, &PROVIDER[1..]] {
        let refused = push_as(&server, secret, media, &event("e1"));
        assert_eq!(
            (refused.status, &refused.json()["err"]),
            (401, &json!("authentication_failed"))
        );
    }
    // The provider's secret decides nothing.
    let body = question("ana", "read", "7").to_string();
    let asked = server.exchange(
        format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {PROVIDER}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            crate::server::ONE,
            body.len()
        )
        .as_bytes(),
    );
    assert_eq!(asked.status, 401);
    for (token, media, err) in [
        (Provider::new(8).token("e1", "ana", "session-revoked", json!({})), media, "invalid_key"),
        (event("e1"), "application/jwt", "invalid_request"),
        ("e30.e30.e30".to_owned(), media, "invalid_request"),
        (String::new(), media, "invalid_request"),
    ] {
        let refused = push_as(&server, PROVIDER, media, &token);
        assert_eq!((refused.status, &refused.json()["err"]), (400, &json!(err)), "{token}");
    }
    assert!(server.may(&question("ana", "read", "7")), "nothing was done");
    let left = server.end();
    assert!(left.errors.contains("a security event token is not taken"), "{}", left.errors);
}

/// Halts are kept by the log, and tokens that were received by the file.
#[test]
fn a_restart_neither_lifts_a_halt_nor_acts_again() {
    let provider = Provider::new(7);
    let server = server(folder(&provider));
    let halts =
        provider.token("e1", "ana", "risk-level-change", json!({ "current_level": "HIGH" }));
    assert_eq!(push(&server, &halts).status, 202);
    let again = self::server(server.end().folder);
    assert_eq!(again.ask(&question("ana", "read", "7"))["context"]["reason"], "halted");
    assert_eq!(push(&again, &halts).status, 202);
    assert_eq!(of_kind(&records(&again.end().folder), "halted").len(), 1);
}

#[test]
fn a_key_that_is_new_is_found_in_the_file() {
    let (provider, before) = (Provider::new(7), Provider::new(8));
    let own = folder(&provider);
    own.write("keys.json", before.keys().replace("k1", "k0"));
    let keys = own.path().join("keys.json");
    let server = server(own);
    std::fs::write(keys, provider.keys()).unwrap();
    let event = provider.token("e1", "ana", "session-revoked", json!({}));
    assert_eq!(push(&server, &event).status, 202);
    let old = before.token("e2", "ana", "session-revoked", json!({}));
    assert_eq!(push(&server, &old).status, 400);
}

#[test]
fn without_the_option_no_event_is_taken_and_a_file_that_is_wrong_is_told() {
    let server = Server::new(POLICY, &[]);
    assert_eq!(push(&server, "e30.e30.e30").status, 404);
    for (from, to, told) in [
        ("EdDSA", "HS256", "no algorithm `HS256`"),
        ("\"halt\"", "\"stop\"", "`on.risk-level-change`: no action `stop`"),
        ("session-revoked", "session-gone", "no event `session-gone`"),
        ("{ compliance = \"current_status\" }", "{}", "`restate` names no attribute"),
        ("keys.json", "none.json", "none.json: can't be read"),
        ("audience", "audiences", "unknown field `audiences`"),
    ] {
        let own = folder(&Provider::new(7));
        own.write("events.toml", EVENTS.replacen(from, to, 1));
        own.write("bearer", crate::server::SECRET);
        own.write("p.toml", POLICY);
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_hallpass"))
            .args(["serve", "--policy", "p.toml", "--purpose", "orders", "--bearer-file", "bearer"])
            .args(["--events", "events.toml", "--listen", "127.0.0.1:0"])
            .current_dir(own.path())
            .output()
            .unwrap();
        let errors = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{errors}");
        assert!(errors.contains("events.toml: ") && errors.contains(told), "{told}: {errors}");
    }
}
