//! Servers over HTTP that end, stall and lie: nothing hangs, every permit has its outcome, and nothing stands afterwards.

use serde_json::json;

use crate::READING;
use crate::http_server::{HttpServer, STREAM, Said, event, http, json_of};
use crate::remote::{begun, note};
use crate::world::gated::{Gated, outcomes};
use crate::world::{Folder, hallpass};

fn in_json(status: &str, body: &str) -> Said {
    Said::Whole(http(status, "Content-Type: application/json\r\n", body))
}

fn in_stream(text: &str) -> Said {
    Said::Cut(format!("{STREAM}{text}"))
}

/// What a server may answer to a call with, and is not its answer.
fn not_answers() -> Vec<(&'static str, &'static str, Said)> {
    let result = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#);
    let own = result("1");
    let whole = |status: &str, headers: &str, body: &str| Said::Whole(http(status, headers, body));
    vec![
        ("another id", "does not answer this", json_of(&result("2"))),
        ("the same id as text", "does not answer this", json_of(&result("\"1\""))),
        ("no id", "does not answer this", json_of(&result("null"))),
        ("a batch", "does not answer this", json_of(&format!("[{own}]"))),
        ("two answers", "does not answer this", json_of(&format!("{own}{own}"))),
        ("an id twice", "does not answer this", json_of(&own.replace("\"id\":1", "\"id\":1,\"id\":1"))),
        ("a request", "does not answer this", json_of(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)),
        ("nothing", "does not answer this", json_of("")),
        ("no JSON", "does not answer this", json_of("<html>")),
        ("a result with an error's status", "HTTP 500", in_json("500 Oops", &own)),
        ("a result of a redirect", "elsewhere", in_json("302 Found", &own)),
        ("an error of a redirect", "elsewhere", in_json("302 Found", r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#)),
        ("accepted alone", "HTTP 202", whole("202 Accepted", "", "")),
        ("no content", "HTTP 204", whole("204 No Content", "", "")),
        ("a page", "HTTP 200", whole("200 OK", "Content-Type: text/html\r\n", &own)),
        ("no type", "HTTP 200", whole("200 OK", "", &own)),
        ("two types", "HTTP 200", whole("200 OK", "Content-Type: application/json\r\nContent-Type: text/html\r\n", &own)),
        ("not shown enough", "HTTP 401", whole("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", "")),
        ("forbidden", "HTTP 403", whole("403 Forbidden", "", "")),
        ("a failure", "HTTP 503", whole("503 Unavailable", "", "")),
        ("a stream of a failure", "HTTP 500", whole("500 Oops", "Content-Type: text/event-stream\r\n", &event(&own))),
        ("zipped", "encoding", whole("200 OK", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", &own)),
        ("cut off", "broke off", Said::Cut("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{".into())),
        ("closed", "broke off", Said::Cut(String::new())),
        ("no HTTP", "broke off", Said::Cut(format!("{own}\n"))),
        ("an endless head", "broke off", Said::Cut(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)))),
        ("two lengths", "broke off", Said::Cut("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}".into())),
        ("an empty stream", "has ended", in_stream("")),
        ("a stream without its answer", "has ended", in_stream(&event(&result("2")))),
        ("half an event", "has ended", in_stream(&format!("data: {own}\n"))),
        ("another event", "has ended", in_stream(&format!("event: other\ndata: {own}\n\n"))),
        ("a stream that is not gone on with", "HTTP 405", in_stream("id: 1\nretry: 50\ndata:\n\n")),
    ]
}

/// Answers that another request, another reader or none could take for this one's.
#[test]
fn what_is_not_the_answer_to_a_call_is_never_handed_on_as_it_and_ends_it() {
    for (what, told, said) in not_answers() {
        let said = std::sync::Mutex::new(Some(said));
        let server = HttpServer::new(move |came| {
            came.is("tools/call").then(|| said.lock().unwrap().take().expect("one call"))
        });
        let mut gated = begun(&server, &["--server-timeout", "5"]);
        note(&mut gated, 1);
        let answer = gated.message();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(1), &json!(-32603)),
            "{what}"
        );
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{what}: {message}");
        assert_eq!(gated.ask("ping", json!({})), json!({}), "{what}: the session goes on");
        let left = gated.end();
        assert_eq!(left.code, Some(0), "{what}: {}", left.errors);
        assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"], "{what}");
    }
}

