//! An identity never outlives its evidence.

use std::time::Duration;

use hallpass::clock::ManualClock;
use hallpass::identity::Kind;
use hallpass::prelude::*;
use hallpass_identity::{Keys, Revocations};
use serde_json::json;

use crate::world::{NOW, Signer, at, but, claims, oidc, set_of};

#[test]
fn an_identity_is_good_until_its_token_expires_and_not_longer() {
    let signer = Signer::new("key-1", 7);
    let verifier = oidc(Keys::new(set_of(&[signer.jwk()])));
    let clock = ManualClock::new(at(NOW));
    let rule = Rule::permit("readers").tool("read").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let token = signer.token(&but(claims(), json!({ "exp": NOW + 60 })));
    let verified = verifier.verify(&token, at(NOW)).unwrap();
    // What the host says of its own makes it no longer.
    let stated = verified.assertion(Kind::Human).group("staff").until(at(NOW + 3600));
    let caller = broker.assert_identity(stated).unwrap();
    assert_eq!((caller.subject().as_str(), caller.until()), ("user-17", Some(at(NOW + 60))));

    let (gate, context) = (broker.gate(), Context::new());
    let task = broker.open(&caller, Purpose::new("reading")).unwrap();
    let grant = task.request(Scope::tool("read").any_args(), &context).unwrap();
    let call = Call::new("read", json!({})).unwrap();
    clock.advance(Duration::from_millis(59_999));
    assert!(gate.authorize(&grant, &caller, call.clone(), &context).is_ok());
    clock.advance(Duration::from_millis(1));
    let denial = gate.authorize(&grant, &caller, call, &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::IdentityExpired);
    assert!(verifier.verify(&token, at(NOW + 60)).is_err(), "nor can it be attested anew");
    assert!(broker.open(&caller, Purpose::new("reading")).is_err());
}

#[test]
fn what_was_issued_before_its_subject_was_revoked_is_refused() {
    let signer = Signer::new("key-1", 7);
    let revoked = Revocations::new();
    let verifier = oidc(Keys::new(set_of(&[signer.jwk()]))).revoked_by(&revoked);
    let takes = |changes| verifier.verify(&signer.token(&but(claims(), changes)), at(NOW)).is_ok();
    assert!(takes(json!({})));
    assert!(revoked.revoke("user-17", at(NOW - 50)));
    assert!(
        !takes(json!({})) && !takes(json!({ "iat": NOW - 50 })) && !takes(json!({ "iat": null }))
    );
    assert!(takes(json!({ "iat": NOW - 49 })) && takes(json!({ "sub": "user-18" })));
    // An older word takes nothing back.
    assert!(revoked.revoke("user-17", at(NOW - 90)));
    assert!(!takes(json!({ "iat": NOW - 50 })));
    revoked.forget_before(at(NOW - 50));
    assert!(!takes(json!({})));
    revoked.forget_before(at(NOW - 49));
    assert!(takes(json!({})));
    for n in 0..65_536 {
        assert!(revoked.revoke(&n.to_string(), at(NOW)));
    }
    assert!(!revoked.revoke("one more", at(NOW)) && revoked.revoke("7", at(NOW)));
}
