//! Answers other nodes over the connections that they make.

use std::convert::Infallible;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hallpass::fleet::{Fleet, MAX_MESSAGE};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::listener::Accepting;
use crate::protection::{PeerNames, Protection};
use crate::stream::Stream;
use crate::transport::PATH;

/// How many connections are open at once; further ones wait.
const CONNECTIONS: usize = 1024;

/// How many requests a connection may have open at once.
const STREAMS: u32 = 128;

/// How many requests are answered at once, each on a thread that may wait for the log; further ones wait.
const ANSWERS: usize = 64;

/// How many kilobytes of messages may be on their way in, over all connections.
const ROOM: u32 = 64 << 10;

/// How long a message may take to come in, with its waiting.
const REQUEST: Duration = Duration::from_secs(5);

/// For how long a connection may say nothing before its first request, and between requests.
const SILENCE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);

/// How old a connection gets: certificates are looked at again.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(3600);

/// How many bytes of one message, and of all that come over one connection, may be on their way.
const STREAM_WINDOW: u32 = 256 << 10;
const WINDOW: u32 = 1 << 20;

/// The most bytes of a request's head.
const HEAD: u32 = 4 << 10;

/// How long is waited after a connection could not be accepted, as where files have run out.
const PAUSE: Duration = Duration::from_millis(50);

/// A node that answers others, until this is dropped: connections are closed then, and answers that are under way are
/// recorded and not sent.
#[must_use = "the node answers no longer when this is dropped"]
pub struct Serving {
    node: Arc<Node>,
    accepting: AbortHandle,
}

impl Serving {
    /// How many connections were closed before a message came: of who has no certificate of the fleet's, or takes too
    /// long.
    pub fn refused(&self) -> u64 {
        self.node.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("refused", &self.refused()).finish_non_exhaustive()
    }
}

/// A node, as its connections share it.
struct Node {
    fleet: Fleet,
    protection: Protection,
    answers: Arc<Semaphore>,
    room: Arc<Semaphore>,
    refused: AtomicU64,
}

pub(crate) fn serve(
    runtime: &Handle,
    accepting: Accepting,
    protection: Protection,
    fleet: Fleet,
) -> Serving {
    let node = Arc::new(Node {
        fleet,
        protection,
        answers: Arc::new(Semaphore::new(ANSWERS)),
        room: Arc::new(Semaphore::new(ROOM as usize)),
        refused: AtomicU64::new(0),
    });
    let accepting = runtime.spawn(accept_all(accepting, node.clone())).abort_handle();
    Serving { node, accepting }
}

/// Takes connections. When it is dropped, so are they.
async fn accept_all(accepting: Accepting, node: Arc<Node>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // What has ended is let go of.
        while connections.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok(stream) = accepting.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let node = node.clone();
        connections.spawn(async move {
            if !connection(&node, stream).await {
                node.refused.fetch_add(1, Ordering::Relaxed);
            }
            drop(place);
        });
    }
}

/// Answers what comes over a connection; whether anything did.
async fn connection(node: &Arc<Node>, stream: Stream) -> bool {
    let Ok((stream, names)) = node.protection.accept(stream).await else { return false };
    let (names, seen) = (Arc::new(names), Arc::new(Seen::default()));
    let service = {
        let (node, seen) = (node.clone(), seen.clone());
        service_fn(move |request| {
            let begun = Begun::of(&seen);
            let (node, names) = (node.clone(), names.clone());
            async move {
                let answer = answer(&node, &names, request).await;
                drop(begun);
                Ok::<_, Infallible>(answer.unwrap_or_else(refusal))
            }
        })
    };
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(HEAD)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let begun = Instant::now();
    loop {
        let before = seen.requests();
        let silence = if before == 0 { SILENCE } else { IDLE };
        // A node that goes away, or breaks the protocol, is its own affair.
        if timeout(silence, served.as_mut()).await.is_ok() {
            break;
        }
        if seen.is_idle_since(before) {
            break;
        }
        if begun.elapsed() >= MAX_AGE {
            served.as_mut().graceful_shutdown();
        }
    }
    seen.requests() > 0
}

/// The requests of a connection.
#[derive(Default)]
struct Seen {
    begun: AtomicU64,
    open: AtomicUsize,
}

impl Seen {
    fn requests(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether no request has come since there were this many, and none is open.
    fn is_idle_since(&self, before: u64) -> bool {
        self.requests() == before && self.open.load(Ordering::Relaxed) == 0
    }
}

/// A request that is open.
struct Begun(Arc<Seen>);

impl Begun {
    fn of(seen: &Arc<Seen>) -> Begun {
        seen.open.fetch_add(1, Ordering::Relaxed);
        seen.begun.fetch_add(1, Ordering::Relaxed);
        Begun(seen.clone())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The answer to one request.
///
/// # Errors
/// A status, of what is no message, comes too slowly, or can't be answered now.
async fn answer(
    node: &Arc<Node>,
    names: &Arc<PeerNames>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, StatusCode> {
    if request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|own| own.to_str().ok());
    let length: usize =
        length.and_then(|own| own.parse().ok()).ok_or(StatusCode::LENGTH_REQUIRED)?;
    if length > MAX_MESSAGE {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Bounded above: a message is at most some thousand kilobytes.
    let kilobytes = u32::try_from(length / 1024 + 1).unwrap_or(ROOM);
    let came_in = timeout(REQUEST, async {
        let busy = |_| StatusCode::SERVICE_UNAVAILABLE;
        let room = node.room.clone().acquire_many_owned(kilobytes).await.map_err(busy)?;
        let body = Limited::new(request.into_body(), length).collect().await;
        let body = body.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
        let turn = node.answers.clone().acquire_owned().await.map_err(busy)?;
        Ok::<_, StatusCode>((body, (room, turn)))
    });
    let (message, held) = came_in.await.map_err(|_| StatusCode::REQUEST_TIMEOUT)??;
    let (node, names) = (node.clone(), names.clone());
    let answered = tokio::task::spawn_blocking(move || {
        let answer = node.fleet.answer_from(&message, |name| names.allow(name));
        drop(held);
        answer
    });
    let answer = answered.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Response::new(Full::new(answer.into())))
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
