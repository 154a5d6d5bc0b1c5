//! Security events: what is taken, once each, and what comes of it.

use std::sync::{Arc, Mutex};

use hallpass::clock::ManualClock;
use hallpass::identity::Assertion;
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass_identity::{
    Action, Algorithm, EventKind, Keys, Received, Revocations, SignalReceiver,
};
use serde_json::{Value, json};

use crate::world::{AUDIENCE, ISSUER, NOW, Signer, at, but, claims, oidc, set_of};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

pub(crate) fn event(kind: &str, details: Value) -> Value {
    let uri = format!("{CAEP}{kind}");
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "jti": "set-1", "iat": NOW - 10,
        "sub_id": { "format": "iss_sub", "iss": ISSUER, "sub": "user-17" },
        "events": { uri: details },
    })
}

fn signed(signer: &Signer, claims: &Value) -> String {
    let header = but(signer.header(), json!({ "typ": "secevent+jwt" }));
    signer.sign(&header.to_string(), &claims.to_string())
}

/// A broker of which `user-17`, of the group `staff`, holds something.
pub(crate) struct World {
    broker: Broker,
    caller: Identity,
    task: Task,
    grant: Grant,
    pub(crate) signer: Signer,
}

pub(crate) fn world() -> World {
    let rule = Rule::permit("readers").tool("read").any_args().who_groups(has_any(["staff"]));
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(ManualClock::new(at(NOW))).build().unwrap();
    let caller = broker.assert_identity(Assertion::human("user-17").group("staff")).unwrap();
    let task = broker.open(&caller, Purpose::new("reading")).unwrap();
    let grant = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
    World { broker, caller, task, grant, signer: Signer::new("key-1", 7) }
}

impl World {
    pub(crate) fn receiver(
        &self,
        decide: impl Fn(&hallpass_identity::SecurityEvent) -> Action + Send + Sync + 'static,
    ) -> SignalReceiver {
        let keys = Keys::new(set_of(&[self.signer.jwk()]));
        SignalReceiver::new(ISSUER, AUDIENCE, Algorithm::EdDSA, keys, decide).unwrap()
    }

    pub(crate) fn calls(&self) -> Result<(), Code> {
        let call = Call::new("read", json!({})).unwrap();
        let permit = self.broker.gate().authorize(&self.grant, &self.caller, call, &Context::new());
        permit.map(drop).map_err(|denial| denial.code())
    }

    pub(crate) fn receive(
        &self,
        receiver: &SignalReceiver,
        claims: &Value,
    ) -> Result<Vec<Received>, String> {
        self.receive_at(receiver, claims, NOW)
    }

    pub(crate) fn receive_at(
        &self,
        receiver: &SignalReceiver,
        claims: &Value,
        now: i64,
    ) -> Result<Vec<Received>, String> {
        let token = signed(&self.signer, claims);
        receiver.receive(&token, &self.broker.control(), at(now)).map_err(|error| error.to_string())
    }
}

pub(crate) fn done(kind: EventKind) -> Vec<Received> {
    vec![Received::Done { kind, id: "user-17".to_owned() }]
}

#[test]
fn a_revoked_session_ends_what_is_held_and_keeps_earlier_tokens_out() {
    let world = world();
    let revoked = Revocations::new();
    let verifier = oidc(Keys::new(set_of(&[world.signer.jwk()]))).revoked_by(&revoked);
    let token = |issued| world.signer.token(&but(claims(), json!({ "iat": issued })));
    assert!(verifier.verify(&token(NOW - 100), at(NOW)).is_ok() && world.calls().is_ok());
    let receiver = world.receiver(Action::cautious).revokes(&revoked);
    let claims = event("session-revoked", json!({ "event_timestamp": NOW - 50 }));
    assert_eq!(world.receive(&receiver, &claims), Ok(done(EventKind::SessionRevoked)));
    assert_eq!(world.calls(), Err(Code::InvalidToken));
    assert!(world.broker.standing().is_empty());
    assert!(verifier.verify(&token(NOW - 50), at(NOW)).is_err());
    assert!(verifier.verify(&token(NOW - 49), at(NOW)).is_ok(), "who signs in again comes back");
    let _ = world.task;
}

