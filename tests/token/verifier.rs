//! Verifying without a table.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{AudienceSecret, KeyError, KeyId, KeyRing};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, one_of};
use hallpass::token::hazmat::{Claims, append_block, gate_keys, mint, verifier_keys};
use hallpass::token::{LivenessAndReplayUnchecked, TokenError, Verifier, VerifierError};
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
    let verifier = Verifier::new(ring.audience_secret("search").unwrap(), "hallpass");
    let rule = Rule::permit("all").any_tool().any_args().any_resource();
    let policy = Policy::builder().rule(rule.ttl(Duration::from_secs(300))).build().unwrap();
    let clock = ManualClock::new(at(0));
    let broker = Broker::builder(policy).keys(ring).clock(clock).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(scope, &Context::new()).unwrap();
    Setup { verifier, ring: KeyRing::from_secret(secret()), agent, task, grant }
}

fn setup() -> Setup {
    setup_for(asked().embedded_for("search"))
}

fn query(args: Value) -> Call {
    Call::new("db.query", args).unwrap()
}

fn orders(limit: i64) -> Call {
    query(json!({ "table": "orders", "limit": limit }))
}

impl Setup {
    fn token(&self) -> &Token {
        self.grant.token_for("search").unwrap()
    }

    /// A token of this audience's key that says this scope, whatever that is.
    fn minted(&self, scope: Option<&[u8]>) -> Token {
        let claims = Claims {
            issuer: "hallpass",
            audience: "search",
            task: "task",
            generation: 1,
            grant: self.grant.id(),
            serial: 1,
            holder: "agent-7",
            issued: at(0),
            expires: at(300),
            scope,
        };
        mint(&verifier_keys(&self.ring, "search").unwrap(), &claims).unwrap()
    }

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
    let token = setup.token();
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
            "its scope: `resource.type` is absent, for the call has no resource: expected \
             {\"eq\":\"doc\"}; `resource.id` is absent, for the call has no resource: expected \"any\"; \
             `resource.attrs.team` is absent, for the call has no resource: expected {\"eq\":\"red\"}; \
             the call's resource is not what it speaks of",
        ),
    ] {
        let refused = setup.verify(token, &outside).unwrap_err();
        assert!(matches!(refused, VerifierError::OutOfScope(_)), "{refused:?}");
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
    let token = setup.token();
    let code = |token: &Token, holder, call: &Call, seconds| {
        setup.verifier.verify(token, holder, call, at(seconds)).unwrap_err().code()
    };
    assert_eq!(code(token, None, &orders(1001), 0), Code::OutOfScope);
    assert_eq!(code(token, None, &orders(1), 300), Code::Expired);
    assert_eq!(code(token, Some("agent-8"), &orders(1), 0), Code::InvalidToken);
    let unnamed = Resource::new("no type", "7");
    assert_eq!(code(token, None, &orders(1).on(unnamed), 0), Code::BadRequest);
    for text in ["hp2.AAAA.BBBB".to_owned(), format!("{}\n", token.expose())] {
        assert_eq!(code(&Token::from_text(text), None, &orders(1), 0), Code::InvalidToken);
    }
    assert_eq!(code(&setup.minted(None), None, &orders(1), 0), Code::InvalidToken, "no scope");
    let ring = KeyRing::from_secret(secret());
    let pinned = Verifier::new(ring.audience_secret("search").unwrap(), "another");
    let foreign = pinned.verify(token, None, &orders(1), at(0)).unwrap_err();
    assert_eq!(foreign.code(), Code::InvalidToken);
}

#[test]
fn a_verifier_enforces_every_attenuation() {
    let setup = setup();
    let scope = Scope::tool("db.query").arg("table", eq("orders")).arg("limit", any());
    let once = setup.token().attenuate(&scope, Some(at(60))).unwrap();
    let twice = once.attenuate(&Scope::tool("db.query").any_args(), Some(at(90))).unwrap();
    for token in [&once, &twice] {
        assert_eq!(setup.verify(token, &orders(1000)).unwrap().expires(), at(60));
        for (outside, whose) in [
            (orders(1001), "its scope: `args.limit`"),
            (query(json!({ "table": "customers", "limit": 1 })), "attenuation 1: `args.table`"),
        ] {
            let refused = setup.verify(token, &outside).unwrap_err();
            let VerifierError::OutOfScope(why) = &refused else { panic!("{refused:?}") };
            assert!(why.to_string().starts_with(whose), "{why}");
        }
        let late = setup.verifier.verify(token, None, &orders(1), at(60)).unwrap_err();
        assert_eq!(late, VerifierError::Token(TokenError::Expired));
    }
    let unknown = append_block(setup.token(), b"?").unwrap();
    let refused = setup.verify(&unknown, &orders(1)).unwrap_err();
    assert!(matches!(refused, VerifierError::Token(TokenError::Block { at: 1, .. })));
}

