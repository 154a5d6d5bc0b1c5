//! `hallpass pin --url`: a catalogue from a server over HTTP.

use serde_json::{Value, json};

use crate::http_server::{Came, HttpServer, Said, http, json_of};
use crate::world::{Folder, Ran, hallpass};

const TOKEN: &str = "server-token-0123456789abcdef";

fn pin(server: &HttpServer, folder: &Folder, options: &[&str]) -> Ran {
    folder.write("token", format!("{TOKEN}\n"));
    hallpass(&[&["pin", "--url", &server.url()], options].concat(), folder.path())
}

fn listed(came: &Came, result: &Value) -> Option<Said> {
    came.is("tools/list").then(|| json_of(&came.result(result)))
}

#[test]
fn all_pages_are_read_in_a_session_that_is_ended() {
    let server = HttpServer::new(|came| {
        let page = match came.body["params"]["cursor"].as_str() {
            None => json!({ "tools": [{ "name": "b" }], "nextCursor": "more" }),
            Some(_) => json!({ "tools": [{ "name": "a" }] }),
        };
        listed(came, &page)
    });
    let folder = Folder::new();
    let ran = pin(&server, &folder, &["--server-bearer-file", "token"]);
    assert_eq!((ran.code, &*ran.errors), (0, ""));
    let names: Vec<&str> =
        ran.output.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert_eq!(names, ["\"a\"", "\"b\""]);
    assert!(ran.output.contains("\ndigest = \"hp-tool-1:"), "{}", ran.output);
    folder.write("p.toml", &ran.output);
    assert_eq!(hallpass(&["policy", "check", "p.toml"], folder.path()).code, 0);
    let came = server.came();
    let lists = came.iter().filter(|own| own.is("tools/list")).count();
    assert_eq!((lists, came.last().map(|own| &*own.method)), (2, Some("DELETE")));
    let shown = format!("Bearer {TOKEN}");
    assert!(came.iter().all(|own| own.header("authorization") == Some(&*shown)));
    assert!(!came.iter().any(|own| own.is("tools/call")), "a server is only asked for its list");
}

#[test]
fn a_server_without_handshakes_is_asked_with_its_revision_in_headers() {
    let media = "Content-Type: application/json\r\n";
    let server = HttpServer::new(move |came| {
        if came.is("initialize") {
            let id = &came.body["id"];
            let error = format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32022,"message":"no"}}}}"#
            );
            return Some(Said::Whole(http("400 Bad Request", media, &error)));
        }
        listed(came, &json!({ "tools": [{ "name": "a" }], "resultType": "complete" }))
    });
    let ran = pin(&server, &Folder::new(), &[]);
    assert_eq!((ran.code, &*ran.errors), (0, ""));
    let list = server.wait_for(|came| came.is("tools/list"));
    assert_eq!(list.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(list.header("mcp-method"), Some("tools/list"));
}

#[test]
fn a_server_that_gives_no_list_is_told() {
    let unauthorized = |came: &Came| {
        came.is("initialize").then(|| Said::Whole(http("401 Unauthorized", "", "no")))
    };
    let silent = |came: &Came| came.is("tools/list").then(|| Said::Hanging(String::new()));
    let cut = |came: &Came| came.is("tools/list").then(|| Said::Cut(String::new()));
    // A catalogue is handed about: what the server is shown must not be in one.
    let tells = |came: &Came| listed(came, &json!({ "tools": [{ "name": "a", "title": TOKEN }] }));
    let endless = |came: &Came| listed(came, &json!({ "tools": [], "nextCursor": "more" }));
    let own: [(HttpServer, &[&str], &str); 5] = [
        (HttpServer::new(unauthorized), &[], "HTTP 401"),
        (HttpServer::new(silent), &["--server-timeout", "1"], "the server"),
        (HttpServer::new(cut), &[], "broke off"),
        (HttpServer::new(tells), &["--server-bearer-file", "token"], "the secret"),
        (HttpServer::new(endless), &[], "more than 1000 pages"),
    ];
    for (server, options, told) in own {
        let ran = pin(&server, &Folder::new(), options);
        let is_told = ran.code == 2 && ran.output.is_empty() && ran.errors.contains(told);
        assert!(is_told && !ran.errors.contains(TOKEN), "{told}: {ran:?}");
    }
}

#[test]
fn a_url_takes_the_place_of_a_command() {
    let folder = Folder::new();
    for (words, told) in [
        (&["pin"][..], "required"),
        (&["pin", "--url", "http://127.0.0.1:1/mcp", "--", "server"], "cannot be used with"),
        (&["pin", "--url", "http://mcp.acme.test/mcp"], "--url http://mcp.acme.test/mcp"),
        (&["pin", "--server-timeout", "3", "--", "server"], "with `--url URL` alone"),
        (&["pin", "--url", "http://127.0.0.1:1/mcp"], "can't be reached"),
    ] {
        let ran = hallpass(words, folder.path());
        assert!(ran.code == 2 && ran.errors.contains(told), "{words:?}: {ran:?}");
    }
}
