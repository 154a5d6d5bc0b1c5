//! Clients over HTTP.

use serde_json::{Value, json};

use crate::READING;
use crate::http_client::{SECRET, Server, call};
use crate::world::Folder;
use crate::world::gated::{assert_nothing_stands, of_kind, outcomes, records};

fn script() -> Value {
    let result =
        r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"read"}]}}"#;
    json!({ "tools/call fs.read": [result] })
}

#[test]
fn a_session_is_a_task_from_its_handshake_to_its_end() {
    let server = Server::new(READING, &[], script());
    let (one, two) = (server.begin(), server.begin());
    assert!(one != two && one.len() == 32);
    for session in [&one, &two] {
        let result = server.call(session, "fs.read", json!({ "path": "/data/a" }));
        assert_eq!(result["content"][0]["text"], "read");
    }
    let denied = server.call(&one, "fs.read", json!({ "path": "/data/private/a" }));
    assert_eq!(denied["content"][0]["text"], "denied: not_permitted");
    assert_eq!(server.in_session("DELETE", &one, "").status, 204);
    for method in ["DELETE", "GET", "POST"] {
        let response =
            server.in_session(method, &one, &call(8, "fs.read", json!({ "path": "/data/a" })));
        assert_eq!(response.status, 404, "{method}: it is over");
    }
    assert_eq!(
        server.call(&two, "fs.read", json!({ "path": "/data/b" }))["content"][0]["text"],
        "read"
    );
    let (folder, errors) = server.end();
    assert_eq!(errors, "");
    let records = records(&folder);
    assert_nothing_stands(&records);
    assert_eq!(outcomes(&records), ["ok"; 3]);
    let tasks = of_kind(&records, "permitted");
    let tasks: std::collections::BTreeSet<_> =
        tasks.iter().map(|own| own["task"].as_str()).collect();
    assert_eq!(tasks.len(), 2);
    assert_eq!(folder.read("notes").matches("end of input").count(), 2, "each server was ended");
}

#[test]
fn a_client_that_begins_again_has_the_same_history() {
    let policy = r#"
        version = 1
        rule = [{ id = "note", effect = "permit", what = { tool = "fs.note", args = "any" }, grant = { uses = 2 } }]
    "#;
    let server = Server::new(policy, &[], json!({}));
    let first = server.begin();
    assert_eq!(server.call(&first, "fs.note", json!({})), json!({}));
    assert_eq!(server.in_session("DELETE", &first, "").status, 204);
    let second = server.begin();
    assert_eq!(server.call(&second, "fs.note", json!({})), json!({}));
    for session in [second, server.begin()] {
        let denied = server.call(&session, "fs.note", json!({}));
        assert_eq!(denied["isError"], true, "{denied}");
    }
    assert_nothing_stands(&records(&server.end().0));
}

#[test]
fn no_request_is_taken_without_a_secret_from_another_page_or_under_another_name() {
    let server = Server::new(READING, &["--origin", "http://app.test"], script());
    let session = server.begin();
    let (host, secret) =
        (format!("Host: {}\r\n", server.address), format!("Authorization: Bearer {SECRET}\r\n"));
    let rest = format!(
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMcp-Session-Id: {session}\r\n"
    );
    let body = call(9, "fs.read", json!({ "path": "/data/a" }));
    for (headers, status) in [
        (format!("{host}{secret}"), 200),
        (format!("{host}{secret}Origin: http://app.test\r\n"), 200),
        (format!("Host: localhost:1\r\n{secret}"), 200),
        (host.clone(), 401),
        (format!("{host}Authorization: Bearer {}\r\n", &SECRET[1..]), 401),
        (format!("{host}{secret}{secret}"), 401),
        (format!("{host}{secret}Origin: http://evil.test\r\n"), 403),
        (format!("{host}{secret}Origin: null\r\n"), 403),
        (format!("{host}{secret}Origin: http://app.test.evil.test\r\n"), 403),
        (format!("{host}{secret}Origin: http://app.test\r\nOrigin: http://evil.test\r\n"), 403),
        (format!("Host: evil.test\r\n{secret}"), 403),
        (format!("Host: 127.0.0.1.nip.io\r\n{secret}"), 403),
    ] {
        for method in ["POST", "GET", "DELETE"] {
            if method != "POST" && status == 200 {
                continue;
            }
            let mut response = server.request(method, &format!("{headers}{rest}"), &body);
            assert_eq!(response.status, status, "{method} {headers}");
            assert!(status != 200 || response.message()["id"] == 9);
        }
    }
    assert_eq!(outcomes(&records(&server.end().0)), ["ok"; 3]);
}

