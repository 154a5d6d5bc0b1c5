//! What is too long, too deep or of the wrong kind.

use serde_json::json;

use crate::ORDERS;
use crate::server::{ONE, SECRET, SEVERAL, Server, question};

#[test]
fn a_body_is_json_of_a_size() {
    let server = Server::new(ORDERS, &[]);
    let long = format!(r#"{{"filler":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(server.post(ONE, &long).status, 413);
    let deep = format!(r#"{{"filler":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for body in ["", "{", "[]", "7", "null", "\"text\"", "{} {}", &deep] {
        let response = server.post(ONE, body);
        assert_eq!(response.status, 400, "{body:.40} {response:?}");
        assert!(!response.body.is_empty());
    }
    // It is chunked, and says nothing of its length.
    let chunk = "x".repeat(1 << 16);
    let chunks = format!("10000\r\n{chunk}\r\n").repeat(17);
    let response = server.exchange(
        format!(
            "POST {ONE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {SECRET}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        )
        .as_bytes(),
    );
    assert_eq!(response.status, 413);
    assert!(server.may(&question("ana", "read", "7")), "it goes on");
}

#[test]
fn a_body_of_another_type_is_refused() {
    let server = Server::new(ORDERS, &[]);
    let body = question("ana", "read", "7").to_string();
    let ask = |types: &str| {
        let length = body.len();
        let head = format!(
            "POST {ONE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {SECRET}\r\n"
        );
        server
            .exchange(format!("{head}{types}Content-Length: {length}\r\n\r\n{body}").as_bytes())
            .status
    };
    for (types, status) in [
        ("Content-Type: application/json\r\n", 200),
        ("Content-Type: Application/JSON; charset=utf-8\r\n", 200),
        ("", 400),
        ("Content-Type: text/plain\r\n", 400),
        ("Content-Type: application/json-patch+json\r\n", 400),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 400),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", 400),
    ] {
        assert_eq!(ask(types), status, "{types}");
    }
}

#[test]
fn what_no_identity_and_no_resource_can_be_is_refused() {
    let server = Server::new(ORDERS, &[]);
    let mut own = question(&"x".repeat(100_000), "read", "7");
    assert_eq!(server.post(ONE, &own.to_string()).status, 400);
    own["subject"]["id"] = json!("");
    assert_eq!(server.post(ONE, &own.to_string()).status, 400);
    own["subject"]["id"] = json!("ana");
    for id in ["", &"x".repeat(100_000)] {
        own["resource"]["id"] = json!(id);
        assert_eq!(server.ask(&own)["context"]["reason"], "bad_request");
    }
}

#[test]
fn evaluations_of_a_request_are_counted() {
    let server = Server::new(ORDERS, &[]);
    let mut own = question("ana", "read", "7");
    own["evaluations"] = json!(vec![json!({}); 1001]);
    assert_eq!(server.post(SEVERAL, &own.to_string()).status, 400);
    own["evaluations"] = json!(vec![json!({}); 100]);
    let answer = server.post(SEVERAL, &own.to_string()).json();
    assert!(answer["evaluations"].as_array().unwrap().iter().all(|own| own["decision"] == true));
}

#[test]
fn sixty_four_clients_are_answered_at_once() {
    let server = Server::new(ORDERS, &[]);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..64)
            .map(|at| {
                let server = &server;
                scope.spawn(move || server.may(&question(["ana", "ben"][at % 2], "read", "7")))
            })
            .collect();
        for (at, asked) in asked.into_iter().enumerate() {
            assert_eq!(asked.join().unwrap(), at % 2 == 0);
        }
    });
}
