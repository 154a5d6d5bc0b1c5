//! Kinds that read a text as something, in blocks and in the scope that travels: the gate and a verifier
//! say the same of every spelling.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::policy::ArgType;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, after, any, before, cidr, eq, fields, json, max, not, one_of, optional, under,
    weekly,
};
use hallpass::token::hazmat::append_block;
use hallpass::token::{BlockError, MintError, Verifier, VerifierError};
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

const NOW: &str = "2026-01-01T00:00:00Z";

/// A gate, and a verifier of what it gives.
struct Setup {
    gate: Gate,
    verifier: Verifier,
    agent: Identity,
    task: Task,
}

fn setup(tool: Option<Tool>) -> Setup {
    let secret = || SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
    let verifier = Verifier::new(
        KeyRing::from_secret(secret()).audience_secret("search").unwrap(),
        "hallpass",
    );
    let rule = Rule::permit("all").any_tool().any_args().ttl(Duration::from_secs(300));
    let policy = Policy::builder().tools(tool).rule(rule).build().unwrap();
    let broker = Broker::builder(policy)
        .keys(KeyRing::from_secret(secret()))
        .clock(ManualClock::new(at(NOW)))
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    Setup { gate: broker.gate(), verifier, agent, task }
}

/// Of one grant, narrowed alike.
struct Tokens {
    gate: Token,
    verifier: Token,
}

impl Tokens {
    fn attenuate(&self, scope: &Scope, expires: Option<Timestamp>) -> Result<Tokens, MintError> {
        Ok(Tokens {
            gate: self.gate.attenuate(scope, expires)?,
            verifier: self.verifier.attenuate(scope, expires)?,
        })
    }

    fn append_block(&self, block: &[u8]) -> Result<Tokens, MintError> {
        let (gate, verifier) =
            (append_block(&self.gate, block)?, append_block(&self.verifier, block)?);
        Ok(Tokens { gate, verifier })
    }
}

impl Setup {
    fn token(&self, scope: Scope) -> Tokens {
        let grant = self.task.request(scope.embedded_for("search"), &Context::new()).unwrap();
        let same = |token: &Token| Token::from_text(token.expose().to_owned());
        Tokens { gate: same(grant.token()), verifier: same(grant.token_for("search").unwrap()) }
    }

    fn gate(&self, Tokens { gate: token, .. }: &Tokens, value: &Value) -> Result<(), Reason> {
        let call = Call::new("t", json!({ "a": value })).unwrap();
        let checked = self.gate.check(token, &self.agent, &call, &Context::new());
        checked.map(drop).map_err(|denial| denial.reason())
    }

    fn verifier(&self, tokens: &Tokens, value: &Value) -> Result<(), VerifierError> {
        let token = &tokens.verifier;
        let call = Call::new("t", json!({ "a": value })).unwrap();
        self.verifier.verify(token, Some("agent-7"), &call, at(NOW)).map(drop)
    }
}

fn one(constraint: Constraint) -> Scope {
    Scope::tool("t").arg("a", constraint)
}

/// Asked as an attenuation and as the scope that travels, at the gate and at a verifier.
fn agree(constraint: &Constraint, value: &Value, covered: bool) {
    let setup = setup(None);
    let narrowed =
        setup.token(Scope::tool("t").any_args()).attenuate(&one(constraint.clone()), None);
    for token in [narrowed.unwrap(), setup.token(one(constraint.clone()))] {
        let gate = setup.gate(&token, value);
        assert_eq!(
            gate,
            if covered { Ok(()) } else { Err(Reason::OutOfScope) },
            "{constraint}: {value}"
        );
        let verifier = setup.verifier(&token, value);
        let agrees = match &verifier {
            Ok(()) => covered,
            Err(refused) => !covered && matches!(refused, VerifierError::OutOfScope(_)),
        };
        assert!(agrees, "{constraint}: {value}: {verifier:?}");
    }
}