#[test]
fn a_device_that_does_not_comply_halts_and_a_restated_subject_drifts() {
    let device = world();
    let receiver = device.receiver(Action::cautious);
    let compliance = |jti, status: &str| {
        let claims = event("device-compliance-change", json!({ "current_status": status }));
        but(claims, json!({ "jti": jti }))
    };
    let nothing =
        Received::Nothing { kind: EventKind::DeviceComplianceChange, id: "user-17".to_owned() };
    assert_eq!(device.receive(&receiver, &compliance("1", "compliant")), Ok(vec![nothing]));
    assert!(device.calls().is_ok());
    let halted = device.receive(&receiver, &compliance("2", "not-compliant"));
    assert_eq!(
        (halted, device.calls()),
        (Ok(done(EventKind::DeviceComplianceChange)), Err(Code::Halted))
    );

    let claims = world();
    let receiver =
        claims.receiver(|event| Action::Restate(Assertion::human(event.id()).group("guests")));
    let change = event("token-claims-change", json!({ "claims": { "role": "guest" } }));
    assert_eq!(claims.receive(&receiver, &change), Ok(done(EventKind::TokenClaimsChange)));
    assert_eq!(claims.calls(), Err(Code::InvalidToken), "its grant has drifted");
}

#[test]
fn each_token_is_acted_upon_once() {
    let world = world();
    let acted = Arc::new(Mutex::new(0));
    let count = acted.clone();
    let receiver = world.receiver(move |_| {
        *count.lock().unwrap() += 1;
        Action::Nothing
    });
    let claims = event("risk-level-change", json!({ "current_level": "HIGH" }));
    assert_ne!(world.receive(&receiver, &claims), Ok(vec![Received::Again]));
    for _ in 0..3 {
        assert_eq!(world.receive(&receiver, &claims), Ok(vec![Received::Again]));
    }
    // It is forgotten only when it is too old to be taken.
    let day = 24 * 60 * 60;
    assert_eq!(world.receive_at(&receiver, &claims, NOW - 10 + day), Ok(vec![Received::Again]));
    let late = world.receive_at(&receiver, &claims, NOW - 9 + day).unwrap_err();
    assert!(late.contains("older than is remembered"), "{late}");
    assert_eq!(*acted.lock().unwrap(), 1);
}

#[test]
fn an_earlier_event_that_comes_later_takes_away_and_gives_nothing_back() {
    let world = world();
    let receiver = world.receiver(|event| match event.text("current_level") {
        Some("HIGH") => Action::Halt,
        _ => Action::Restate(Assertion::human(event.id()).group("staff")),
    });
    let level = |jti, level: &str, at: i64| {
        let claims =
            event("risk-level-change", json!({ "current_level": level, "event_timestamp": at }));
        but(claims, json!({ "jti": jti }))
    };
    let old =
        vec![Received::OutOfOrder { kind: EventKind::RiskLevelChange, id: "user-17".to_owned() }];
    assert_eq!(
        world.receive(&receiver, &level("1", "LOW", NOW - 20)),
        Ok(done(EventKind::RiskLevelChange))
    );
    assert_eq!(world.receive(&receiver, &level("2", "LOW", NOW - 30)), Ok(old.clone()));
    let between = world.receive(&receiver, &level("5", "LOW", NOW - 25));
    assert_eq!(between, Ok(old.clone()), "the latest is still the latest");
    assert_eq!(world.receive(&receiver, &level("3", "HIGH", NOW - 40)), Ok(old));
    assert_eq!(world.calls(), Err(Code::Halted));
    assert_eq!(
        world.receive(&receiver, &level("4", "LOW", NOW - 20)),
        Ok(done(EventKind::RiskLevelChange))
    );
    assert_eq!(world.calls(), Err(Code::Halted), "an operator resumes it");
}

