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

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn the_certification_scenario_passes_but_for_searches() {
    let fixture = corpus("certification");
    let server = Server::new(&policy("certification"), &["--url", "https://pdp.test"]);
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
    assert!(metadata.get("search_subject_endpoint").is_none(), "there are no searches");
    assert_eq!(server.end().code, Some(0));
}
