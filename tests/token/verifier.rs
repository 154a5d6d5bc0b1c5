//! Verifying without a table.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{AudienceSecret, KeyError, KeyId, KeyRing};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, one_of, same_as};
use hallpass::token::{
    Claims, LivenessAndReplayUnchecked, TokenError, Verifier, VerifierError, append_block, mint,
};
use serde_json::{Value, json};

const START: i64 = 1_767_225_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

struct Setup {
    verifier: Verifier,
    ring: KeyRing,
    agent: Identity,
    task: Task,
    grant: Grant,
}

fn asked() -> Scope {
    Scope::tool("db.query")
        .arg("table", one_of(["orders", "customers"]))
        .arg("limit", max(1000))
        .and_tool("doc.read")
        .resource(eq("doc"), any())
        .resource_attr("team", eq("red"))
}

fn secret() -> hallpass::key::SecretKey {
    hallpass::key::SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
}

fn setup_for(scope: Scope) -> Setup {
    let ring = KeyRing::from_secret(secret());
    let verifier = Verifier::new(ring.audience_secret("search").unwrap());
    let rule = Rule::permit("all").any_tool().any_args().any_resource();
    let policy = Policy::builder().rule(rule.ttl(Duration::from_secs(300))).build().unwrap();
    let clock = ManualClock::new(at(0));
    let broker =
        Broker::builder(policy).keys(ring).audience("search").clock(clock).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(scope, &Context::new()).unwrap();
    Setup { verifier, ring: KeyRing::from_secret(secret()), agent, task, grant }
}

fn setup() -> Setup {
    setup_for(asked().embedded())
}

fn query(args: Value) -> Call {
    Call::new("db.query", args).unwrap()
}

fn orders(limit: i64) -> Call {
    query(json!({ "table": "orders", "limit": limit }))
}

impl Setup {
    fn verify(
        &self,
        token: &Token,
        call: &Call,
    ) -> Result<LivenessAndReplayUnchecked, VerifierError> {
        self.verifier.verify(token, Some("agent-7"), call, at(0))
    }
}

#[test]
fn a_verifier_checks_the_scope_that_travels_in_the_token() {
    let setup = setup();
    let token = setup.grant.token();
    let answer = setup.verify(token, &orders(1000)).unwrap();
    assert_eq!(answer.grant(), setup.grant.id());
    assert_eq!((answer.holder(), answer.issuer()), ("agent-7", "hallpass"));
    assert_eq!((answer.task(), answer.expires()), (&*setup.task.name().to_owned(), at(300)));
    for (outside, why) in [
        (
            orders(1001),
            "its scope: `args.limit` is another value: 1001 where {\"max\":1000} is expected",
        ),
        (
            query(json!({ "table": "salaries", "limit": 1 })),
            "its scope: `args.table` is another value: \"salaries\" where {\"one_of\":[\"customers\",\"orders\"]} is expected",
        ),
        (
            query(json!({ "table": "orders" })),
            "its scope: `args.limit` is absent: expected {\"max\":1000}",
        ),
        (
            query(json!({ "table": "orders", "limit": 1, "offset": 1 })),
            "argument `offset` is not named by its scope",
        ),
        (
            orders(1).on(Resource::new("doc", "7")),
            "the call's resource is not what its scope speaks of",
        ),
        (Call::new("db.drop", json!({})).unwrap(), "its scope does not name `db.drop`"),
        (
            Call::new("doc.read", json!({})).unwrap(),
            "its scope: `resource.type` is absent: expected {\"eq\":\"doc\"}",
        ),
    ] {
        let refused = setup.verify(token, &outside).unwrap_err();
        assert_eq!(refused, VerifierError::OutOfScope(why.into()), "{outside:?}");
        assert_eq!(refused.to_string(), format!("the token does not cover the call: {why}"));
    }
    let read = |team| {
        let doc = Resource::new("doc", "7").attr("team", team);
        setup.verify(token, &Call::new("doc.read", json!({})).unwrap().on(doc))
    };
    assert!(read("red").is_ok());
    assert!(matches!(read("blue").unwrap_err(), VerifierError::OutOfScope(_)));
}

