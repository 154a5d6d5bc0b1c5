//! What is answered, and what is on record then.

use serde_json::{Value, json};

use crate::ORDERS;
use crate::server::{ONE, SEVERAL, Server, question};
use crate::world::gated::{denials, of_kind, outcomes, records};

#[test]
fn a_permit_is_on_record_as_forwarded_and_nothing_stands() {
    let server = Server::new(ORDERS, &[]);
    assert_eq!(server.ask(&question("ana", "read", "7")), json!({ "decision": true }));
    let denied = json!({ "decision": false, "context": { "reason": "not_permitted" } });
    assert_eq!(server.ask(&question("ben", "read", "7")), denied);
    let left = server.end();
    assert_eq!((left.code, &*left.errors), (Some(0), ""));
    let records = records(&left.folder);
    assert_eq!(outcomes(&records), ["forwarded"]);
    let permitted = of_kind(&records, "permitted");
    assert_eq!(permitted.len(), 1);
    assert_eq!((&permitted[0]["who"], &permitted[0]["resource_id"]), (&json!("ana"), &json!("7")));
    assert_eq!(denials(&records), [("read".to_owned(), "not_covered".to_owned())]);
    // The first task is the one in which options are looked at.
    assert_eq!((of_kind(&records, "opened").len(), of_kind(&records, "ended").len()), (3, 3));
}

#[test]
fn what_is_denied_is_explained_to_operators_alone() {
    let server = Server::new(ORDERS, &["--explain"]);
    let mut sealed = question("ana", "read", "7");
    sealed["resource"]["properties"] = json!({ "sealed": true });
    let answer = server.ask(&sealed);
    assert_eq!(answer, json!({ "decision": false, "context": { "reason": "not_permitted" } }));
    let left = server.end();
    assert!(
        left.errors.contains("hallpass: `read`: ") && left.errors.contains("sealed"),
        "{}",
        left.errors
    );
}

#[test]
fn what_people_would_have_to_agree_to_is_denied_with_its_question() {
    let server = Server::new(ORDERS, &[]);
    let refund = |amount: u32| {
        let mut own = question("cyd", "refund", "7");
        own["subject"]["properties"] = json!({ "role": "clerk" });
        own["action"]["properties"] = json!({ "amount": amount });
        own
    };
    assert!(server.may(&refund(20)));
    let answer = server.ask(&refund(21));
    assert_eq!(answer["context"]["reason"], "approval_required");
    assert!(answer["context"]["question"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    assert!(!server.may(&refund(51)), "no one can agree to that");
    let records = records(&server.end().folder);
    let asked = of_kind(&records, "asked");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["question"], answer["context"]["question"]);
}

/// The log says of which trace a request is; what is not a trace, or says two, is left out, and decides nothing.
#[test]
fn the_trace_that_a_request_is_of_stands_with_what_was_decided() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let server = Server::new(ORDERS, &[]);
    let one = format!("traceparent: {TRACE}\r\n");
    for (headers, subject) in [
        (one.clone(), "ana"),
        (one.clone(), "ben"),
        (format!("{one}{one}"), "ana"),
        ("traceparent: 00-1-2-3\r\n".to_owned(), "ana"),
        (String::new(), "ana"),
    ] {
        let body = question(subject, "read", "7").to_string();
        let answer = server.post_with(&headers, ONE, &body);
        assert_eq!((answer.status, &answer.json()["decision"]), (200, &json!(subject == "ana")));
    }
    let records = records(&server.end().folder);
    let trace = |kind: &str| -> Vec<Value> {
        of_kind(&records, kind).iter().map(|own| own["trace"].clone()).collect()
    };
    assert_eq!(trace("permitted"), [json!(TRACE), Value::Null, Value::Null, Value::Null]);
    assert_eq!(trace("denied"), [json!(TRACE)]);
}

#[test]
fn evaluations_end_where_their_semantic_says() {
    let server = Server::new(ORDERS, &[]);
    let (yes, no) = (json!({}), json!({ "subject": { "type": "user", "id": "ben" } }));
    let broken = json!({ "subject": { "type": "user" } });
    let ask = |semantic: &str, evaluations: &[&Value]| -> Vec<bool> {
        let mut own = question("ana", "read", "7");
        own["options"] = json!({ "evaluations_semantic": semantic, "another": 1 });
        own["evaluations"] = json!(evaluations);
        let answer = server.post(SEVERAL, &own.to_string()).json();
        let decisions = answer["evaluations"].as_array().unwrap().iter();
        decisions.map(|own| own["decision"].as_bool().unwrap()).collect()
    };
    assert_eq!(ask("execute_all", &[&yes, &no, &broken, &yes]), [true, false, false, true]);
    assert_eq!(ask("deny_on_first_deny", &[&yes, &no, &yes]), [true, false]);
    assert_eq!(ask("deny_on_first_deny", &[&broken, &yes]), [false], "a failure denies");
    assert_eq!(ask("deny_on_first_deny", &[&yes, &yes]), [true, true]);
    assert_eq!(ask("permit_on_first_permit", &[&no, &broken, &yes, &yes]), [false, false, true]);
    let records = records(&server.end().folder);
    // What was not evaluated is not on record.
    assert_eq!(outcomes(&records).len(), 2 + 1 + 2 + 1);
}

