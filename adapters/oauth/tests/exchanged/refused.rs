//! What is not what was asked for.

use std::time::Duration;

use hallpass::prelude::*;
use hallpass::vault::Secret;
use hallpass_oauth::{ClientError, Exchange, ExchangeError, Parties, SubjectToken};
use serde_json::{Map, Value, json};

use crate::world::*;

type Change = fn(&mut u16, &mut Map<String, Value>, &mut Map<String, Value>);

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.insert(name.to_owned(), value);
}

/// attack 178: a token of others, for longer, for more
#[test]
fn a_token_that_is_not_what_was_asked_for_is_refused_and_owed_until_it_has_expired() {
    let changes: [(&str, Change); 25] = [
        ("another status", |status, _, _| *status = 201),
        ("another type", |_, said, _| {
            set(said, "issued_token_type", json!("urn:ietf:params:oauth:token-type:refresh_token"));
        }),
        ("no type", |_, said, _| drop(said.remove("issued_token_type"))),
        ("not a bearer's", |_, said, _| set(said, "token_type", json!("N_A"))),
        ("no kind", |_, said, _| drop(said.remove("token_type"))),
        ("a refresh token", |_, said, _| set(said, "refresh_token", json!("r-0123456789abcdef"))),
        ("a wider scope", |_, said, _| set(said, "scope", json!("orders.read orders.write"))),
        ("no scope at all", |_, said, _| set(said, "scope", json!(""))),
        ("a scope that is none", |_, said, _| set(said, "scope", json!(["orders.read"]))),
        ("no life", |_, said, _| drop(said.remove("expires_in"))),
        ("a life that is none", |_, said, _| set(said, "expires_in", json!("300"))),
        ("a longer life", |_, said, _| set(said, "expires_in", json!(301))),
        ("no token", |_, said, _| set(said, "access_token", Value::Null)),
        ("a short token", |_, said, _| set(said, "access_token", json!("abc"))),
        ("no JWT", |_, said, _| set(said, "access_token", json!("an-opaque-token-0123456789"))),
        ("another subject", |_, _, claims| set(claims, "sub", json!("bob@acme.test"))),
        ("the agent itself", |_, _, claims| set(claims, "sub", json!("agent-7"))),
        ("no actor", |_, _, claims| drop(claims.remove("act"))),
        ("another actor", |_, _, claims| set(claims, "act", json!({ "sub": "agent-8" }))),
        ("another audience", |_, _, claims| set(claims, "aud", json!("https://mail.acme.test"))),
        ("no audience", |_, _, claims| drop(claims.remove("aud"))),
        ("a list of no audience", |_, _, claims| set(claims, "aud", json!([]))),
        ("a further audience", |_, _, claims| {
            set(claims, "aud", json!(["https://orders.acme.test", "https://mail.acme.test"]));
        }),
        ("a later end", |_, _, claims| {
            let end = claims["exp"].as_u64().unwrap() + 11;
            set(claims, "exp", json!(end));
        }),
        ("no end", |_, _, claims| drop(claims.remove("exp"))),
    ];
    for (what, change) in changes {
        let world = World::new();
        let (task, grant) = world.request().unwrap();
        world.server.change(change);
        let denial = world.lent(&grant).unwrap_err();
        assert_eq!(denial.reason(), Reason::CredentialUnavailable, "{what}");
        assert_eq!(world.broker.obligations().len(), 1, "{what}: it was made");
        // The use came back, and the next answer is asked for.
        world.server.recover();
        world.lent(&grant).unwrap();
        task.complete();
        world.clock.advance(Duration::from_secs(310));
        world.broker.tend(Duration::from_secs(1));
        world.clock.advance(Duration::from_secs(310));
        world.broker.tend(Duration::from_secs(1));
        assert!(world.broker.obligations().is_empty(), "{what}");
        // What was issued, and what the parties sent, is in no record.
        let told = format!("{:?} {denial:?} {}", world.records(), denial.explain());
        for token in world.server.issued() {
            assert!(!told.contains(&token), "{what}: {told}");
        }
        let asked = world.server.asked();
        assert!(!told.contains(&asked[0]["subject_token"][0]), "{what}: {told}");
    }
}

#[test]
fn an_answer_that_is_none_leaves_open_whether_a_token_was_made() {
    for answer in [
        "HTTP/1.1 200 x\r\n\r\nnot json",
        "HTTP/1.1 200 x\r\n\r\n[]",
        "HTTP/1.1 200 x\r\n\r\n",
        "HTTP/1.1 302 x\r\nlocation: https://evil.test/\r\n\r\n",
        "HTTP/1.1 500 x\r\n\r\n{\"error\":\"server_error\"}",
        "HTTP/1.1 201 x\r\n\r\n{}",
        // What a proxy says of a server that may have made one.
        "HTTP/1.1 408 x\r\n\r\n",
        "HTTP/1.1 408 x\r\n\r\n{\"status\":408,\"error\":\"Request Timeout\",\"path\":\"/token\"}",
        "HTTP/1.1 499 x\r\n\r\n{\"error\":\"client_closed\"}",
        "HTTP/1.1 400 x\r\n\r\n{\"error\":\"invalid_grant\",\"access_token\":\"t-1\"}",
        "HTTP/1.1 400 x\r\n\r\n{\"error\":\"Bad Gateway Timeout\"}",
        "HTTP/1.1 400 x\r\n\r\n{\"error\":\"\",\"error\":\"invalid_grant\"}",
        "HTTP/1.1 429 x\r\n\r\n<html>",
        "HTTP/1.1 400 x\r\n\r\n{\"message\":\"invalid_grant\"}",
        "HTTP/1.1 401 x\r\n\r\n{\"error\":\"\"}",
        "HTTP/1.1 403 x\r\n\r\n{\"error\":{\"code\":\"denied\"}}",
    ] {
        let world = World::new();
        let (_task, grant) = world.request().unwrap();
        world.server.answer_raw(answer);
        let denial = world.lent(&grant).unwrap_err();
        assert_eq!(denial.reason(), Reason::CredentialUnavailable, "{answer}");
        assert_eq!(world.broker.obligations().len(), 1, "{answer}");
    }
}