#[test]
fn a_token_without_a_scope_is_refused_by_a_verifier() {
    let setup = setup();
    let bare = setup.minted(None);
    assert_eq!(setup.verify(&bare, &orders(1)).unwrap_err(), VerifierError::NoScope);
    // A block's scope is not the token's: its holder wrote it.
    let narrowed = bare.attenuate(&asked(), None).unwrap();
    assert_eq!(setup.verify(&narrowed, &orders(1)).unwrap_err(), VerifierError::NoScope);
}

/// attack 73: the operator of a verifier can rebuild, from what it is shown, the whole token that was made for
/// it, and the gate takes none of that
#[test]
fn a_verifier_and_a_gate_take_nothing_of_each_other() {
    let ring = KeyRing::from_secret(secret());
    let exported = ring.audience_secret("search").unwrap();
    let policy = Policy::builder().rule(Rule::permit("all").any_tool().any_args().any_resource());
    let builder =
        || Broker::builder(policy.clone().build().unwrap()).clock(ManualClock::new(at(0)));
    // The gate's audience has the same name, even.
    for audience in ["hallpass", "search"] {
        let keys = KeyRing::from_secret(secret());
        let broker = builder().keys(keys).audience(audience).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let asked = || Scope::tool("db.query").any_args();
        let verifier = Verifier::new(ring.audience_secret("search").unwrap(), "hallpass");
        let gate = |token: &Token| {
            let context = Context::new();
            broker
                .gate()
                .check(token, &agent, &orders(1), &context)
                .map(drop)
                .map_err(|d| d.reason())
        };
        if audience == "search" {
            let denial = task.request(asked().embedded_for("search"), &Context::new()).unwrap_err();
            assert_eq!(denial.reason(), Reason::MalformedScope, "a verifier has another audience");
        } else {
            let grant = task.request(asked().embedded_for("search"), &Context::new()).unwrap();
            let token = grant.token_for("search").unwrap();
            assert!(grant.token_for("hallpass").is_none());
            assert!(verifier.verify(token, None, &orders(1), at(0)).is_ok());
            assert_eq!(gate(token), Err(Reason::BadSignature));
            let presented = token.present(&orders(1), at(0)).unwrap();
            let presented = Token::from_text(presented.expose().to_owned());
            assert_eq!(gate(&presented), Err(Reason::BadSignature));
        }
        let grant = task.request(asked(), &Context::new()).unwrap();
        assert_eq!(gate(grant.token()), Ok(()));
        let refused = verifier.verify(grant.token(), None, &orders(1), at(0)).unwrap_err();
        assert_eq!(refused, VerifierError::Token(TokenError::BadSignature));
        // What the verifier's key can sign, it signs for no gate.
        let other =
            AudienceSecret::from_parts(audience, exported.key_id(), exported.expose()).unwrap();
        let forging = Verifier::new(other, "hallpass");
        let forged = forging.verify(grant.token(), None, &orders(1), at(0)).unwrap_err();
        assert_eq!(forged, VerifierError::Token(TokenError::BadSignature));
        let keys = KeyRing::from_secret(secret());
        let (gates, verifiers) = (gate_keys(&keys, audience), verifier_keys(&keys, audience));
        let claims = Claims {
            issuer: "hallpass",
            audience,
            task: task.name(),
            generation: 1,
            grant: grant.id(),
            serial: grant.serial(),
            holder: "agent-7",
            issued: at(0),
            expires: at(60),
            scope: None,
        };
        assert_eq!(gate(&mint(&verifiers.unwrap(), &claims).unwrap()), Err(Reason::BadSignature));
        assert_eq!(gate(&mint(&gates.unwrap(), &claims).unwrap()), Ok(()), "that is all it takes");
    }
}