#[test]
fn a_token_that_is_no_security_event_of_the_transmitter_does_nothing() {
    let world = world();
    let receiver = world.receiver(|_| Action::Halt);
    let base = || event("session-revoked", json!({}));
    let subject = |own: Value| json!({ "sub_id": own });
    let table = [
        (json!({ "iss": null }), "has no `iss`", "invalid_request"),
        (json!({ "iss": "https://thief.test" }), "another issuer", "invalid_issuer"),
        (json!({ "aud": null }), "has no `aud`", "invalid_request"),
        (json!({ "aud": "others" }), "another audience", "invalid_audience"),
        (json!({ "aud": [AUDIENCE, "others"] }), "another audience", "invalid_audience"),
        (json!({ "aud": [] }), "another audience", "invalid_audience"),
        (json!({ "jti": null }), "has no `jti`", "invalid_request"),
        (json!({ "jti": "" }), "has no `jti`", "invalid_request"),
        (json!({ "iat": null }), "has no `iat`", "invalid_request"),
        (json!({ "iat": NOW + 61 }), "`iat` in the future", "invalid_request"),
        (json!({ "exp": NOW }), "has expired", "invalid_request"),
        (json!({ "events": null }), "no events", "invalid_request"),
        (json!({ "events": {} }), "no events", "invalid_request"),
        (json!({ "events": [format!("{CAEP}session-revoked")] }), "no events", "invalid_request"),
        (
            json!({ "events": { format!("{CAEP}session-revoked"): 1 } }),
            "no events",
            "invalid_request",
        ),
        (json!({ "sub_id": null }), "none that the host knows", "invalid_request"),
        (subject(json!("user-17")), "none that the host knows", "invalid_request"),
        (
            subject(json!({ "format": "iss_sub", "iss": "https://other.test", "sub": "user-17" })),
            "none that",
            "invalid_request",
        ),
        (subject(json!({ "format": "email", "email": "user-17" })), "none that", "invalid_request"),
        (subject(json!({ "iss": ISSUER, "sub": "user-17" })), "none that", "invalid_request"),
        (
            json!({ "events": { format!("{CAEP}session-revoked"): { "subject": { "format": "opaque", "id": "user-18" } } } }),
            "two subjects",
            "invalid_request",
        ),
        (
            json!({ "events": { format!("{CAEP}session-revoked"): { "event_timestamp": NOW + 3600 } } }),
            "`event_timestamp` in the future",
            "invalid_request",
        ),
    ];
    for (changes, why, code) in table {
        let token = signed(&world.signer, &but(base(), changes.clone()));
        let error = receiver.receive(&token, &world.broker.control(), at(NOW)).unwrap_err();
        assert!(error.to_string().contains(why), "{changes}: {error}");
        assert_eq!((error.code(), error.is_passing()), (code, false), "{changes}");
    }
    // Tokens of other types, which the same issuer signs with the same key; and the reverse.
    for typ in [json!("JWT"), json!("at+jwt"), json!(null)] {
        let header = but(world.signer.header(), json!({ "typ": typ }));
        let token = world.signer.sign(&header.to_string(), &base().to_string());
        assert!(receiver.receive(&token, &world.broker.control(), at(NOW)).is_err());
    }
    let as_identity = but(claims(), json!({ "jti": "x", "events": base()["events"] }));
    let verifier = oidc(Keys::new(set_of(&[world.signer.jwk()])));
    assert!(verifier.verify(&signed(&world.signer, &as_identity), at(NOW)).is_err());
    let thief = Signer::new("key-1", 9);
    let error =
        receiver.receive(&signed(&thief, &base()), &world.broker.control(), at(NOW)).unwrap_err();
    assert_eq!(error.code(), "invalid_key");
    assert!(world.calls().is_ok(), "nothing of it did anything");
    // Events that are not known are passed over.
    let unknown = but(base(), json!({ "events": { "https://acme.test/event": {} } }));
    assert_eq!(world.receive(&receiver, &unknown), Ok(vec![]));
    assert_eq!(
        world.receive(&receiver, &but(base(), json!({ "jti": "2" }))),
        Ok(done(EventKind::SessionRevoked))
    );
    assert_eq!(world.calls(), Err(Code::Halted));
}

#[test]
fn what_could_not_be_done_is_not_remembered_as_done() {
    let world = world();
    let fails = Arc::new(Mutex::new(true));
    let own = fails.clone();
    let receiver = world.receiver(move |_| {
        assert!(!*own.lock().unwrap_or_else(std::sync::PoisonError::into_inner), "on cue");
        Action::Revoke
    });
    let claims = event("session-revoked", json!({}));
    let token = signed(&world.signer, &claims);
    let error = receiver.receive(&token, &world.broker.control(), at(NOW)).unwrap_err();
    assert!(error.is_passing() && world.calls().is_ok());
    *fails.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = false;
    assert_eq!(world.receive(&receiver, &claims), Ok(done(EventKind::SessionRevoked)));
    assert_eq!(world.calls(), Err(Code::InvalidToken));
}