#[test]
fn what_is_no_request_of_the_transport_is_refused() {
    let server = Server::new(READING, &[], script());
    let session = server.begin();
    let body = call(9, "fs.read", json!({ "path": "/data/a" }));
    let base = format!("Host: {}\r\nAuthorization: Bearer {SECRET}\r\n", server.address);
    let own = format!("Mcp-Session-Id: {session}\r\n");
    let (json_type, both) =
        ("Content-Type: application/json\r\n", "Accept: application/json, text/event-stream\r\n");
    for (headers, status) in [
        (format!("{json_type}{both}{own}"), 200),
        (format!("{json_type}Accept: */*\r\n{own}"), 200),
        (format!("{json_type}{both}"), 400),
        (format!("{json_type}{both}Mcp-Session-Id: {}\r\n", "0".repeat(32)), 404),
        (format!("{json_type}{both}{own}{own}"), 400),
        (format!("{json_type}{both}{own}MCP-Protocol-Version: 2025-06-18\r\n"), 400),
        (format!("{json_type}{both}{own}MCP-Protocol-Version: 2027-01-01\r\n"), 400),
        (format!("{json_type}{both}{own}MCP-Protocol-Version: 2026-07-28\r\n"), 400),
        (format!("{json_type}{own}"), 406),
        (format!("{json_type}Accept: application/json\r\n{own}"), 406),
        (format!("Content-Type: text/plain\r\n{both}{own}"), 415),
        (format!("{both}{own}"), 415),
    ] {
        let mut response = server.request("POST", &format!("{base}{headers}"), &body);
        assert_eq!(response.status, status, "{headers}");
        assert!(status != 200 || response.message()["id"] == 9);
    }
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("[]", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600),
    ] {
        let response = server.in_session("POST", &session, body);
        assert_eq!(response.status, 400, "{body}");
        let rest = response.rest();
        let error: Value = serde_json::from_str(&rest).unwrap();
        assert_eq!(error["error"]["code"], code, "{body} {rest}");
    }
    let resumed = format!("{}{own}Last-Event-ID: 1\r\n", server.usual());
    assert_eq!(server.request("GET", &resumed, "").status, 400, "streams are not resumed");
    assert_nothing_stands(&records(&server.end().0));
}

/// A revision whose requests stand by themselves has no sessions: a client is told which ones have.
#[test]
fn a_request_without_a_session_by_its_revision_is_told_which_have_one() {
    let server = Server::new(READING, &[], script());
    let body =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {} }).to_string();
    let headers = format!("{}MCP-Protocol-Version: 2026-07-28\r\n", server.usual());
    let response = server.request("POST", &headers, &body);
    assert_eq!(response.status, 400);
    let error: Value = serde_json::from_str(&response.rest()).unwrap();
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!(1), &json!(-32022)));
    assert_eq!(error["error"]["data"]["supported"][0], "2025-11-25");
}

