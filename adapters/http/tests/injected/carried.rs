//! What a request carries on.

use crate::world::*;

#[test]
fn a_request_reaches_the_origin_with_the_secret_which_its_tool_never_has() {
    let world = World::new();
    let answer = world.get("/v1/orders/7?full=1", "accept: text/plain\r\n");
    assert_eq!((answer.status, &*answer.body), (200, "plain"));
    let seen = &world.orders.seen()[0];
    assert_eq!(seen.line, "GET /v1/orders/7?full=1");
    assert!(seen.has(&format!("authorization: Bearer {TOKEN}")) && seen.has("accept: text/plain"));
    assert!(seen.has(&format!("host: {}", world.orders.at)), "{seen:?}");
}

#[test]
fn a_body_is_carried_on_as_it_came() {
    let world = World::new();
    let body = "a=1&".repeat(20_000);
    let answer = world.run("orders.fetch", |endpoint| {
        post(&endpoint.url("orders-api").unwrap(), "/v1/orders", &body)
    });
    assert_eq!(answer.status, 200);
    assert_eq!(world.orders.seen()[0].body, body);
}

#[test]
fn each_secret_goes_to_its_own_origin_in_its_own_header() {
    let world = World::new();
    world.run("both", |endpoint| {
        get(&endpoint.url("orders-api").unwrap(), "/v1/a", "x-api-key: own\r\n");
        get(&endpoint.url("crm-key").unwrap(), "/v1/b", "X-API-KEY: own\r\nx-api-key: more\r\n");
        assert_eq!(endpoint.url("unknown"), None);
    });
    let (orders, crm) = (&world.orders.seen()[0], &world.crm.seen()[0]);
    assert!(orders.text().contains(TOKEN) && !orders.text().contains(KEY));
    assert!(crm.has(&format!("x-api-key: {KEY}")) && !crm.text().contains(TOKEN));
    assert!(!crm.text().contains("own") && !crm.text().contains("more"));
    // A tool that runs with one of them has the way to that one alone.
    let other =
        world.run("orders.fetch", |endpoint| get(&endpoint.url("crm-key").unwrap(), "/v1/b", ""));
    assert_eq!((other.status, world.crm.seen().len()), (403, 1));
}

#[test]
fn what_the_tool_says_for_itself_of_who_it_is_stays_behind() {
    let world = World::new();
    let own = "authorization: Bearer of-its-own\r\ncookie: session=1\r\nrange: bytes=0-9\r\n\
               x-hop: 1\r\nte: trailers\r\naccept-encoding: gzip\r\n";
    world.get("/v1/orders", &own.replace("te:", "connection: x-hop\r\nte:"));
    let seen = &world.orders.seen()[0];
    for left in ["of-its-own", "session", "range", "x-hop", "trailers", "gzip"] {
        assert!(!seen.text().contains(left), "{left}: {seen:?}");
    }
    assert!(seen.has("accept-encoding: identity"));
}

#[test]
fn a_secret_is_rotated_between_calls() {
    let world = World::new();
    world.get("/v1/a", "");
    let next = "n3xt-token-n3xt-token";
    world.vault.seal("orders-api", hallpass::vault::Secret::new(next).unwrap()).unwrap();
    world.get("/v1/a", "");
    let [first, second] = &*world.orders.seen() else { panic!("two requests") };
    assert!(
        first.text().contains(TOKEN)
            && second.text().contains(next)
            && !second.text().contains(TOKEN)
    );
}

#[test]
fn an_asynchronous_tool_is_served_within_its_own_future() {
    use hyper_util::rt::TokioIo;
    let world = World::new();
    let (_task, grant) = world.open();
    let permit = world.permit(&grant, "orders.fetch");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(permit.run_with_async(async |running, secrets| {
        let lease = world.injector.lend(running, secrets).allow("GET", "/v1/");
        let served = lease.serve_async(async |endpoint| {
            let url = endpoint.url("orders-api").unwrap();
            let (at, prefix) = parts(&url);
            let stream = tokio::net::TcpStream::connect(at).await.unwrap();
            let (mut client, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let request = hyper::Request::get(format!("{prefix}/v1/a"))
                .header("host", "here")
                .body(String::new())
                .unwrap();
            client.send_request(request).await.unwrap().status().as_u16()
        });
        served.await
    }));
    assert_eq!(status.unwrap().raw(), 200);
    assert!(world.orders.seen()[0].text().contains(TOKEN));
}

/// The client of an asynchronous tool may be polled by the thread that serves it.
#[test]
fn a_lease_is_of_a_future_that_moves_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let world = World::new();
    let (_task, grant) = world.open();
    let permit = world.permit(&grant, "orders.fetch");
    let injector = world.injector.clone();
    let run = async move {
        permit
            .run_with_async(async |running, secrets| {
                let lease = injector.lend(running, secrets).allow("GET", "/v1/");
                lease.serve_async(async |_| ()).await
            })
            .await
            .is_ok()
    };
    moves(&run);
    assert!(crate::server::runtime().block_on(run));
}