#[test]
fn subjects_are_named_by_the_host_where_they_could_be_others() {
    let world = world();
    let named = |subject: &Value| {
        but(
            event("session-revoked", json!({})),
            json!({ "jti": subject.to_string(), "sub_id": subject }),
        )
    };
    let receiver = world.receiver(|_| Action::Nothing);
    let user = json!({ "format": "iss_sub", "iss": ISSUER, "sub": "user-17" });
    let ids = [
        (user.clone(), Some("user-17")),
        (json!({ "format": "opaque", "id": "x-1" }), Some("x-1")),
        (
            json!({ "format": "uri", "uri": "spiffe://acme.test/agent" }),
            Some("spiffe://acme.test/agent"),
        ),
        (
            json!({ "format": "complex", "user": user, "device": { "format": "opaque", "id": "d" } }),
            Some("user-17"),
        ),
        (json!({ "format": "complex", "device": { "format": "opaque", "id": "d" } }), None),
        (json!({ "format": "email", "email": "ada@acme.test" }), None),
    ];
    for (subject, id) in ids {
        let received = world.receive(&receiver, &named(&subject)).ok();
        let expected = id.map(|id| {
            vec![Received::Nothing { kind: EventKind::SessionRevoked, id: id.to_owned() }]
        });
        assert_eq!(received, expected, "{subject}");
    }
    let receiver = world.receiver(|_| Action::Nothing).named_by(|subject| {
        (subject.format() == "email").then(|| subject.text("email").map(str::to_owned))?
    });
    assert!(
        world
            .receive(&receiver, &named(&json!({ "format": "email", "email": "ada@acme.test" })))
            .is_ok()
    );
    let odd = receiver_of_odd(&world);
    let error = world.receive(&odd, &event("session-revoked", json!({}))).unwrap_err();
    assert!(error.contains("can't be acted upon"), "{error}");
}

/// It names subjects as no identity is.
fn receiver_of_odd(world: &World) -> SignalReceiver {
    world.receiver(|_| Action::Revoke).named_by(|_| Some("SPIFFE://acme.test/".to_owned()))
}

#[test]
fn an_earlier_event_of_another_kind_does_not_undo_what_was_restated_since() {
    let world = world();
    let receiver = world.receiver(|event| {
        let is_later = event.kind() == EventKind::TokenClaimsChange;
        let group = if is_later { "guests" } else { "staff" };
        Action::Restate(Assertion::human(event.id()).group(group))
    });
    let change =
        |kind, at: i64| but(event(kind, json!({ "event_timestamp": at })), json!({ "jti": kind }));
    let asks = || world.task.request(Scope::tool("read").any_args(), &Context::new()).is_ok();
    assert!(asks());
    let later = world.receive(&receiver, &change("token-claims-change", NOW - 20));
    assert_eq!((later, asks()), (Ok(done(EventKind::TokenClaimsChange)), false));
    let earlier = world.receive(&receiver, &change("assurance-level-change", NOW - 30));
    let (kind, id) = (EventKind::AssuranceLevelChange, "user-17".to_owned());
    assert_eq!(earlier, Ok(vec![Received::OutOfOrder { kind, id }]));
    assert!(!asks(), "the group that was taken away came back");
}

#[test]
fn a_subject_that_the_host_calls_otherwise_is_revoked_for_its_tokens_too() {
    let world = world();
    let revoked = Revocations::new();
    let verifier = oidc(Keys::new(set_of(&[world.signer.jwk()]))).revoked_by(&revoked);
    let receiver = world
        .receiver(Action::cautious)
        .named_by(|subject| subject.text("sub").map(|sub| format!("acme-{sub}")))
        .revokes(&revoked);
    let before = world.signer.token(&claims());
    assert!(verifier.verify(&before, at(NOW)).is_ok());
    assert!(world.receive(&receiver, &event("session-revoked", json!({}))).is_ok());
    assert!(verifier.verify(&before, at(NOW)).is_err());
}

#[test]
fn subjects_of_long_ago_do_not_keep_new_ones_from_being_revoked() {
    let world = world();
    let receiver = world.receiver(|event| match event.id() {
        "user-17" => Action::Revoke,
        _ => Action::Nothing,
    });
    let kinds = [
        "session-revoked",
        "token-claims-change",
        "credential-change",
        "assurance-level-change",
        "device-compliance-change",
        "risk-level-change",
    ];
    for number in 0..=65_536 / kinds.len() {
        let events: serde_json::Map<String, Value> =
            kinds.iter().map(|kind| (format!("{CAEP}{kind}"), json!({}))).collect();
        let subject = json!({ "format": "opaque", "id": format!("other-{number}") });
        let changes = json!({ "jti": number.to_string(), "sub_id": subject, "events": events });
        let _ = world.receive(&receiver, &but(event("session-revoked", json!({})), changes));
    }
    let later = NOW + 25 * 60 * 60;
    let claims = but(event("session-revoked", json!({})), json!({ "iat": later }));
    let received = world.receive_at(&receiver, &claims, later);
    assert_eq!(received, Ok(done(EventKind::SessionRevoked)));
}
