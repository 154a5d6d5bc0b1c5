//! What servers answer that is more, or less, than an answer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use hallpass_http::{Injection, Injector};

use crate::bounded::{authorized, outcomes};
use crate::server::Server;
use crate::world::*;

/// A world whose server answers this to everything, byte for byte, and closes the connection.
fn answering(answer: &str) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.replace('\n', "\r\n");
    // Ends with the process of the tests.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|own| own > 0)
            {
                request.extend(byte);
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let injection = Injection::bearer("orders-api", origin.parse().unwrap());
    let injector = Injector::builder().secret(injection).build().unwrap();
    World::with(injector, Server::start(), Server::start())
}

/// attack 172
#[test]
fn neither_a_reason_nor_what_follows_a_body_is_handed_on() {
    let answer = format!(
        "HTTP/1.1 200 {TOKEN}\ntransfer-encoding: chunked\ntrailer: x-sum\n\n5\nplain\n0\nx-sum: {TOKEN}\n\n"
    );
    let answer = answering(&answer).get("/v1/a", "te: trailers\r\n");
    assert_eq!((answer.status, &*answer.body), (200, "plain"));
    assert!(!answer.text().contains(TOKEN), "{answer:?}");
}

#[test]
fn what_concerns_the_connection_to_a_server_alone_stays_there() {
    let answer = "HTTP/1.1 200 OK\nconnection: close, x-hop\nx-hop: 1\nkeep-alive: timeout=5\n\
                  proxy-authenticate: Basic\nproxy-x: 1\nupgrade: h2c\nx-own: 1\ncontent-length: 5\n\nplain";
    let answer = answering(answer).get("/v1/a", "");
    assert_eq!((answer.header("x-own"), &*answer.body), (Some("1"), "plain"));
    for name in ["x-hop", "keep-alive", "proxy-authenticate", "proxy-x", "upgrade"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[test]
fn an_encoding_that_is_none_is_handed_on_and_no_other_however_it_is_said() {
    for (encoding, status) in [
        ("content-encoding: identity", 200),
        ("content-encoding: Identity", 200),
        ("content-encoding: gzip", 502),
        ("content-encoding: identity\ncontent-encoding: gzip", 502),
        ("content-encoding: identity, gzip", 502),
    ] {
        let answer = format!("HTTP/1.1 200 OK\n{encoding}\ncontent-length: 5\n\nplain");
        assert_eq!(answering(&answer).get("/v1/a", "").status, status, "{encoding}");
    }
}

#[test]
fn where_an_answer_is_from_is_said_as_the_tool_has_to_ask_for_it() {
    let world = answering("HTTP/1.1 200 OK\ncontent-location: /v1/b?x\ncontent-length: 0\n\n");
    world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let answer = get(&url, "/v1/a", "");
        let expected = format!("{}/v1/b?x", parts(&url).1);
        assert_eq!(answer.header("content-location"), Some(&*expected));
    });
}

#[test]
fn an_answer_that_breaks_off_breaks_off_for_the_tool_and_its_call_has_failed() {
    let world = answering("HTTP/1.1 200 OK\ncontent-length: 100\n\nplain");
    let (_task, grant) = world.open();
    let answer = authorized(&world, &grant, |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let (at, prefix) = parts(&url);
        let mut stream = connect(at);
        write!(stream, "GET {prefix}/v1/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        until_closed(stream)
    });
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(outcomes(&world), ["error", "ok"], "the request, and the call around it");
}

#[test]
fn a_request_that_a_server_fails_at_has_failed() {
    let world = answering("HTTP/1.1 500 x\ncontent-length: 0\n\n");
    let (_task, grant) = world.open();
    let status = authorized(&world, &grant, |endpoint| {
        get(&endpoint.url("orders-api").unwrap(), "/v1/a", "").status
    });
    assert_eq!((status, outcomes(&world)), (500, ["error", "ok"].map(String::from).to_vec()));
}