/// attack 145: an agent is told one of a few words, here too
#[test]
fn a_refusal_has_the_word_that_a_gate_would_say() {
    let setup = setup();
    let token = setup.grant.token();
    let code = |token: &Token, holder, call: &Call, seconds| {
        setup.verifier.verify(token, holder, call, at(seconds)).unwrap_err().code()
    };
    assert_eq!(code(token, None, &orders(1001), 0), Code::OutOfScope);
    assert_eq!(code(token, None, &orders(1), 300), Code::Expired);
    assert_eq!(code(token, Some("agent-8"), &orders(1), 0), Code::InvalidToken);
    let nobody = Resource::new("no type", "7");
    assert_eq!(code(token, None, &orders(1).on(nobody), 0), Code::BadRequest);
    for text in ["hp2.AAAA.BBBB".to_owned(), format!("{}\n", token.expose())] {
        assert_eq!(code(&Token::from_text(text), None, &orders(1), 0), Code::InvalidToken);
    }
    let plain = setup_for(asked());
    assert_eq!(code(plain.grant.token(), None, &orders(1), 0), Code::InvalidToken, "no scope");
}

#[test]
fn a_verifier_enforces_every_attenuation() {
    let setup = setup();
    let scope = Scope::tool("db.query").arg("table", eq("orders")).arg("limit", any());
    let once = setup.grant.token().attenuate(&scope, Some(at(60))).unwrap();
    let twice = once.attenuate(&Scope::tool("db.query").any_args(), Some(at(90))).unwrap();
    for token in [&once, &twice] {
        assert_eq!(setup.verify(token, &orders(1000)).unwrap().expires(), at(60));
        for (outside, whose) in [
            (orders(1001), "its scope: `args.limit`"),
            (query(json!({ "table": "customers", "limit": 1 })), "attenuation 1: `args.table`"),
        ] {
            let refused = setup.verify(token, &outside).unwrap_err();
            let VerifierError::OutOfScope(why) = &refused else { panic!("{refused:?}") };
            assert!(why.starts_with(whose), "{why}");
        }
        let late = setup.verifier.verify(token, None, &orders(1), at(60)).unwrap_err();
        assert_eq!(late, VerifierError::Token(TokenError::Expired));
    }
    let unknown = append_block(setup.grant.token(), b"?").unwrap();
    let refused = setup.verify(&unknown, &orders(1)).unwrap_err();
    assert!(matches!(refused, VerifierError::Token(TokenError::Block { at: 1, .. })));
}

#[test]
fn a_token_without_a_scope_is_refused_by_a_verifier() {
    let setup = setup_for(asked());
    let refused = setup.verify(setup.grant.token(), &orders(1)).unwrap_err();
    assert_eq!(refused, VerifierError::NoScope);
    // A block's scope is not the token's: whoever holds the token wrote it.
    let narrowed = setup.grant.token().attenuate(&asked(), None).unwrap();
    assert_eq!(setup.verify(&narrowed, &orders(1)).unwrap_err(), VerifierError::NoScope);
}

/// attack 53: what a block cannot say, and what was signed for another audience or by another key
#[test]
fn a_verifier_takes_its_own_audience_its_own_key_its_holder_and_its_time() {
    let setup = setup();
    let token = setup.grant.token();
    let refused = |verifier: &Verifier, holder, now| {
        verifier.verify(token, holder, &orders(1), now).unwrap_err()
    };
    let other_audience = Verifier::new(setup.ring.audience_secret("mail").unwrap());
    assert_eq!(
        refused(&other_audience, None, at(0)),
        VerifierError::Token(TokenError::BadSignature)
    );
    let other_ring = KeyRing::generate().unwrap().audience_secret("search").unwrap();
    assert!(matches!(
        refused(&Verifier::new(other_ring), None, at(0)),
        VerifierError::Token(TokenError::UnknownKey(_))
    ));
    assert_eq!(
        refused(&setup.verifier, Some("agent-8"), at(0)),
        VerifierError::NotTheHolder("agent-7".into())
    );
    assert_eq!(refused(&setup.verifier, None, at(300)), VerifierError::Token(TokenError::Expired));
    assert_eq!(
        refused(&setup.verifier, None, at(-1)),
        VerifierError::Token(TokenError::NotYetIssued)
    );
}