#[test]
fn one_grant_has_a_token_for_each_verifier_that_was_asked_for_up_to_eight() {
    let setup = setup();
    let audiences: Vec<String> = (0..9).map(|at| format!("verifier-{at}")).collect();
    let scope = |count: usize| {
        audiences[..count].iter().fold(asked(), |scope, audience| scope.embedded_for(audience))
    };
    let grant = setup.task.request(scope(8), &Context::new()).unwrap();
    let expires = grant.expires();
    for audience in &audiences[..8] {
        let secret = setup.ring.audience_secret(audience).unwrap();
        let verifier = Verifier::new(secret, "hallpass");
        let answer = verifier.verify(grant.token_for(audience).unwrap(), None, &orders(1), at(0));
        let answer = answer.unwrap();
        assert_eq!((answer.grant(), answer.expires()), (grant.id(), expires));
    }
    assert!(grant.token_for(&audiences[8]).is_none());
    for refused in [scope(9), asked().embedded_for(""), asked().embedded_for(&"a".repeat(256))] {
        let denial = setup.task.request(refused, &Context::new()).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedScope);
    }
    let both = asked().embedded_for("a").and(Scope::tool("x").any_args().embedded_for("b"));
    let grant = setup.task.request(both, &Context::new()).unwrap();
    assert!(grant.token_for("a").is_some() && grant.token_for("b").is_some());
}

/// attack 53: what a block cannot say, and what was signed for another audience or by another key
#[test]
fn a_verifier_takes_its_own_audience_its_own_key_its_holder_and_its_time() {
    let setup = setup();
    let token = setup.token();
    let refused = |verifier: &Verifier, holder, now| {
        verifier.verify(token, holder, &orders(1), now).unwrap_err()
    };
    let other_audience = Verifier::new(setup.ring.audience_secret("mail").unwrap(), "hallpass");
    assert_eq!(
        refused(&other_audience, None, at(0)),
        VerifierError::Token(TokenError::BadSignature)
    );
    let other_ring = KeyRing::generate().unwrap().audience_secret("search").unwrap();
    assert!(matches!(
        refused(&Verifier::new(other_ring, "hallpass"), None, at(0)),
        VerifierError::Token(TokenError::UnknownKey(_))
    ));
    let other_issuer = Verifier::new(setup.ring.audience_secret("search").unwrap(), "acme");
    assert_eq!(
        refused(&other_issuer, None, at(0)),
        VerifierError::Issuer { given: "hallpass".into(), expected: "acme".into() }
    );
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
    let presentation = setup.token().present(&orders(1), at(10)).unwrap();
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
    assert!(setup.verify(setup.token(), &orders(1)).is_ok());
    let (trimmed, cuts) =
        setup.task.request_trimmed(asked().embedded_for("search"), &Context::new()).unwrap();
    assert!(cuts.is_empty());
    assert!(setup.verify(trimmed.token_for("search").unwrap(), &orders(1)).is_ok());
    let refused = setup.verify(trimmed.token_for("search").unwrap(), &orders(1001)).unwrap_err();
    assert!(matches!(refused, VerifierError::OutOfScope(_)), "{refused:?}");
}

/// The minter's mistake is not a way in either.
#[test]
fn a_scope_that_is_none_is_refused() {
    let setup = setup();
    for scope in [&b"\0"[..], b"\x01", b"opaque", b"\x01\x08db.query\x08\0"] {
        let token = setup.minted(Some(scope));
        let refused = setup.verify(&token, &orders(1)).unwrap_err();
        assert!(matches!(refused, VerifierError::Scope(_)), "{scope:?}");
    }
}

#[test]
fn a_scope_without_a_spelling_in_tokens_cannot_be_embedded() {
    let setup = setup();
    // More parts than a token's scope may have, and no more than a scope.
    let scope = Scope::tool("db.query").arg("table", one_of(0..600));
    assert!(setup.task.request(scope.clone(), &Context::new()).is_ok());
    let denial = setup.task.request(scope.embedded_for("search"), &Context::new()).unwrap_err();
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