/// A body may be written over several lines, of which a server behind a pipe would make several messages.
#[test]
fn a_body_of_several_lines_is_one_message() {
    let server = Server::new(READING, &[], script());
    let session = server.begin();
    let body = "{\"jsonrpc\":\"2.0\",\n\"id\":7,\"method\":\"tools/call\",\"params\":{\n\"name\":\"fs.read\",\
                \"_meta\":{\n\"a\":\n1},\"arguments\":{\"path\":\"/data/a\"}}}\n";
    let mut response = server.in_session("POST", &session, body);
    assert_eq!(response.message()["result"]["content"][0]["text"], "read");
    assert_eq!(response.next(), None, "the stream ends with its answer");
    let within = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"fs.read\",\
                  \"_meta\":{\"a\":\"1\n2\"},\"arguments\":{\"path\":\"/data/a\"}}}";
    assert_eq!(server.in_session("POST", &session, within).status, 400, "no text has a line end");
    let (folder, _) = server.end();
    for line in folder.read("notes").lines().filter(|line| *line != "end of input") {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn what_answers_nothing_comes_on_an_open_stream() {
    let told = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hi"}}"#;
    let result = r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}"#;
    let server = Server::new(READING, &[], json!({ "tools/call fs.read": [told, result, told] }));
    let session = server.begin();
    let mut standing = server.in_session("GET", &session, "");
    assert_eq!(
        (standing.status, standing.header("content-type")),
        (200, Some("text/event-stream"))
    );
    assert_eq!(server.in_session("GET", &session, "").status, 409, "there is one already");
    let mut response =
        server.in_session("POST", &session, &call(3, "fs.read", json!({ "path": "/data/a" })));
    assert_eq!(response.message()["method"], "notifications/message");
    assert_eq!((response.message()["id"].clone(), response.next()), (json!(3), None));
    assert_eq!(standing.message()["params"]["data"], "hi");
    assert_eq!(server.in_session("DELETE", &session, "").status, 204);
    assert_eq!(standing.next(), None, "it ends with the session");
    assert_nothing_stands(&records(&server.end().0));
}

#[test]
fn a_server_that_crashes_ends_its_session_and_no_other() {
    let server = Server::new(READING, &[], json!({ "tools/call fs.note": ["!crash"] }));
    let (one, two) = (server.begin(), server.begin());
    let mut response = server.in_session("POST", &one, &call(3, "fs.note", json!({})));
    assert_eq!(response.message()["error"]["code"], -32603);
    assert_eq!(server.call(&two, "fs.read", json!({ "path": "/data/a" })), json!({}));
    let (folder, errors) = server.end();
    assert!(errors.contains("the server has ended"), "{errors}");
    let records = records(&folder);
    assert_nothing_stands(&records);
    assert_eq!(outcomes(&records), ["interrupted", "ok"]);
}

#[test]
fn sixty_four_calls_at_once_are_each_answered_and_an_id_is_used_once_at_a_time() {
    let server = Server::new(
        READING,
        &[],
        json!({ "tools/call fs.erase": ["!hang"], "tools/call fs.read": script()["tools/call fs.read"] }),
    );
    let session = server.begin();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (100..164)
            .map(|id| {
                let (server, session) = (&server, &session);
                scope.spawn(move || {
                    let body = call(id, "fs.read", json!({ "path": "/data/a" }));
                    server.in_session("POST", session, &body).message()["id"] == id
                })
            })
            .collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap()));
    });
    assert_eq!(outcomes(&records(&server.end().0)).len(), 64);
}

#[test]
fn who_connects_is_said_where_it_is_listened_and_nowhere_else() {
    let folder = Folder::new();
    folder.write("p.toml", READING);
    folder.write("bearer", SECRET);
    for (options, told) in [
        (&["--listen", "127.0.0.1:0"][..], "say who may ask"),
        (&["--listen", "0.0.0.0:0", "--bearer-file", "bearer"], "--tls-cert"),
        (&["--bearer-file", "bearer"], "--listen"),
        (&["--origin", "http://app.test"], "--listen"),
    ] {
        let fixed = ["mcp", "--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
        let ran =
            crate::world::hallpass(&[&fixed, options, &["--", "true"]].concat(), folder.path());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.errors.contains(told), "{options:?} {ran:?}");
    }
}
