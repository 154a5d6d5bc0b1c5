//! Servers over HTTP.

use serde_json::{Value, json};

use crate::READING;
use crate::http_server::{Came, HttpServer, STREAM, Said, event, http, json_of};
use crate::world::Folder;
use crate::world::gated::{Gated, denials, of_kind, outcomes};

const TOKEN: &str = "server-token-0123456789abcdef";

pub(crate) fn begun(server: &HttpServer, options: &[&str]) -> Gated {
    begun_in(Folder::new(), server, options)
}

fn begun_in(folder: Folder, server: &HttpServer, options: &[&str]) -> Gated {
    let mut gated = Gated::remote(folder, READING, options, &server.url());
    let result = gated.shake_hands("2025-11-25");
    assert_eq!(result["protocolVersion"], "2025-11-25", "{result}");
    gated
}

pub(crate) fn note(gated: &mut Gated, id: impl Into<Value>) {
    gated.request(id, "tools/call", json!({ "name": "fs.note", "arguments": {} }));
}

#[test]
fn a_session_goes_from_its_handshake_to_its_end_in_the_servers_own() {
    let server = HttpServer::new(|came| match came {
        came if came.calls("fs.read") => {
            Some(json_of(&came.result(&json!({ "content": [], "read": came.body["params"] }))))
        }
        _ => None,
    });
    let mut gated = begun(&server, &[]);
    let read = gated.call("fs.read", json!({ "path": "/data/a/" }));
    assert_eq!(read["read"], json!({ "name": "fs.read", "arguments": { "path": "/data/a" } }));
    let denied = gated.call("fs.read", json!({ "path": "/data/private/a" }));
    assert_eq!(denied["content"][0]["text"], "denied: not_permitted");
    let left = gated.end();
    assert_eq!((left.code, &*left.errors), (Some(0), ""));
    let came = server.came();
    let calls: Vec<&Came> = came.iter().filter(|own| own.is("tools/call")).collect();
    assert_eq!(calls.len(), 1, "what is denied never gets there");
    for own in &came {
        let is_first = own.is("initialize");
        let (session, version) = (own.header("mcp-session-id"), own.header("mcp-protocol-version"));
        assert_eq!(session.is_none(), is_first, "{own:?}");
        assert!(is_first || version == Some("2025-11-25") && session == Some("session-1"));
        assert_eq!(own.header("host"), Some(&*server.address.to_string()));
        assert!(own.head.contains(" /mcp HTTP/1.1"), "{own:?}");
        assert_eq!(own.header("authorization"), None);
    }
    let posted = came.iter().filter(|own| own.method == "POST");
    for own in posted {
        assert_eq!(own.header("accept"), Some("application/json, text/event-stream"));
        assert_eq!(own.header("content-type"), Some("application/json"));
    }
    assert_eq!(came.last().map(|own| &*own.method), Some("DELETE"));
    let order: Vec<&str> =
        came.iter().filter_map(|own| own.body["method"].as_str()).take(3).collect();
    assert_eq!(order, ["initialize", "notifications/initialized", "tools/call"]);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn the_server_is_shown_its_own_token_and_the_client_never_sees_it() {
    let server = HttpServer::new(|came| {
        let own = came.header("authorization").unwrap_or_default().to_owned();
        match came {
            came if came.calls("fs.note") => {
                Some(json_of(&came.result(&json!({ "content": [], "shown": own }))))
            }
            _ => None,
        }
    });
    let folder = Folder::new();
    folder.write("token", format!("{TOKEN}\n"));
    let mut gated = begun_in(folder, &server, &["--server-bearer-file", "token"]);
    note(&mut gated, 1);
    let answer = gated.line();
    assert!(!answer.contains(TOKEN) && answer.contains("secret"), "{answer}");
    let left = gated.ended();
    assert_eq!(left.code, Some(2), "{}", left.errors);
    assert!(!left.errors.contains(TOKEN));
    let came = server.came();
    let shown = Some(format!("Bearer {TOKEN}"));
    assert!(came.iter().all(|own| own.header("authorization").map(str::to_owned) == shown));
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

/// A token of which JSON is escaped by many writers: `/` as `\/`, within a text of JSON once more.
#[test]
fn the_client_never_sees_the_servers_token_escaped() {
    let written = |text: &str| text.replace('/', "\\/");
    let by_digits = |text: &str| {
        text.chars().fold(String::new(), |all, own| format!("{all}\\u{:04x}", u32::from(own)))
    };
    let within = |text: &str| text.replace('\\', "\\\\");
    let token = "server/token+0123456789/abcdef==";
    let all =
        [written(token), by_digits(token), within(&written(token)), within(&by_digits(token))];
    for (on_stream, shown) in all.iter().flat_map(|own| [(false, own.clone()), (true, own.clone())])
    {
        let said = shown.clone();
        let server = HttpServer::new(move |came| {
            let answer =
                came.result(&json!({ "content": [], "shown": "SHOWN" })).replace("SHOWN", &said);
            came.calls("fs.note").then(|| match on_stream {
                true => Said::Hanging(format!("{STREAM}{}", event(&answer))),
                false => json_of(&answer),
            })
        });
        let folder = Folder::new();
        folder.write("token", token);
        let mut gated = begun_in(folder, &server, &["--server-bearer-file", "token"]);
        note(&mut gated, 1);
        let answer = gated.line();
        assert!(answer.contains("error") && !answer.contains(&shown), "{answer}");
        assert_eq!(gated.ended().code, Some(2));
    }
}

#[test]
fn what_is_no_message_shows_the_operator_no_token() {
    let server = HttpServer::new(|came| {
        let own = came.header("authorization").unwrap_or_default().to_owned();
        let said = [STREAM.as_bytes(), b"data: echo \xff ", own.as_bytes(), b"\n\n"].concat();
        came.calls("fs.note").then_some(Said::Bytes(said))
    });
    let folder = Folder::new();
    folder.write("token", TOKEN);
    let mut gated =
        begun_in(folder, &server, &["--server-bearer-file", "token", "--server-timeout", "1"]);
    note(&mut gated, 1);
    gated.line();
    let left = gated.ended();
    assert!(left.code == Some(2) && !left.errors.contains(TOKEN), "{}", left.errors);
}

#[test]
fn an_answer_comes_on_a_stream_with_what_is_said_before_it() {
    let server = HttpServer::new(|came| {
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
        let answer = came.result(&json!({ "content": [] })).replace(":{", ":\ndata: {");
        let other = r#"{"jsonrpc":"2.0","id":"other","result":{}}"#;
        let text = format!(": hello\n\n{}{}{}", event(progress), event(other), event(&answer));
        came.calls("fs.note").then(|| Said::Hanging(format!("{STREAM}{text}")))
    });
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    assert_eq!(gated.message()["method"], "notifications/progress");
    assert_eq!(gated.message(), json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }));
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["ok"]);
}

