//! Connections to a server, and requests on them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::response::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use futures_util::StreamExt;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::target::{Stream, Target};

/// For how long the name, the connection and TLS may take together.
const CONNECT: Duration = Duration::from_secs(10);

/// The most bytes of an answer's head, and that are read at once.
const HEAD: usize = 64 * 1024;

/// How many connections wait for the next request.
const MOST_IDLE: usize = 32;

/// Connections to a server.
pub(super) struct Connections {
    pub(super) target: Arc<Target>,
    idle: Arc<Mutex<Vec<SendRequest<Body>>>>,
}

/// What answers a request: its head, and its body as it comes.
pub(super) struct Answered {
    head: Parts,
    body: BodyDataStream,
    connection: Option<SendRequest<Body>>,
    idle: Arc<Mutex<Vec<SendRequest<Body>>>>,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    Unreachable,
    /// It broke off, or is not HTTP.
    Broken,
    TooSlow,
    Encoded,
}

impl Connections {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Connections { target, idle: Arc::default() }
    }

    /// Makes a request, and waits for the head of its answer. It is made once: a request that a server may have seen is not
    /// made again.
    pub(super) async fn ask(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Result<Answered, NoAnswer> {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.target.path.clone().into();
        *request.headers_mut() = headers;
        loop {
            let (mut connection, is_new) = match self.take_idle() {
                Some(connection) => (connection, false),
                None => (self.connect().await?, true),
            };
            let answered = timeout(patience, connection.try_send_request(request)).await;
            match answered {
                Err(_) => return Err(NoAnswer::TooSlow),
                Ok(Ok(response)) => {
                    let (head, body) = response.into_parts();
                    if head.headers.get(CONTENT_ENCODING).is_some_and(|own| own != "identity") {
                        return Err(NoAnswer::Encoded);
                    }
                    let body = Body::new(body).into_data_stream();
                    let (connection, idle) = (Some(connection), self.idle.clone());
                    return Ok(Answered { head, body, connection, idle });
                }
                Ok(Err(mut error)) => match error.take_message() {
                    // The server had closed a connection that waited; nothing of the request has left.
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(NoAnswer::Broken),
                },
            }
        }
    }

    fn take_idle(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Result<SendRequest<Body>, NoAnswer> {
        let shaken = async {
            let stream = self.target.connect().await?;
            let stream: TokioIo<Box<dyn Stream>> = TokioIo::new(stream);
            let hands = Builder::new().max_buf_size(HEAD).handshake(stream).await;
            hands.map_err(io::Error::other)
        };
        let hands = timeout(CONNECT, shaken).await;
        let (connection, driver) = hands.ok().and_then(Result::ok).ok_or(NoAnswer::Unreachable)?;
        // It ends with the last that holds the connection.
        self.target.threads.spawn(async {
            let _ = driver.await;
        });
        Ok(connection)
    }
}

impl Answered {
    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The media type, without its parameters.
    pub(super) fn media(&self) -> &str {
        let stated = self.header(CONTENT_TYPE).unwrap_or_default();
        stated.split(';').next().unwrap_or_default().trim()
    }

    pub(super) fn has_header(&self, name: HeaderName) -> bool {
        self.head.headers.contains_key(name)
    }

    /// The value of a header that is there once.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        let mut all = self.head.headers.get_all(name).iter();
        let own = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(own)
    }

    /// The next bytes of the body; `None` at its end.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, NoAnswer> {
        match timeout(patience, self.body.next()).await {
            Err(_) => Err(NoAnswer::TooSlow),
            Ok(Some(Err(_))) => Err(NoAnswer::Broken),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(None) => {
                self.give_back();
                Ok(None)
            }
        }
    }

    /// Once all of an answer is read, its connection takes the next request.
    fn give_back(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.extend(self.connection.take().filter(|own| !own.is_closed()));
        }
    }
}

impl NoAnswer {
    pub(super) fn why(self) -> &'static str {
        match self {
            NoAnswer::Unreachable => "the server can't be reached",
            NoAnswer::Broken => "the server's answer broke off, or is not HTTP",
            NoAnswer::TooSlow => "the server has said nothing for too long",
            NoAnswer::Encoded => "the server answered in an encoding that was not asked for",
        }
    }
}