/// A connection that waits can be gone; a new one that is closed at once would be made anew for ever.
#[test]
fn a_server_that_closes_each_connection_at_once_is_connected_to_once_for_each_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let own = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            own.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            drop(stream);
        }
    });
    let mut gated = Gated::remote(Folder::new(), READING, &[], &url);
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    for _ in 0..20 {
        let params =
            json!({ "name": "fs.read", "arguments": { "path": "/data/a" }, "_meta": meta });
        let told = gated.ask("tools/call", params);
        assert!(told["message"].as_str().is_some_and(|own| own.contains("broke off")), "{told}");
    }
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 20);
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["interrupted"; 20]);
}

#[test]
fn a_stream_that_can_not_be_gone_on_with_is_not_tried_for_ever() {
    let server = HttpServer::new(|came| match &*came.method {
        "POST" if came.is("tools/call") => Some(in_stream("id: 1\nretry: 50\ndata:\n\n")),
        "GET" => Some(Said::Whole(http("503 Unavailable", "", ""))),
        _ => None,
    });
    let mut gated = begun(&server, &["--server-timeout", "1"]);
    note(&mut gated, 1);
    let told = gated.message()["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("nothing for too long"), "{told}");
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn nothing_is_sent_where_a_server_sends_to() {
    let other = HttpServer::new(|_| None);
    let to = other.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = to.clone();
        let server = HttpServer::new(move |came| {
            let answer = http(status, &format!("Location: {to}\r\n"), "");
            (came.is("tools/call") || came.method == "GET").then_some(Said::Whole(answer))
        });
        let mut gated = begun(&server, &[]);
        note(&mut gated, 1);
        let told = gated.message()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains("elsewhere"), "{status}: {told}");
        assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["interrupted"]);
    }
    assert!(other.came().is_empty());
}

#[test]
fn an_error_of_the_protocol_is_one_whatever_http_says() {
    let server = HttpServer::new(|came| {
        let error = json!({ "code": -32602, "message": "no" });
        let error = json!({ "jsonrpc": "2.0", "id": came.body["id"], "error": error }).to_string();
        came.is("tools/call").then(|| in_json("400 Bad Request", &error))
    });
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    assert_eq!(gated.message()["error"]["code"], -32602);
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["error"]);
}

#[test]
fn a_server_that_has_forgotten_the_session_ends_it() {
    let server = HttpServer::new(|came| {
        if came.is("tools/call") {
            return Some(Said::Hanging(STREAM.to_owned()));
        }
        came.is("ping").then(|| Said::Whole(http("404 Not Found", "", "")))
    });
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    server.wait_for(|came| came.is("tools/call"));
    gated.request(2, "ping", json!({}));
    for id in [1, 2] {
        let answer = gated.message();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["message"], "the server has ended the session");
    }
    let left = gated.ended();
    assert_eq!(left.code, Some(2));
    assert!(!server.came().iter().any(|came| came.method == "DELETE"), "it is over");
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    for said in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        STREAM,
    ] {
        let server = HttpServer::new(move |came| {
            came.is("tools/call").then(|| Said::Hanging(said.to_owned()))
        });
        let mut gated = begun(&server, &["--server-timeout", "1"]);
        note(&mut gated, 1);
        let told = gated.message()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains("nothing for too long"), "{said}: {told}");
        assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["interrupted"]);
    }
}

