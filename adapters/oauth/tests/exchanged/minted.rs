//! What is issued, and how it ends.

use std::time::Duration;

use hallpass::credential::{
    AsyncCredentialProvider as _, CredentialProvider as _, Debt, Gone, Handle, Withdrawn,
};
use hallpass::prelude::*;
use hallpass_oauth::{AsyncTokenExchange, TokenExchange};
use serde_json::json;

use crate::asynchronous::now;
use crate::server::checked;
use crate::world::*;

#[test]
fn a_token_is_for_one_audience_a_few_scopes_and_the_chain_of_who_acts_for_whom() {
    let world = World::new();
    let (_task, grant) = world.request().unwrap();
    let token = world.lent(&grant).unwrap();
    let claims = checked(&token).unwrap();
    assert_eq!(claims["sub"], "alice@acme.test");
    assert_eq!(claims["act"], json!({ "sub": "agent-7", "act": { "sub": "planner" } }));
    assert_eq!(claims["aud"], "https://orders.acme.test");
    assert_eq!(claims["scope"], "orders.read orders.list");
    // One for each grant: the next call has the same, another grant another.
    assert_eq!(world.lent(&grant).unwrap(), token);
    let (_other, theirs) = world.request().unwrap();
    assert_ne!(world.lent(&theirs).unwrap(), token);
    let asked = world.server.asked();
    assert_eq!(asked.len(), 2);
    let names: Vec<&str> = asked[0].keys().map(String::as_str).collect();
    let expected = [
        "actor_token",
        "actor_token_type",
        "audience",
        "grant_type",
        "requested_token_type",
        "scope",
        "subject_token",
        "subject_token_type",
    ];
    assert_eq!(names, expected);
    assert!(asked[0].values().all(|values| values.len() == 1));
}

#[test]
fn the_one_that_acts_now_is_outermost_and_the_first_is_innermost() {
    let mut world = World::new();
    let holder = ["third", "second", "first"]
        .into_iter()
        .fold(Assertion::agent("agent-7"), |holder, id| holder.acts_for(id, Kind::Agent));
    let holder = holder.acts_for("alice@acme.test", Kind::Human);
    world.agent = world.broker.assert_identity(holder).unwrap();
    let (_task, grant) = world.request().unwrap();
    let claims = checked(&world.lent(&grant).unwrap()).unwrap();
    let first = json!({ "sub": "first" });
    let second = json!({ "sub": "second", "act": first });
    let third = json!({ "sub": "third", "act": second });
    assert_eq!(claims["act"], json!({ "sub": "agent-7", "act": third }));
}

#[test]
fn a_holder_that_acts_for_no_one_is_the_subject_and_no_actor_is_named() {
    let mut world = World::new();
    world.agent = world.broker.assert_identity("agent-9").unwrap();
    let (_task, grant) = world.request().unwrap();
    let claims = checked(&world.lent(&grant).unwrap()).unwrap();
    assert_eq!((&claims["sub"], claims.get("act")), (&json!("agent-9"), None));
    assert!(!world.server.asked()[0].contains_key("actor_token_type"));
}

/// What has no withdrawal is said to stand until it expires, and is gone then.
#[test]
fn after_the_end_a_token_is_owed_until_it_has_expired() {
    let world = World::new();
    let (task, grant) = world.request().unwrap();
    world.lent(&grant).unwrap();
    task.complete();
    assert!(world.broker.standing().is_empty(), "here it is over at once");
    world.broker.tend(Duration::from_secs(1));
    let [owed] = &*world.broker.obligations() else { panic!("one is owed") };
    assert_eq!(owed.debt, Debt::Lasting);
    assert_eq!(owed.last_error.as_deref(), Some("token exchange has no withdrawal"));
    // 300 seconds, and the ten in which it may have been issued.
    assert_eq!(owed.due.to_string(), "2026-01-01T00:05:10Z");
    world.clock.advance(Duration::from_secs(309));
    assert_eq!(world.broker.tend(Duration::from_secs(1)).owed, 1);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.broker.tend(Duration::from_secs(1)).gone, 1);
    assert!(world.broker.obligations().is_empty());
}

/// What the server says counts, and not what was planned before.
#[test]
fn a_token_that_lives_less_long_is_owed_for_less_long() {
    let world = World::new();
    let (task, grant) = world.request().unwrap();
    world.server.change(|_, said, claims| {
        said.insert("expires_in".to_owned(), json!(100));
        let exp = claims["exp"].as_u64().unwrap() - 200;
        claims.insert("exp".to_owned(), json!(exp));
    });
    world.lent(&grant).unwrap();
    task.complete();
    world.broker.tend(Duration::from_secs(1));
    assert_eq!(world.broker.obligations()[0].due.to_string(), "2026-01-01T00:01:50Z");
}

/// Its provider is asked by a broker that has the log of another alone.
#[test]
fn a_token_is_never_said_to_be_gone_nor_withdrawn_however_little_is_known_of_it() {
    let (_clock, server) = start();
    let provider = TokenExchange::new(exchange(&server), Client::default());
    let other = AsyncTokenExchange::new(exchange(&server), Client::default());
    for detail in ["asked=2026-01-01T00:00:00Z until=2026-01-01T00:05:10Z", "", "until=later"] {
        let handle = Handle::new("hp_orders_00000000000000000000000000000000", detail);
        assert_eq!(provider.verify(&handle), Gone::Unknown, "{detail}");
        assert_eq!(now(other.verify(&handle)), Gone::Unknown, "{detail}");
        for withdrawn in [provider.withdraw(&handle, None), now(other.withdraw(&handle, None))] {
            let is_lasting = matches!(withdrawn, Withdrawn::Impossible { .. });
            let is_unknown = matches!(withdrawn, Withdrawn::Retry { .. });
            assert_eq!(
                (is_lasting, is_unknown),
                match detail.len() > 20 {
                    true => (true, false),
                    false => (false, true),
                },
                "{detail}: {withdrawn:?}"
            );
        }
    }
}

#[test]
fn a_request_is_refused_where_no_rule_accepts_that_a_token_outlives_its_task() {
    for tail in [None, Some("5m"), Some("309s")] {
        let tail = tail.map(|tail| format!("tail = \"{tail}\", ")).unwrap_or_default();
        let world = World::with(&POLICY.replace("tail = \"310s\", ", &tail), |own| own);
        let denial = world.request().unwrap_err();
        assert_eq!(denial.reason(), Reason::TailTooLong, "{tail}");
        assert!(world.server.asked().is_empty());
    }
}

#[test]
fn what_can_not_be_read_is_taken_where_the_host_says_that_it_is_opaque() {
    for (opaque, taken) in [(true, true), (false, false)] {
        let world = World::with(POLICY, |own| if opaque { own.opaque() } else { own });
        world.server.change(|_, said, _| {
            said.insert("access_token".to_owned(), json!("an-opaque-token-0123456789"));
        });
        let (_task, grant) = world.request().unwrap();
        assert_eq!(world.lent(&grant).is_ok(), taken);
    }
}
