//! The end of a call is the end of its endpoint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hallpass::Running;
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Secrets, Vault};
use hallpass_http::{Injector, LeaseError};

use crate::world::*;

#[test]
fn a_task_that_ends_while_a_client_works_stops_what_it_asks_next_and_what_comes() {
    let world = World::new();
    let (task, grant) = world.open();
    let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/");
        lease.serve(|endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            let (at, prefix) = parts(&url);
            let mut stream = connect(at);
            write!(stream, "GET {prefix}/v1/hang HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let mut room = [0; 1024];
            assert!(stream.read(&mut room).unwrap() > 0);
            drop(task.complete());
            // It breaks off: without the end that a whole answer has.
            assert!(!until_closed(stream).ends_with("0\r\n\r\n"));
            assert!(!tried(&url).contains(" 200 "));
        })
    });
    receipt.unwrap();
    assert_eq!(world.orders.seen().len(), 1);
}

/// Runs a call of a grant that lives for a minute.
pub(crate) fn in_a_minute<T>(
    clock: &ManualClock,
    injector: &Injector,
    tool: impl FnOnce(&Running, &Secrets) -> Result<T, LeaseError>,
) -> T {
    let policy = saying_origins(
        r#"
        version = 1
        tool = [{ name = "orders.fetch", credential = "orders-api" }]
        rule = [{ id = "p", effect = "permit", what = { tool = "orders.fetch", args = "any" }, grant = { ttl = "1m" } }]
    "#,
        injector,
    );
    let vault = Vault::new().unwrap();
    vault.seal("orders-api", Secret::new(TOKEN).unwrap()).unwrap();
    let broker =
        Broker::builder(Policy::from_toml(&policy).unwrap()).clock(clock.clone()).vault(&vault);
    let broker = broker.build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("orders.fetch").any_args(), &Context::new()).unwrap();
    let call = Call::new("orders.fetch", serde_json::json!({})).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    permit.run_with(tool).unwrap().raw()
}

#[test]
fn what_has_expired_serves_no_request_whether_it_was_swept_or_not() {
    let world = World::new();
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    in_a_minute(&clock, &world.injector, |running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/");
        lease.serve(|endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            assert_eq!(get(&url, "/v1/a", "").status, 200);
            clock.advance(Duration::from_secs(61));
            // Refused, or not listened to any more.
            let answer = tried(&url);
            assert!(answer.is_empty() || answer.contains(" 403 "), "{answer}");
        })
    });
    assert_eq!(world.orders.seen().len(), 1);
}

#[test]
fn a_tool_that_panics_takes_its_endpoint_with_it() {
    let world = World::new();
    let mut open = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        world.run("orders.fetch", |endpoint| {
            open = Some(kept_open(parts(&endpoint.url("orders-api").unwrap()).0));
            panic!("the tool")
        })
    }));
    assert!(panicked.is_err());
    // Its port may be another's by now.
    assert_eq!(until_closed(open.unwrap()), "");
}

/// Connections on which nothing comes hold up neither the tool nor its end.
#[test]
fn silent_connections_of_neighbours_hold_up_nothing() {
    let world = World::new();
    world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let at = parts(&url).0;
        let silent: Vec<_> = (0..100).map(|_| connect(at)).collect();
        let mut half = connect(at);
        half.write_all(b"GET /").unwrap();
        assert_eq!(get(&url, "/v1/a", "").status, 200);
        drop(silent);
    });
}

/// What is answered, if anything is.
pub(crate) fn tried(url: &str) -> String {
    let (at, prefix) = parts(url);
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(at) {
        let _ =
            write!(stream, "GET {prefix}/v1/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}