/// attacks 1 to 7, 15, 25, 26, 28, 29, 146: doubt denies, under `not` too
#[test]
fn gate_and_verifier_read_every_spelling_alike() {
    let window = weekly(&["thu", "fri"], "09:00", "17:00", "+01:00");
    let inner = json(fields([("tool", eq("read")), ("n", optional(max(3)))]));
    for (constraint, yes, no, unknown) in [
        (
            under("/data"),
            &[json!("/data"), json!("/data/a"), json!(["/data/a", "/data/b"])][..],
            &[json!("/data-x"), json!("/etc")][..],
            &[
                json!("data/a"),
                json!("/data/"),
                json!("/data/./a"),
                json!("/data//a"),
                json!("/data/../etc"),
                json!("/data/a/.."),
                json!("/data/%2e%2e/etc"),
                json!("/data/a\\..\\b"),
                json!("/data/a\0"),
                json!("/data/a\n"),
                json!("~/data"),
                json!(""),
                json!(7),
            ][..],
        ),
        (
            cidr(["10.0.0.0/8", "2001:db8::/32"]),
            &[json!("10.1.2.3"), json!("::ffff:10.1.2.3"), json!("2001:db8::1")],
            &[json!("11.0.0.1"), json!("::1"), json!("2001:db9::1"), json!("64:ff9b::b00:1")],
            &[
                json!("::10.1.2.3"),
                json!("::ffff:0:10.1.2.3"),
                json!("64:ff9b::a01:203"),
                json!("64:ff9b:1::a01:203"),
                json!("2002:a01:203::1"),
                json!("2001:0:808:808::f5fe:fdfc"),
                json!("10.1"),
                json!("010.0.0.1"),
                json!("0x0a.0.0.1"),
                json!("167772161"),
                json!("[::1]"),
                json!(10),
            ],
        ),
        (
            after(at("2026-01-01T00:00:00Z")),
            &[json!("2026-01-01T00:00:00Z"), json!("2026-01-01T01:30:00+01:00")],
            &[json!("2025-12-31T23:59:59.999Z"), json!("2026-01-01T00:30:00+01:00")],
            &[
                json!("2026-01-01"),
                json!("2026-13-01T00:00:00Z"),
                json!("now"),
                json!(1_767_225_600),
            ],
        ),
        (
            before(at("2026-01-01T00:00:00Z")),
            &[json!("2025-12-31T23:59:59.999Z")],
            &[json!("2026-01-01T00:00:00Z")],
            &[json!("2025-12-31T24:00:00Z"), json!("")],
        ),
        (
            window,
            &[json!("2026-01-01T08:00:00Z"), json!("2026-01-02T16:59:59+01:00")],
            &[json!("2026-01-01T16:00:00Z"), json!("2026-01-03T12:00:00+01:00")],
            &[json!("thu 09:00"), json!(null)],
        ),
        (
            inner,
            &[json!(r#"{"tool":"read"}"#), json!(r#" {"n": 3.0, "tool": "read"} "#)],
            &[json!(r#"{"tool":"delete"}"#), json!(r#"{"tool":"read","n":4}"#)],
            &[
                json!(r#"{"tool":"read","tool":"delete"}"#),
                json!(r#"{"tool":"read","t\u006fol":"delete"}"#),
                json!(r#"{"tool":"read"} x"#),
                json!("[".repeat(40)),
                json!({ "tool": "read" }),
            ],
        ),
    ] {
        let negated = not(constraint.clone());
        for value in yes {
            agree(&constraint, value, true);
            agree(&negated, value, false);
        }
        for value in no {
            agree(&constraint, value, false);
            agree(&negated, value, true);
        }
        for value in unknown {
            agree(&constraint, value, false);
            agree(&negated, value, false);
        }
    }
    // A `json` is closed as an object of arguments is: what it does not name must not be there.
    agree(&json(fields([("tool", eq("read"))])), &json!(r#"{"tool":"read","x":1}"#), false);
    // One element in doubt is enough.
    agree(&under("/data"), &json!(["/data/a", "/data/../etc"]), false);
    agree(&under("/data"), &json!([]), false);
}

/// attacks 32 to 36
#[cfg(feature = "url")]
#[test]
fn gate_and_verifier_read_every_url_alike() {
    use hallpass::scope::{UrlPattern, url};
    let own = url(UrlPattern::host("a.test").or_subdomain_of("b.test").path_under("/v1"));
    for yes in ["https://a.test/v1", "https://x.b.test/v1/y?q#f"] {
        agree(&own, &json!(yes), true);
    }
    for no in [
        "https://b.test/v1",
        "https://a.test/v2",
        "http://a.test/v1",
        "https://a.test:8443/v1",
        "https://a.test.evil.test/v1",
        "https://evila.test/v1",
        // Other spellings of what is covered, and what cannot be read at all.
        "https://A.test/v1",
        "https://a.test./v1",
        "https://a.test:443/v1",
        "https://a.test/v1/../v2",
        "https://a.test/x/../v1",
        "https://a.test/v1/%61",
        "https://a.test\\@evil.test/v1",
        "https://a.test@evil.test/v1",
        "//a.test/v1",
        "a.test/v1",
        "",
    ] {
        agree(&own, &json!(no), false);
    }
    let anywhere = url(UrlPattern::any_host().scheme("http").scheme("https"));
    agree(&anywhere, &json!("http://a.test/"), true);
    for inner in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://169.254.169.254/",
        "http://169.254.169.254./",
        "http://①②⑦.⓪.⓪.①/",
        "http://metadata/",
        "http://localhost/",
        "file:///etc/passwd",
    ] {
        agree(&anywhere, &json!(inner), false);
    }
}

/// attack 7: what is said only by leaving out, a verifier judges of the one spelling too. It hands
/// nothing on, so another spelling is refused; the gate brings it to that one and the tool gets it.
#[test]
fn a_verifier_is_told_which_arguments_are_paths() {
    let setup = setup(Some(Tool::new("t").arg("a", ArgType::Path)));
    let spelling = |expected: &str| {
        let text = "`a` is not in the one spelling of its type: expected ";
        Some(format!("argument {text}{expected}"))
    };
    let outside = || Some("the token does not cover the call: ".to_owned());
    for scope in [Scope::tool("t").any_args(), one(any()), one(not(eq("/data/secret/")))] {
        let token = setup.token(scope);
        let block = one(not(one_of(["/data/./secret", "/data/other"])));
        let narrowed = token.attenuate(&block, None).unwrap();
        for (value, gate, verifier) in [
            (json!("/data/a"), Ok(()), None),
            (json!(["/data/a", "/data/b"]), Ok(()), None),
            (json!("/data/secret"), Err(Reason::OutOfScope), outside()),
            (json!("/data//secret"), Err(Reason::OutOfScope), spelling("`/data/secret`")),
            (json!("/data/./a"), Ok(()), spelling("`/data/a`")),
            (json!(["/data/a", "/data/b/"]), Ok(()), spelling("`[\"/data/a\",\"/data/b\"]`")),
            (
                json!("/data/../etc"),
                Err(Reason::MalformedCall),
                Some("argument `a` is not a path: the path has a segment `..`".to_owned()),
            ),
            (
                json!(7),
                Err(Reason::MalformedCall),
                Some(
                    "argument `a` is of the kind number, expected text or a list of texts"
                        .to_owned(),
                ),
            ),
        ] {
            assert_eq!(setup.gate(&narrowed, &value), gate, "{value}");
            let refused = setup.verifier(&narrowed, &value).err().map(|why| why.to_string());
            match (&refused, verifier) {
                (Some(refused), Some(why)) => assert!(refused.starts_with(&why), "{refused}"),
                (refused, wanted) => assert_eq!(*refused, wanted, "{value}"),
            }
        }
        // Compared with what no call can be, a block leaves none, however plainly it names the call.
        for block in [not(eq("/data/../x")), one_of(["/data/a", "/data/../x"])] {
            let never = token.attenuate(&one(block), None).unwrap();
            assert_eq!(setup.gate(&never, &json!("/data/a")), Err(Reason::OutOfScope));
            let refused = setup.verifier(&never, &json!("/data/a")).unwrap_err();
            let why = "the token does not cover the call: attenuation 1: argument `a` of `t`: `/data/../x` is not a path";
            assert!(refused.to_string().starts_with(why), "{refused}");
        }
    }
}

/// attack 152: a number that stands for nothing, and one whose kind this build does not read
#[test]
fn a_kind_that_is_not_read_makes_the_token_worthless() {
    let setup = setup(None);
    let token = setup.token(Scope::tool("t").any_args());
    let beyond =
        [&b"\x02\0\x01\x01t\0\x01\x01\x01a\x1d"[..], b"\x02\0\x01\x01t\0\x01\x01\x01a\xff\x01"];
    let url: &[u8] = b"\x02\0\x01\x01t\0\x01\x01\x01a\x19\x01\0\0\0\0";
    let unread = beyond.into_iter().chain((!cfg!(feature = "url")).then_some(url));
    for block in unread {
        let refused = token.append_block(block).unwrap();
        assert_eq!(setup.gate(&refused, &json!("https://a.test/")), Err(Reason::UnsupportedToken));
        let error = setup.verifier(&refused, &json!("https://a.test/")).unwrap_err().to_string();
        assert!(
            error.contains("the kind of constraint") || error.contains("a kind of constraint"),
            "{error}"
        );
        assert!(error.contains("is unknown"), "{error}");
    }
    if cfg!(feature = "url") {
        let read = token.append_block(url).unwrap();
        assert_eq!(setup.gate(&read, &json!("https://a.test/")), Ok(()));
    }
}

/// A block's bytes would allow a thousand readings of one text.
#[test]
fn a_block_reads_a_text_as_json_only_so_often() {
    use hallpass::scope::{MAX_SCOPE_JSON, all_of};
    let setup = setup(None);
    let token = setup.token(Scope::tool("t").any_args());
    let of = |many: usize| one(all_of((0..many).map(|at| json(max(at as u64)))));
    assert!(token.attenuate(&of(MAX_SCOPE_JSON), None).is_ok());
    let refused = token.attenuate(&of(MAX_SCOPE_JSON + 1), None).map(drop).unwrap_err();
    assert!(matches!(refused, MintError::Block(BlockError::Scope(_))), "{refused}");
}