#[test]
fn a_cancelled_call_is_told_to_the_server_and_its_stream_is_let_go_of() {
    let server =
        HttpServer::new(|came| came.is("tools/call").then(|| Said::Hanging(STREAM.to_owned())));
    let mut gated = begun(&server, &[]);
    note(&mut gated, 7);
    server.wait_for(|came| came.is("tools/call"));
    gated.tell("notifications/cancelled", json!({ "requestId": 7 }));
    let told = server.wait_for(|came| came.is("notifications/cancelled"));
    assert_eq!(told.body["params"]["requestId"], 7);
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert!(left.output.is_empty(), "{:?}", left.output);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn a_client_that_is_gone_ends_the_session_at_the_server() {
    let server =
        HttpServer::new(|came| came.is("tools/call").then(|| Said::Hanging(STREAM.to_owned())));
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    server.wait_for(|came| came.is("tools/call"));
    let left = gated.end();
    assert_eq!(left.code, Some(0));
    let told = server.wait_for(|came| came.method == "DELETE");
    assert_eq!(told.header("mcp-session-id"), Some("session-1"));
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn what_a_server_still_answers_once_the_client_has_closed_its_side_reaches_it() {
    let server = HttpServer::new(|came| {
        let result = json!({ "content": [{ "type": "text", "text": "x".repeat(3_000_000) }] });
        came.is("tools/call").then(|| json_of(&came.result(&result)))
    });
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    let left = gated.end();
    assert_eq!(left.output.len(), 1);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn a_server_that_was_never_there_is_told() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut gated = Gated::remote(Folder::new(), READING, &[], &format!("http://{nowhere}/mcp"));
    let result = gated.shake_hands("2025-11-25");
    assert_eq!(result["message"], "the server can't be reached");
    gated.end().assert_nothing_stands();
}

#[test]
fn results_of_ten_megabytes_and_sixty_four_calls_at_once_pass() {
    let server = HttpServer::new(|came| {
        let bytes = came.body["params"]["arguments"]["bytes"].as_u64().unwrap_or(10);
        let text = "x".repeat(usize::try_from(bytes).unwrap());
        let result = came.result(&json!({ "content": [{ "type": "text", "text": text }] }));
        let is_stream = came.body["id"].as_u64().is_some_and(|id| id % 2 == 0);
        came.is("tools/call").then(|| match is_stream {
            true => Said::Cut(format!("{STREAM}{}", event(&result))),
            false => json_of(&result),
        })
    });
    let mut gated = begun(&server, &[]);
    let call = |gated: &mut Gated, id: u64, bytes: u64| {
        let params = json!({ "name": "fs.note", "arguments": { "bytes": bytes } });
        gated.request(id, "tools/call", params);
    };
    for id in [1, 2] {
        call(&mut gated, id, 10_000_000);
        assert!(gated.line().len() > 10_000_000);
    }
    for id in 100..164 {
        call(&mut gated, id, 200_000);
    }
    let mut ids: Vec<u64> = (0..64).map(|_| gated.message()["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (100..164).collect::<Vec<_>>());
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["ok"; 66]);
}

#[test]
fn a_message_without_an_end_is_given_up() {
    let long = "x".repeat(65 << 20);
    let (in_json, in_stream) = (
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\"{long}"
        ),
        format!("{STREAM}data: \"{long}"),
    );
    for said in [in_json, in_stream] {
        let server =
            HttpServer::new(move |came| came.is("tools/call").then(|| Said::Hanging(said.clone())));
        let mut gated = begun(&server, &[]);
        note(&mut gated, 1);
        let told = gated.message()["error"]["message"].as_str().unwrap().to_owned();
        assert!(told.contains("too long"), "{told}");
        assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["interrupted"]);
    }
}

#[test]
fn a_session_with_an_id_that_is_none_does_not_begin() {
    for id in ["a b", "é", &"x".repeat(2000)] {
        let headers = format!("Content-Type: application/json\r\nMcp-Session-Id: {id}\r\n");
        let server = HttpServer::new(move |came| {
            let result =
                came.result(&json!({ "protocolVersion": "2025-11-25", "capabilities": {} }));
            came.is("initialize").then(|| Said::Whole(http("200 OK", &headers, &result)))
        });
        let mut gated = Gated::remote(Folder::new(), READING, &[], &server.url());
        let result = gated.shake_hands("2025-11-25");
        assert!(
            result["message"].as_str().is_some_and(|own| own.contains("session")),
            "{id} {result}"
        );
        gated.end().assert_nothing_stands();
    }
}

#[test]
fn a_url_that_others_could_play_and_options_without_one_are_refused() {
    let folder = Folder::new();
    folder.write("p.toml", READING);
    folder.write("short", "abc");
    folder.write("two", "0123456789abcdefgh\n0123456789abcdefgh");
    let url = ["--url", "http://127.0.0.1:9/mcp"];
    let tls = ["--url", "https://mcp.acme.test/mcp"];
    for (options, told) in [
        (vec!["--url", "http://mcp.acme.test/mcp"], "expected `https`"),
        (vec!["--url", "mcp.acme.test"], "expected `https://host/path`"),
        (tls.to_vec(), "--server-ca"),
        ([&tls[..], &["--server-ca", "short"]].concat(), "certificate"),
        ([&url[..], &["--server-ca", "short"]].concat(), "`https` alone"),
        ([&url[..], &["--server-bearer-file", "none"]].concat(), "can't be read"),
        ([&url[..], &["--server-bearer-file", "short"]].concat(), "short"),
        ([&url[..], &["--server-bearer-file", "two"]].concat(), "one bearer token"),
        ([&url[..], &["--server-timeout", "0"]].concat(), "--server-timeout"),
        ([&url[..], &["--", "cat"]].concat(), "cannot be used with"),
        (vec!["--server-bearer-file", "two", "--", "cat"], "--url"),
        (vec![], "<SERVER>"),
    ] {
        let fixed = ["mcp", "--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
        let ran = hallpass(&[&fixed, &options[..]].concat(), folder.path());
        assert_eq!(ran.code, 2, "{options:?} {ran:?}");
        assert!(ran.errors.contains(told), "{options:?} {ran:?}");
    }
}
