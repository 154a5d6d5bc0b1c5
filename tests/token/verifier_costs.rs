//! What a verifier compares is bounded, as a gate's question is.

use hallpass::clock::{Clock, SystemClock};
use hallpass::key::KeyRing;
use hallpass::prelude::*;
use hallpass::scope::{each, glob};
use hallpass::token::{Verifier, VerifierError};
use serde_json::json;

#[test]
fn a_call_that_is_too_dear_to_compare_is_refused_as_that() {
    let ring = KeyRing::generate().unwrap();
    let verifier = Verifier::new(ring.audience_secret("search").unwrap(), "hallpass");
    let rule = Rule::permit("all").any_tool().any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).keys(ring).build().unwrap();
    let task = broker.open(&broker.assert_identity("a").unwrap(), Purpose::new("errand")).unwrap();
    let scope = Scope::tool("t").arg("x", each(glob("*a*a*a*a*a*a*a*a"))).embedded_for("search");
    let grant = task.request(scope, &Context::new()).unwrap();
    let token = grant.token_for("search").unwrap();
    let now = SystemClock::new().read().unwrap().wall;
    let verified = |many: usize| {
        let texts = vec!["a".repeat(400); many];
        verifier.verify(token, None, &Call::new("t", json!({ "x": texts })).unwrap(), now)
    };
    assert!(verified(1).is_ok());
    let refused = verified(1000).unwrap_err();
    assert!(matches!(refused, VerifierError::TooCostly(_)), "{refused}");
    assert_eq!(refused.code(), Reason::TooCostly.code());
}