#[test]
fn a_verifier_takes_a_presentation_for_its_call_again_and_again_for_seconds() {
    let setup = setup();
    let presentation = setup.grant.token().present(&orders(1), at(10)).unwrap();
    let verify = |call, now| setup.verifier.verify(&presentation, None, &call, now).map(drop);
    assert_eq!(verify(orders(1), at(10)), Ok(()));
    assert_eq!(verify(orders(1), at(39)), Ok(()));
    assert_eq!(verify(orders(1), at(40)), Err(VerifierError::Token(TokenError::Stale)));
    assert_eq!(verify(orders(2), at(10)), Err(VerifierError::Token(TokenError::BadSignature)));
}

#[test]
fn a_scope_that_was_asked_for_travels_in_renewed_and_trimmed_tokens_too() {
    let mut setup = setup();
    setup.task.renew(&mut setup.grant, &setup.agent, &Context::new()).unwrap();
    assert!(setup.verify(setup.grant.token(), &orders(1)).is_ok());
    let (trimmed, cuts) = setup.task.request_trimmed(asked().embedded(), &Context::new()).unwrap();
    assert!(cuts.is_empty());
    assert!(setup.verify(trimmed.token(), &orders(1)).is_ok());
    let refused = setup.verify(trimmed.token(), &orders(1001)).unwrap_err();
    assert!(matches!(refused, VerifierError::OutOfScope(_)), "{refused:?}");
}

/// The minter's mistake is no way in either.
#[test]
fn a_scope_that_is_none_is_refused() {
    let setup = setup();
    let keys = setup.ring.for_audience("search").unwrap();
    for scope in [&b"\0"[..], b"\x01", b"opaque", b"\x01\x08db.query\x08\0"] {
        let claims = Claims {
            issuer: "hallpass",
            audience: "search",
            task: "task",
            generation: 1,
            grant: setup.grant.id(),
            serial: 1,
            holder: "agent-7",
            issued: at(0),
            expires: at(300),
            scope: Some(scope),
        };
        let token = mint(&keys, &claims).unwrap();
        let refused = setup.verify(&token, &orders(1)).unwrap_err();
        assert!(matches!(refused, VerifierError::Scope(_)), "{scope:?}");
    }
}

#[test]
fn a_scope_without_a_spelling_in_tokens_cannot_be_embedded() {
    let setup = setup();
    let scope = Scope::tool("db.query").arg("table", same_as("who.attrs.team"));
    assert!(setup.task.request(scope.clone(), &Context::new()).is_ok());
    let denial = setup.task.request(scope.embedded(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedScope);
}

/// attack 71, attack 80
#[test]
fn the_secret_of_an_audience_is_refused_if_it_is_none_and_prints_nothing() {
    let id = KeyId::from_bytes([1; 4]);
    let refused = |audience: &str, key| AudienceSecret::from_parts(audience, id, key).unwrap_err();
    assert_eq!(refused("search", &[0; 32]), KeyError::Uniform);
    assert_eq!(
        refused("", setup().ring.audience_secret("a").unwrap().expose()),
        KeyError::Audience(0)
    );
    let ring = KeyRing::from_secret(secret());
    assert_eq!(ring.audience_secret("").unwrap_err(), KeyError::Audience(0));
    let secret = ring.audience_secret("search").unwrap();
    assert_eq!(
        format!("{secret:?}"),
        format!("AudienceSecret {{ audience: \"search\", key_id: {:?}, .. }}", secret.key_id())
    );
    // One audience's secret says nothing of another's.
    assert_ne!(secret.expose(), ring.audience_secret("searc").unwrap().expose());
}