#[test]
fn one_of_several_that_can_not_be_read_says_so_in_its_place() {
    let server = Server::new(ORDERS, &[]);
    let mut own = question("ana", "read", "7");
    own["evaluations"] = json!([{ "resource": { "type": "order" } }, 7, {}]);
    let answer = server.post(SEVERAL, &own.to_string()).json();
    assert_eq!(answer["evaluations"].as_array().map(Vec::len), Some(3));
    let error = |at: usize| answer["evaluations"][at]["context"]["error"].clone();
    assert_eq!(error(0), json!({ "status": 400, "message": "`resource.id` is missing" }));
    assert_eq!(error(1)["status"], 400);
    assert_eq!(answer["evaluations"][2], json!({ "decision": true }));
}

#[test]
fn an_action_that_is_no_tool_is_denied_and_recorded() {
    let server = Server::new(ORDERS, &[]);
    let answer = server.ask(&question("ana", "no tool", "7"));
    assert_eq!(answer, json!({ "decision": false, "context": { "reason": "bad_request" } }));
    let left = server.end();
    let reasons = denials(&records(&left.folder));
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].1, "malformed_call");
}

#[test]
fn a_name_of_the_request_comes_back_with_every_answer() {
    let server = Server::new(ORDERS, &[]);
    for (path, secret, status) in [
        (ONE, "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n", 400),
        (ONE, "", 401),
        ("/nowhere", "", 404),
    ] {
        let response = server.exchange(
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{secret}X-Request-ID: r-1 / \u{e9}\r\n\r\n")
                .as_bytes(),
        );
        assert_eq!(response.status, status);
        assert_eq!(response.header("x-request-id"), Some("r-1 / \u{e9}"));
    }
}

/// Who asks makes the call with its own words, and not with those that were decided about.
#[test]
fn arguments_are_permitted_in_the_spelling_in_which_they_are_made() {
    let policy = r#"
        version = 1
        tool = [{ name = "fetch", args = { url = "url", path = "path?" } }]
        [[rule]]
        id = "r"
        effect = "permit"
        what = { tool = "fetch", args = { url = { url = { host = "acme.test" } }, path = { under = "/data" } }, resource = { type = "order", id = "any" } }
    "#;
    let server = Server::new(policy, &["--explain"]);
    let ask = |url: &str, path: &str| {
        let mut own = question("ana", "fetch", "7");
        own["action"]["properties"] = json!({ "url": url, "path": path });
        server.ask(&own)
    };
    assert_eq!(ask("https://acme.test/a", "/data/a")["decision"], true);
    for (url, path) in [
        ("https://acme.test\\@evil.test/a", "/data/a"),
        ("https:acme.test/a", "/data/a"),
        ("HTTPS://ACME.test:443/x/../a", "/data/a"),
        ("https://acme.test/a", "/data//x/./a"),
        ("https://acme.test/a", "/data/a/"),
    ] {
        let answer = ask(url, path);
        assert_eq!(
            answer,
            json!({ "decision": false, "context": { "reason": "bad_request" } }),
            "{url} {path}"
        );
    }
    let left = server.end();
    assert_eq!(outcomes(&records(&left.folder)), ["forwarded"]);
}

/// What is asked for is this very call, with what is said of its resource.
#[test]
fn a_permit_may_look_at_what_a_resource_has() {
    let policy = r#"
        version = 1
        [[rule]]
        id = "own"
        effect = "permit"
        what = { tool = "read", resource = { type = "order", id = "any", attrs = { owner = { same_as = "who.id" } } } }
    "#;
    let server = Server::new(policy, &[]);
    let ask = |owner: Option<&str>| {
        let mut own = question("ana", "read", "7");
        own["resource"]["properties"] = owner.map_or(json!({}), |owner| json!({ "owner": owner }));
        server.may(&own)
    };
    assert!(ask(Some("ana")) && !ask(Some("ben")) && !ask(None));
    assert_eq!(outcomes(&records(&server.end().folder)), ["forwarded"]);
}