#[test]
fn where_the_server_refuses_or_nothing_was_sent_nothing_is_owed() {
    let world = World::new();
    let (_task, grant) = world.request().unwrap();
    // Its description repeats a token, as some do.
    let body =
        json!({ "error": "invalid_grant", "error_description": "bad token: s3cret-s3cret-s3cret" });
    world.server.answer_raw(&format!("HTTP/1.1 400 x\r\n\r\n{body}"));
    let denial = world.lent(&grant).unwrap_err();
    assert!(denial.explain().to_string().contains("400: `invalid_grant`"), "{}", denial.explain());
    assert!(!format!("{:?} {}", world.records(), denial.explain()).contains("s3cret"));
    // No code that is known looks like these.
    for code in ["s3cret-s3cret-s3cret".to_owned(), "s3cret".repeat(11)] {
        let body = json!({ "error": code });
        world.server.answer_raw(&format!("HTTP/1.1 400 x\r\n\r\n{body}"));
        let told = world.lent(&grant).unwrap_err().explain().to_string();
        assert!(told.contains("answered with 400") && !told.contains("s3cret"), "{told}");
    }
    world.server.recover();
    assert!(world.broker.obligations().is_empty());
    *world.client.fails.lock().unwrap() = Some(ClientError::NotSent("no route".into()));
    world.lent(&grant).unwrap_err();
    assert!(world.broker.obligations().is_empty());
    *world.client.fails.lock().unwrap() = Some(ClientError::NoAnswer("cut off".into()));
    world.lent(&grant).unwrap_err();
    assert_eq!(world.broker.obligations().len(), 1);
}

#[test]
fn a_server_that_knows_the_target_not_is_believed() {
    let world = World::with(POLICY, |own| own.audience("https://mail.acme.test"));
    let (_task, grant) = world.request().unwrap();
    let denial = world.lent(&grant).unwrap_err();
    assert!(denial.explain().to_string().contains("invalid_target"), "{}", denial.explain());
    assert!(world.broker.obligations().is_empty());
}

fn text(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

/// However long a tail the rules accept.
#[test]
fn a_token_that_lives_longer_than_the_host_has_said_is_refused() {
    let world = World::with(&POLICY.replace("310s", "1h"), |own| own);
    let (_task, grant) = world.request().unwrap();
    world.server.change(|_, said, _| set(said, "expires_in", json!(301)));
    assert_eq!(world.lent(&grant).unwrap_err().reason(), Reason::CredentialUnavailable);
    world.server.recover();
    world.lent(&grant).unwrap();
}

#[test]
fn what_would_be_good_for_everything_is_not_asked_for() {
    let (_, server) = start();
    let at = format!("http://{}/token", server.at);
    let bare = || Exchange::new(&at, Duration::from_secs(300)).unwrap();
    let plain =
        || bare().parties(|_| Ok(Parties::of(SubjectToken::jwt(text("a.b.c-0123456789ab")))));
    for exchange in [
        plain(),
        plain().audience("https://orders.acme.test"),
        plain().scope("orders.read"),
        plain().audience("https://orders.acme.test").scope("orders.read admin"),
        plain().audience("https://orders.acme.test").scope(""),
        // Nothing says who the parties are.
        bare().audience("https://orders.acme.test").scope("orders.read"),
        plain().audience("https://orders.acme.test").scope("orders.read").parties(|_| {
            let bytes =
                Secret::new(vec![0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
            bytes.map(|own| Parties::of(SubjectToken::jwt(own))).map_err(|error| error.to_string())
        }),
    ] {
        let world = World::with(POLICY, |_| exchange);
        let (_task, grant) = world.request().unwrap();
        let denial = world.lent(&grant).unwrap_err();
        assert_eq!(denial.reason(), Reason::CredentialUnavailable);
        assert!(world.broker.obligations().is_empty());
    }
    assert!(server.asked().is_empty());
}

#[test]
fn an_endpoint_in_the_clear_and_a_life_without_bounds_are_refused() {
    let minute = Duration::from_secs(60);
    for endpoint in [
        "http://login.acme.test/token",
        "login.acme.test",
        "",
        "https://a b",
        "http://127.0.0.1.evil.test/",
    ] {
        assert!(
            matches!(Exchange::new(endpoint, minute), Err(ExchangeError::Endpoint(_))),
            "{endpoint}"
        );
    }
    for life in [Duration::ZERO, Duration::from_secs(86_401)] {
        assert_eq!(Exchange::new("https://x.test/", life).unwrap_err(), ExchangeError::Life(life));
    }
}