#[test]
fn a_stream_that_breaks_off_is_gone_on_with_behind_its_last_whole_event() {
    let server = HttpServer::new(|came| {
        let answer = event(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"at":"last"}}"#);
        match (&*came.method, came.header("last-event-id")) {
            ("POST", _) if came.calls("fs.note") => {
                let begun = "id: a\nretry: 50\ndata:\n\nid: b\ndata: {\"jsonrpc\"";
                Some(Said::Cut(format!("{STREAM}{begun}")))
            }
            ("GET", Some("a")) => Some(Said::Cut(format!("{STREAM}id: c\ndata:\n\n"))),
            ("GET", Some("c")) => Some(Said::Hanging(format!("{STREAM}{answer}"))),
            _ => None,
        }
    });
    let mut gated = begun(&server, &[]);
    note(&mut gated, 1);
    assert_eq!(gated.message()["result"]["at"], "last");
    let left = gated.end();
    let calls = server.came().into_iter().filter(|own| own.is("tools/call")).count();
    assert_eq!(calls, 1, "it is asked once, however often its answer breaks off");
    let came = server.came();
    let mut again = came.iter().filter(|own| own.header("last-event-id").is_some());
    assert!(again.all(|own| own.header("mcp-session-id") == Some("session-1")));
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn what_the_server_asks_on_its_own_stream_is_gated_and_answered() {
    let server = HttpServer::new(|came| {
        let ask = |id: i32, method: &str| {
            event(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "messages": [] } }).to_string())
        };
        (came.method == "GET").then(|| {
            let forged = event(r#"{"jsonrpc":"2.0","id":7,"result":{"forged":true}}"#);
            Said::Hanging(format!("{STREAM}{forged}{}", ask(9, "sampling/createMessage")))
        })
    });
    let policy = format!(
        "{READING}\n[[rule]]\nid = \"sampling\"\neffect = \"permit\"\nwhat = {{ tool = \"mcp:sampling\", args = \"any\" }}"
    );
    let mut gated = Gated::remote(Folder::new(), &policy, &[], &server.url());
    gated.shake_hands("2025-11-25");
    let asked = gated.message();
    assert_eq!((&asked["method"], &asked["id"]), (&json!("sampling/createMessage"), &json!(9)));
    gated.send(json!({ "jsonrpc": "2.0", "id": 9, "result": { "model": "m" } }).to_string());
    server.wait_for(|came| came.body["result"]["model"] == "m");
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
    // Without a rule for it, the server is told no.
    let gated = begun(&server, &[]);
    server.wait_for(|came| came.body["error"]["code"] == -1 && came.body["id"] == 9);
    let records = gated.end().assert_nothing_stands();
    assert_eq!(denials(&records)[0].0, "mcp:sampling");
}

