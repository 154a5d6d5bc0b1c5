//! Connections: how many, for how long, and their end.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::impatient::Impatient;
use super::tls::HTTP_2;
use crate::signals;

/// How many connections are open at once; further ones wait.
const CONNECTIONS: usize = 1024;

/// For how long a connection may shake hands, say nothing between requests, or be within a request's head.
const SILENCE: Duration = Duration::from_secs(15);

/// For how long a client may read nothing of what waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most bytes of a request's head.
const HEAD: usize = 64 * 1024;

/// How many requests a connection of HTTP/2 may have open at once.
const STREAMS: u32 = 128;

/// How long requests that are being answered may go on after the server was told to end.
const GRACE: Duration = Duration::from_secs(2);

/// How long is waited after a connection could not be accepted, as where files have run out.
const PAUSE: Duration = Duration::from_millis(50);

/// How many threads wait for requests. Those that decide, and may wait for the log, are others.
const THREADS: usize = 2;

/// Listens on an address and serves until the process is told to end; `ending` is called then, before connections are
/// closed. The first line of the output tells the address, with `path` after it.
///
/// # Errors
/// If the address can't be listened on.
pub(crate) fn serve_until_told(
    listen: SocketAddr,
    path: &str,
    tls: Option<TlsAcceptor>,
    router: Router,
    ending: impl FnOnce() + Send + 'static,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| format!("no threads can be had: {error}"))?;
    let (tell, told) = watch::channel(false);
    signals::watch(move || {
        let _ = tell.send(true);
    });
    let scheme = if tls.is_some() { "https" } else { "http" };
    let ended = runtime.block_on(async {
        let unbound = |error| format!("{listen}: can't be listened on: {error}");
        let listener = TcpListener::bind(listen).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        // If no one reads it, it is served all the same.
        let _ = writeln!(io::stdout(), "listening on {scheme}://{address}{path}");
        let mut own = told.clone();
        tokio::spawn(async move {
            told_to_end(&mut own).await;
            let _ = tokio::task::spawn_blocking(ending).await;
        });
        serve(listener, tls, router, told).await;
        Ok(())
    });
    runtime.shutdown_timeout(GRACE);
    ended
}

/// Serves until `told` is, and then until what is being answered is answered.
async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut told: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // What has ended is let go of.
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = told_to_end(&mut told) => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (tls, router, told) = (tls.clone(), router.clone(), told.clone());
        connections.spawn(async move {
            connection(stream, tls, router, told).await;
            drop(place);
        });
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    // What is left then is cut off, since the set is dropped.
    let _ = timeout(GRACE, all_done).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(_) => {
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    told: watch::Receiver<bool>,
) {
    // Answers are short, and clients wait for them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => {
            // A client that says nothing is given up.
            if let Ok(is_http2) = timeout(SILENCE, begins_http2(&stream)).await {
                exchange(stream, is_http2, router, told).await;
            }
        }
        Some(tls) => {
            // A client that can't shake hands is its own affair.
            if let Ok(Ok(stream)) = timeout(SILENCE, tls.accept(stream)).await {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
                exchange(stream, is_http2, router, told).await;
            }
        }
    }
}

/// Whether a client begins HTTP/2 by itself, as gRPC does without TLS. Its first bytes are left to be read.
async fn begins_http2(stream: &TcpStream) -> bool {
    const PREFACE: &[u8; 3] = b"PRI";
    let mut first = [0; 3];
    loop {
        match stream.peek(&mut first).await {
            // That it is closed is found when it is read from.
            Ok(0) | Err(_) => return false,
            Ok(read) if first.get(..read) != PREFACE.get(..read) => return false,
            Ok(read) if read == first.len() => return true,
            Ok(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn exchange<S>(stream: S, is_http2: bool, router: Router, told: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| router.clone().call(request));
    let stream = TokioIo::new(Impatient::new(stream, PATIENCE));
    if is_http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            // A client that is gone is found out; one that lives may be silent between requests.
            .keep_alive_interval(SILENCE)
            .keep_alive_timeout(SILENCE)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEAD as u32)
            .serve_connection(stream, service);
        until_told(connection, told).await;
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SILENCE)
            .max_buf_size(HEAD)
            .serve_connection(stream, service);
        until_told(connection, told).await;
    }
}

async fn until_told<C: GracefulConnection>(connection: C, mut told: watch::Receiver<bool>) {
    let mut connection = pin!(connection);
    tokio::select! {
        // A client that goes away, or breaks the protocol, is its own affair.
        _ = connection.as_mut() => {}
        () = told_to_end(&mut told) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Waits until the server is told to end, or can't be any more.
async fn told_to_end(told: &mut watch::Receiver<bool>) {
    let _ = told.wait_for(|told| *told).await;
}

/// Whether only this machine reaches an address.
pub(crate) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_reaches_an_address_of_its_own_in_every_spelling() {
        for own in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_loopback(&own.parse().unwrap()), "{own}");
        }
        for other in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1", "169.254.1.1:1"] {
            assert!(!is_loopback(&other.parse().unwrap()), "{other}");
        }
    }
}
