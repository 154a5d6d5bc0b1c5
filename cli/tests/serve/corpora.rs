//! AuthZEN's published decisions, asked over HTTP.

use serde_json::{Map, Value, json};

use crate::server::{ONE, SEVERAL, Server};
use crate::world::Folder;

fn corpus(name: &str) -> Value {
    let folder = std::env::var("HALLPASS_CORPORA").expect("HALLPASS_CORPORA says where it is");
    let text = std::fs::read_to_string(format!("{folder}/authzen/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn policy(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpora/authzen");
    std::fs::read_to_string(format!("{folder}/{name}.toml")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A request as AuthZEN has it: tables say `principal` and `attrs`.
fn request(row: &Value) -> Value {
    let entity =
        |own: &Value| json!({ "type": own["type"], "id": own["id"], "properties": own["attrs"] });
    json!({
        "subject": entity(&row["principal"]),
        "action": { "name": row["action"]["name"], "properties": row["action"]["attrs"] },
        "resource": entity(&row["resource"]),
        "context": row["context"],
    })
}

/// What a table knows of its subjects, as the command reads it.
fn entities(table: &Value) -> Value {
    let subjects = list(&table["entities"]).iter().map(|own| {
        let email = &own["attrs"]["email"];
        json!({ "type": own["type"], "id": own["id"], "groups": own["groups"], "properties": { "email": email } })
    });
    json!({ "subjects": subjects.collect::<Vec<_>>() })
}

/// Asks each case of a table; how many there were.
fn agree(server: &Server, table: &Value) -> usize {
    for case in list(&table["cases"]) {
        let expected = case["expect"] == "allow";
        assert_eq!(server.may(&request(&case["request"])), expected, "{}", case["id"]);
    }
    list(&table["cases"]).len()
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_decision_of_the_interop_scenarios_agrees() {
    for (name, count) in [("todo", 46), ("gateway", 25)] {
        let (table, folder) = (corpus(name), Folder::new());
        folder.write("known.json", entities(&table).to_string());
        let options = ["--entities", "known.json", "--subject", "identity=human"];
        let server = Server::in_folder(folder, &policy(name), &options);
        assert_eq!(agree(&server, &table), count);
        assert_eq!(server.end().code, Some(0));
    }
}

/// Asks the searches of the scenario; how many there were. Its sections say which endpoint each is sent to.
fn searches(server: &Server, all: &[Value]) -> usize {
    let path = |sought: &str| format!("/access/v1/search/{sought}");
    let mut asked = 0;
    for (at, search) in all.iter().enumerate() {
        let (id, request, expected) =
            (search["id"].as_str().unwrap(), &search["request"], &search["expect"]);
        let sought = match id {
            _ if id.starts_with("c-4-2") || id.starts_with("c-4-5") || id == "c-4-6-2" => "subject",
            _ if id.starts_with("c-4-3") => "resource",
            _ if id.starts_with("c-4-4") || id == "c-4-6-1" => "action",
            // Subject, resource and action, in this order.
            _ => ["subject", "resource", "action"]
                [all[..at].iter().filter(|own| own["id"] == id).count()],
        };
        if id == "c-4-5-2" {
            // The token of the page before.
            let mut request = request.clone();
            request["page"] = json!({ "limit": 1 });
            let first = server.post(&path(sought), &request.to_string()).json();
            request["page"]["token"] = first["page"]["next_token"].clone();
            let second = server.post(&path(sought), &request.to_string()).json();
            assert_eq!(second["page"], json!({ "next_token": "", "count": 1, "total": 2 }));
            assert_ne!(first["results"], second["results"]);
            request["action"]["name"] = json!("write");
            assert_eq!(
                server.post(&path(sought), &request.to_string()).status,
                400,
                "another search"
            );
            asked += 1;
            continue;
        }
        let response = server.post(&path(sought), &request.to_string());
        asked += 1;
        if expected == "malformed" {
            assert_eq!(response.status, 400, "{id} {request}");
            continue;
        }
        let answer = response.json();
        let results = list(&answer["results"]);
        if id == "c-4-5-1" {
            assert_eq!((results.len(), &answer["page"]["count"]), (1, &json!(1)));
            assert_ne!(answer["page"]["next_token"], "");
            continue;
        }
        if let Some(exactly) = expected.get("exactly") {
            assert_eq!(json!(results), *exactly, "{id}");
        }
        for own in list(&expected["at_least"]) {
            assert!(results.contains(own), "{id}: {answer}");
        }
        // What is found is permitted, and what is not found is not.
        if sought == "subject" && expected.get("at_least").is_some() {
            for subject in ["alice", "bob"] {
                let mut own = request.clone();
                own["subject"]["id"] = json!(subject);
                let found = results.iter().any(|own| own["id"] == subject);
                assert_eq!(server.may(&own), found, "{id} {subject}");
            }
        }
    }
    asked
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn the_certification_scenario_passes() {
    let (fixture, folder) = (corpus("certification"), Folder::new());
    let entity =
        |own: &Value| json!({ "type": own["type"], "id": own["id"], "properties": own["attrs"] });
    let of = |of_type: &str| -> Vec<Value> {
        list(&fixture["entities"]).iter().filter(|own| own["type"] == of_type).map(entity).collect()
    };
    let actions = ["read", "write", "delete"];
    let known = json!({ "subjects": of("user"), "resources": of("record"), "actions": actions });
    folder.write("known.json", known.to_string());
    let options = ["--url", "https://pdp.test", "--entities", "known.json"];
    let server = Server::in_folder(folder, &policy("certification"), &options);
    assert_eq!(agree(&server, &fixture), 15);

    // Requests that may be sent to either endpoint.
    for case in list(&fixture["cases"]) {
        let mut request = request(&case["request"]);
        request["unknown"] = json!({ "nested": true });
        for evaluations in [None, Some(json!([]))] {
            request
                .as_object_mut()
                .unwrap()
                .extend(evaluations.map(|own| ("evaluations".to_owned(), own)));
            let response = server.post(SEVERAL, &request.to_string());
            assert_eq!(response.json()["decision"], case["expect"] == "allow", "{}", case["id"]);
        }
    }
    let malformed = list(&fixture["malformed"]);
    for case in malformed {
        for endpoint in [ONE, SEVERAL] {
            let response = server.post(endpoint, &case["request"].to_string());
            assert_eq!(response.status, 400, "{} {response:?}", case["what"]);
            assert!(!response.body.is_empty(), "{}", case["what"]);
        }
    }
    let batches = list(&fixture["batches"]);
    for batch in batches {
        let response = server.post(SEVERAL, &batch["request"].to_string());
        assert_eq!(response.status, 200, "{} {response:?}", batch["id"]);
        let (answer, asked) = (response.json(), list(&batch["request"]["evaluations"]));
        assert_eq!(answer.as_object().map(Map::len), Some(1), "{answer}");
        let decisions = list(&answer["evaluations"]).iter().map(|own| own["decision"].clone());
        let decisions: Vec<Value> = decisions.collect();
        assert!(
            decisions.len() == asked.len() && decisions.iter().all(Value::is_boolean),
            "{answer}"
        );
        if batch["expect"] != "shape only" {
            assert_eq!(json!(decisions), batch["expect"], "{}", batch["id"]);
        }
    }
    assert_eq!((malformed.len(), batches.len()), (10, 8));

    // Discovery.
    let metadata = server.get("/.well-known/authzen-configuration");
    assert_eq!(metadata.status, 200);
    let metadata = metadata.json();
    assert_eq!(metadata["policy_decision_point"], "https://pdp.test");
    assert_eq!(metadata["access_evaluation_endpoint"], format!("https://pdp.test{ONE}"));
    assert_eq!(metadata["access_evaluations_endpoint"], format!("https://pdp.test{SEVERAL}"));
    for sought in ["subject", "resource", "action"] {
        let path = format!("https://pdp.test/access/v1/search/{sought}");
        assert_eq!(metadata[format!("search_{sought}_endpoint")], path);
    }
    assert_eq!(searches(&server, list(&fixture["searches"])), 21);
    assert_eq!(server.end().code, Some(0));
}