/// A request that states its revision belongs to no session, and its headers say what its body does.
#[test]
fn a_request_that_stands_by_itself_says_in_headers_what_was_decided() {
    let server = HttpServer::new(|came| {
        let result = json!({ "content": [], "resultType": "complete" });
        came.is("tools/call").then(|| json_of(&came.result(&result)))
    });
    let mut gated = Gated::remote(Folder::new(), READING, &[], &server.url());
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    let params = json!({ "name": "fs.read", "arguments": { "path": "/data/a" }, "_meta": meta });
    assert_eq!(gated.ask("tools/call", params)["resultType"], "complete");
    let left = gated.end();
    let came = server.came();
    let own = came.iter().find(|own| own.is("tools/call")).unwrap();
    for (name, value) in [
        ("mcp-protocol-version", Some("2026-07-28")),
        ("mcp-method", Some("tools/call")),
        ("mcp-name", Some("fs.read")),
        ("mcp-session-id", None),
    ] {
        assert_eq!(own.header(name), value, "{own:?}");
    }
    assert!(came.iter().all(|own| own.method == "POST"), "there is no session to end");
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn a_connection_that_the_server_has_closed_meanwhile_loses_no_request() {
    // Each connection takes one request, whatever it says about it.
    let server = HttpServer::new(|came| {
        came.is("tools/call").then(|| {
            let body = came.result(&json!({ "content": [] }));
            Said::Cut(http("200 OK", "Content-Type: application/json\r\n", &body))
        })
    });
    let mut gated = begun(&server, &[]);
    for id in 0..20 {
        note(&mut gated, id);
        let answer = gated.message();
        // One that may have left is not made again.
        let is_told = answer["error"]["message"].as_str().is_some_and(|own| own.contains("broke"));
        assert!(answer["result"]["content"].is_array() || is_told, "{answer}");
    }
    let records = gated.end().assert_nothing_stands();
    assert_eq!(of_kind(&records, "outcome").len(), 20);
    let calls = server.came().into_iter().filter(|own| own.is("tools/call")).count();
    assert!(calls <= 20, "no call is made twice: {calls}");
}
