//! Who may ask, and who it is about.

use serde_json::{Value, json};

use crate::ORDERS;
use crate::server::{ONE, SECRET, SEVERAL, Server, question};
use crate::world::Folder;
use crate::world::gated::{of_kind, records};

/// Nothing is decided, and no body is read, for those who do not know a secret.
#[test]
fn without_a_secret_nothing_is_asked() {
    let server = Server::new(ORDERS, &[]);
    let body = question("ana", "read", "7").to_string();
    let ask = |path: &str, headers: &str| {
        let length = body.len();
        server.exchange(
            format!(
                "POST {path} HTTP/1.1\r\nHost: pdp.test\r\nConnection: close\r\n{headers}\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    };
    let bearer = |secret: &str| format!("Authorization: Bearer {secret}\r\n");
    for path in [ONE, SEVERAL] {
        for headers in [
            String::new(),
            bearer(""),
            bearer(&SECRET[1..]),
            bearer(&SECRET.to_uppercase()),
            bearer(&format!("{SECRET}{SECRET}")),
            format!("Authorization: {SECRET}\r\n"),
            format!("Proxy-Authorization: Bearer {SECRET}\r\n"),
            // A proxy in front may have looked at the other one.
            format!("{}{}", bearer("x"), bearer(SECRET)),
            format!("{}{}", bearer(SECRET), bearer("x")),
        ] {
            let response = ask(path, &headers);
            assert_eq!(response.status, 401, "{headers}");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"));
            assert!(!response.body.contains("decision"), "{headers} {response:?}");
        }
        assert_eq!(ask(path, &bearer(SECRET)).json()["decision"], true);
    }
    let records = records(&server.end().folder);
    assert_eq!(of_kind(&records, "permitted").len(), 2);
}

#[test]
fn a_secret_follows_another() {
    let folder = Folder::new();
    folder.write("two", format!("{}\n{SECRET}\n", "x".repeat(40)));
    let server = Server::as_told(folder, ORDERS, &["--bearer-file", "two"]);
    assert!(server.may(&question("ana", "read", "7")));
}

#[test]
fn health_is_told_to_all_and_nothing_else_is() {
    let server = Server::new(ORDERS, &[]);
    let health = server.get("/health");
    assert_eq!((health.status, &*health.body), (200, "ok\n"));
    assert!([401, 405].contains(&server.get(ONE).status));
    assert_eq!(server.get("/.well-known/authzen-configuration").status, 404, "no address is told");
    assert_eq!(server.get("/").status, 404);
}

/// A subject is who it is by its type, too, and of no kind if none is told of its type.
#[test]
fn a_type_is_a_kind_of_identity_that_is_told() {
    let policy = r#"
        version = 1
        rule = [{ id = "r", effect = "permit", who = { kind = "agent" }, what = { tool = "read", resource = { type = "order", id = "any" } } }]
    "#;
    let server = Server::new(policy, &["--subject", "bot=agent", "--subject", "agent=human"]);
    let of = |of_type: &str| {
        let mut own = question("b-1", "read", "7");
        own["subject"]["type"] = json!(of_type);
        server.ask(&own)
    };
    assert_eq!(of("bot")["decision"], true);
    for (of_type, reason) in [
        ("user", "not_permitted"),
        ("agent", "not_permitted"),
        ("spaceship", "unknown_subject_type"),
        ("", "unknown_subject_type"),
    ] {
        assert_eq!(
            of(of_type),
            json!({ "decision": false, "context": { "reason": reason } }),
            "{of_type}"
        );
    }
}

/// An agent that acts for someone is that agent, in the chain that is said, and never the one that it acts for.
#[test]
fn who_acts_for_a_subject_is_who_is_decided_about() {
    let policy = r#"
        version = 1
        rule = [{ id = "r", effect = "permit", who = { kind = "agent", id = "helper", acts_for = { has_any = ["ana"] } }, what = { tool = "read", resource = { type = "order", id = "any" } } }]
    "#;
    let server = Server::new(policy, &[]);
    let acting = |act: Value| {
        let mut own = question("ana", "read", "7");
        own["subject"]["properties"] = json!({ "act": act });
        server.post(ONE, &own.to_string())
    };
    assert_eq!(acting(json!({ "sub": "helper" })).json()["decision"], true);
    assert_eq!(
        acting(json!({ "sub": "helper", "act": { "sub": "planner" } })).json()["decision"],
        true
    );
    assert_eq!(
        acting(json!({ "sub": "planner", "act": { "sub": "helper" } })).json()["decision"],
        false
    );
    assert!(!server.may(&question("ana", "read", "7")), "she did not ask herself");
    for act in [
        json!(null),
        json!("helper"),
        json!({}),
        json!({ "sub": 1 }),
        json!({ "sub": "helper", "act": [] }),
        json!({ "sub": "ana" }),
    ] {
        assert_eq!(acting(act.clone()).status, 400, "{act}");
    }
    let records = records(&server.end().folder);
    assert_eq!(of_kind(&records, "permitted")[1]["acts_for"], json!(["planner", "ana"]));
}

/// What operators know goes before what is said, of subjects, of resources and of the moment.
#[test]
fn what_is_known_is_not_unsaid() {
    let folder = Folder::new();
    let known = json!({
        "subjects": [{ "type": "user", "id": "cyd", "properties": { "role": "guest" } }],
        "resources": [{ "type": "order", "id": "9", "properties": { "sealed": true } }],
    });
    folder.write("known.json", known.to_string());
    let options = ["--entities", "known.json", "--context", "night:=false"];
    let server = Server::in_folder(folder, ORDERS, &options);

    let mut own = question("cyd", "refund", "7");
    own["subject"]["properties"] = json!({ "role": "clerk" });
    own["action"]["properties"] = json!({ "amount": 5 });
    assert!(!server.may(&own), "she is a guest");
    own["subject"]["id"] = json!("dan");
    assert!(server.may(&own), "of him nothing is known");

    let mut own = question("ana", "read", "9");
    own["resource"]["properties"] = json!({ "sealed": false });
    assert!(!server.may(&own), "it is sealed");
    own["resource"]["id"] = json!("7");
    assert!(server.may(&own));
    own["resource"]["properties"] = json!({ "sealed": true });
    assert!(!server.may(&own), "what is said of others counts");

    let mut own = question("ana", "read", "7");
    own["context"] = json!({ "night": true });
    assert!(server.may(&own), "it is not night");
}

/// What time it is the broker knows by itself; what else is said of the moment counts.
#[test]
fn a_request_does_not_say_what_time_it_is() {
    let policy = r#"
        version = 1
        rule = [{ id = "r", effect = "permit", what = { tool = "read", resource = { type = "order", id = "any" } }, when = { zone = "eu" } }]
    "#;
    let server = Server::new(policy, &[]);
    let mut own = question("ana", "read", "7");
    own["context"] = json!({ "time": "1985-10-26T01:22-07:00", "zone": "eu" });
    assert!(server.may(&own));
    own["context"] = json!({ "zone": "us" });
    assert!(!server.may(&own));
    own["context"] = json!({ "seen": "x", "zone": "eu" });
    assert_eq!(server.ask(&own)["context"]["reason"], "bad_request", "a name of the broker's own");
}
