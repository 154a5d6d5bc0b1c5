//! What requests a call may make.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::Halt;
use hallpass::audit::Record;
use hallpass::prelude::*;
use hallpass_http::Endpoint;
use serde_json::json;

use crate::world::*;

#[test]
fn only_what_is_allowed_by_method_and_path_is_passed_on() {
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets);
        let lease = lease.allow("GET", "/v1/orders/7").allow("POST", "/v1/notes/");
        lease.serve(|endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            assert_eq!(get(&url, "/v1/orders/7?x=1", "").status, 200);
            assert_eq!(post(&url, "/v1/notes/1", "text").status, 200);
            for path in [
                "/v1/orders/8",
                "/v1/orders/70",
                "/v1/orders/7/",
                "/v1/orders",
                "/",
                "",
                "/V1/orders/7",
                "/v1/notes/1",
                "/v1/%6frders/7",
            ] {
                assert_eq!(get(&url, path, "").status, 403, "{path}");
            }
            for path in ["/v1/orders/7", "/v1/notes", "/v1/notesx"] {
                assert_eq!(post(&url, path, "text").status, 403, "{path}");
            }
            // What the server might read as another path.
            for path in [
                "/v1/notes/../orders",
                "/v1/notes/%2e%2e/x",
                "/v1/notes//x",
                "/v1/notes/..;/x",
                "/v1/notes/a%2f..%2fx",
            ] {
                assert_eq!(post(&url, path, "text").status, 400, "{path}");
            }
        })
    });
    receipt.unwrap();
    assert_eq!(world.orders.seen().len(), 2);
}

#[test]
fn no_header_says_another_method_or_path_than_was_allowed() {
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/v1/orders/7");
        lease.serve(|endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            for header in [
                "X-HTTP-Method-Override: DELETE",
                "x-http-method: DELETE",
                "X-Method-Override: DELETE",
                "X-Original-URL: /v1/orders/8",
                "x-rewrite-url: /v1/orders/8",
            ] {
                let refused = get(&url, "/v1/orders/7", &format!("{header}\r\n"));
                assert_eq!(refused.status, 400, "{header}");
            }
            assert_eq!(get(&url, "/v1/orders/7", "x-other: 1\r\n").status, 200);
        })
    });
    receipt.unwrap();
    assert_eq!(world.orders.seen().len(), 1);
}

#[test]
fn tunnels_and_requests_that_come_back_as_they_are_sent_are_refused() {
    let world = World::new();
    world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let (at, prefix) = parts(&url);
        let authority = world.orders.at;
        let password = password(&endpoint.proxy());
        let request = |line: &str, headers: &str| {
            http(at, &format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"))
        };
        assert_eq!(request(&format!("CONNECT {authority}"), &password).status, 405);
        assert_eq!(request(&format!("CONNECT {authority}"), "").status, 407);
        assert_eq!(request(&format!("TRACE {prefix}/v1/echo"), "").status, 405);
        assert_eq!(request("OPTIONS *", "").status, 404);
        assert_eq!(request(&format!("PUT {prefix}/v1/a"), "").status, 403);
    });
    assert!(world.orders.seen().is_empty());
}

/// Each request is a call of its own: decided, recorded, counted, and over with its answer.
pub(crate) fn authorized<T>(
    world: &World,
    grant: &Grant,
    client: impl FnOnce(&Endpoint<'_>) -> T,
) -> T {
    let gate = world.broker.gate();
    let receipt = world.permit(grant, "orders.fetch").run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets).authorizing(|asked| {
            assert_eq!(asked.credential(), "orders-api");
            let args = json!({ "method": asked.method(), "url": asked.url() });
            let call = Call::new("http.request", args)?;
            Ok(gate.authorize(grant, &world.agent, call, &Context::new())?.start()?)
        });
        lease.serve(client)
    });
    receipt.unwrap().raw()
}

#[test]
fn a_request_that_is_a_call_of_its_own_is_decided_recorded_and_counted() {
    let world = World::new();
    let (_task, grant) = world.open();
    authorized(&world, &grant, |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        // No rule covers it: neither the method nor the path.
        assert_eq!(post(&url, "/v1/a", "text").status, 403);
        assert_eq!(get(&url, "/v2/a", "").body, "out_of_scope");
        assert_eq!(get(&url, "/v1/a", "").status, 200);
        assert_eq!(get(&url, "/v1/missing", "").status, 404);
        let third = get(&url, "/v1/a", "");
        assert_eq!((third.status, &*third.body), (429, "limit_reached"));
    });
    let lines: Vec<String> = world.orders.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /v1/a", "GET /v1/missing"]);
    assert_eq!(outcomes(&world), ["ok", "error", "ok"], "two requests, and the call around them");
}

/// How the calls of a world went, in order.
pub(crate) fn outcomes(world: &World) -> Vec<String> {
    let records = world.records();
    let outcomes = records.iter().filter(|own| own.event.kind() == "outcome");
    let outcome = |own: &Record| serde_json::to_value(&own.event).unwrap()["outcome"].clone();
    outcomes.map(|own| outcome(own).as_str().unwrap().to_owned()).collect()
}

/// A request that is a call of its own ends with its own authority, too.
#[test]
fn a_halt_of_what_requests_are_stops_one_that_is_sent_and_one_that_is_answered() {
    let world = World::new();
    let (_task, grant) = world.open();
    let gate = world.broker.gate();
    let halt = || world.broker.control().halt(Halt::tool("http.request").unwrap());
    let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
        let is_first = AtomicBool::new(true);
        let (grant, is_first, gate) = (&grant, &is_first, &gate);
        let lease = world.injector.lend(running, secrets).authorizing(move |asked| {
            let args = json!({ "method": asked.method(), "url": asked.url() });
            let call = Call::new("http.request", args)?;
            let started = gate.authorize(grant, &world.agent, call, &Context::new())?.start()?;
            if is_first.swap(false, Ordering::SeqCst) {
                halt();
            }
            Ok(started)
        });
        lease.serve(|endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            assert_eq!(get(&url, "/v1/a", "").status, 403);
            assert!(world.orders.seen().is_empty(), "nothing was sent");
            world.broker.control().resume(&Halt::tool("http.request").unwrap());
            let (at, prefix) = parts(&url);
            let mut stream = connect(at);
            write!(stream, "GET {prefix}/v1/hang HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            halt();
            assert!(!until_closed(stream).ends_with("0\r\n\r\n"));
        })
    });
    receipt.unwrap();
}

#[test]
fn a_hook_that_fails_refuses_the_request() {
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/");
        let lease = lease.authorizing(|_| Err("the directory is down".into()));
        lease.serve(|endpoint| get(&endpoint.url("orders-api").unwrap(), "/v1/a", ""))
    });
    let answer = receipt.unwrap().raw();
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains("directory"));
    assert!(world.orders.seen().is_empty());
}
