//! Many connections, and such as say nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, pause, timeout};

use crate::world::*;

#[test]
fn of_more_than_256_connections_the_further_ones_wait_until_one_is_closed() {
    let world = World::new();
    world.run("orders.fetch", |endpoint| {
        let at = parts(&endpoint.url("orders-api").unwrap()).0;
        let mut open: Vec<_> = (0..256).map(|_| kept_open(at)).collect();
        let mut further = connect(at);
        further.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        // It was asked before these are, and would be answered by the time that they are.
        (0..5).for_each(|_| refused_on(&mut open[0]));
        further.set_nonblocking(true).unwrap();
        let early = further.read(&mut [0; 16]).map_err(|error| error.kind());
        assert_eq!(early, Err(ErrorKind::WouldBlock));
        further.set_nonblocking(false).unwrap();
        open.pop();
        assert!(further.read(&mut [0; 16]).unwrap() > 0);
    });
}

/// A neighbour that has no key holds a connection no longer than that.
#[test]
fn a_connection_that_says_nothing_or_half_a_request_is_closed_after_ten_seconds() {
    let world = World::new();
    let (_task, grant) = world.open();
    for half in ["", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let permit = world.permit(&grant, "orders.fetch");
        let ran = runtime.block_on(permit.run_with_async(async |running, secrets| {
            let lease = world.injector.lend(running, secrets).allow("GET", "/v1/");
            let served = lease.serve_async(async |endpoint| {
                let at = parts(&endpoint.url("orders-api").unwrap()).0;
                let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(b"\r\n0\r\n\r\n") {
                    answer.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(half.as_bytes()).await.unwrap();
                // From here on, time passes where nothing else is to be done.
                pause();
                let from = Instant::now();
                let read = timeout(Duration::from_secs(60), stream.read(&mut [0; 16])).await;
                assert!(matches!(read, Ok(Ok(0) | Err(_))), "{half:?}: {read:?}");
                from.elapsed()
            });
            served.await
        }));
        let waited = ran.unwrap().raw();
        assert!(waited <= Duration::from_secs(11), "{half:?}: {waited:?}");
    }
}
