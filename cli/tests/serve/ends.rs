//! The end: what is being asked is answered, and all is on record.

use std::io::{Read, Write};

use crate::ORDERS;
use crate::server::{ONE, Response, SECRET, Server, question};
use crate::world::gated::{outcomes, records};

#[test]
fn a_request_that_has_begun_is_answered_before_the_end() {
    let server = Server::new(ORDERS, &[]);
    let mut stream = server.connect();
    let body = question("ana", "read", "7").to_string();
    let head = format!(
        "POST {ONE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {SECRET}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server has it once it wants to have the rest.
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.tell("-TERM");
    stream.write_all(body.as_bytes()).unwrap();
    let response = Response::read(stream);
    assert_eq!(response.json()["decision"], true);
    let left = server.ended();
    assert_eq!((left.code, &*left.errors), (Some(0), ""));
    assert_eq!(outcomes(&records(&left.folder)), ["forwarded"]);
}

#[test]
fn a_client_that_says_nothing_does_not_hold_up_the_end() {
    let server = Server::new(ORDERS, &[]);
    let idle = server.connect();
    let mut half = server.connect();
    half.write_all(b"POST /access").unwrap();
    assert!(server.may(&question("ana", "read", "7")));
    assert_eq!(server.end().code, Some(0));
    drop((idle, half));
}

#[test]
fn a_log_goes_on_with_the_next_server() {
    let server = Server::new(ORDERS, &[]);
    assert!(server.may(&question("ana", "read", "7")));
    let server = Server::in_folder(server.end().folder, ORDERS, &[]);
    assert!(server.may(&question("ana", "read", "8")));
    assert_eq!(outcomes(&records(&server.end().folder)).len(), 2);
}
