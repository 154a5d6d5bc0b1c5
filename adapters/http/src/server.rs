//! Serves the endpoint of one call.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use hallpass::Running;
use hallpass::vault::Secrets;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::answer::{Answer, Driving, Passed};
use crate::bounds::{Asked, Bounds, OutOfBounds};
use crate::headers;
use crate::injection::Injection;
use crate::injector::Inner;
use crate::key::Key;
use crate::refusal::Refusal;
use crate::request::addressed;

/// How many connections are open at once; further ones wait.
const CONNECTIONS: usize = 256;

/// For how long a connection may say nothing, or half a request: a neighbour that has no key holds one no longer.
const SILENCE: Duration = Duration::from_secs(10);

/// The endpoint of one call.
pub(crate) struct Server<'r> {
    pub(crate) inner: &'r Inner,
    pub(crate) running: &'r Running,
    pub(crate) secrets: &'r Secrets,
    pub(crate) bounds: Bounds<'r>,
    pub(crate) key: Key,
    pub(crate) port: u16,
}

impl Server<'_> {
    /// Serves until the authority of the call ends. Dropped, it closes everything. Whether the authority has ended is
    /// asked whenever this is polled, before any connection gets a step further.
    pub(crate) async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut connections = FuturesUnordered::new();
        let mut ended = pin!(self.running.ended());
        loop {
            let has_room = connections.len() < CONNECTIONS;
            let accepted = async {
                match has_room {
                    true => listener.accept().await,
                    false => std::future::pending().await,
                }
            };
            let next = {
                let going = pin!(async {
                    match connections.next().await {
                        Some(()) => {}
                        None => std::future::pending().await,
                    }
                });
                let accepted = pin!(accepted);
                match select(ended.as_mut(), select(accepted, going)).await {
                    Either::Left(_) => return Ok(()),
                    Either::Right((Either::Left((accepted, _)), _)) => Some(accepted),
                    Either::Right((Either::Right(_), _)) => None,
                }
            };
            // A connection that was reset before it was accepted does not stop the endpoint.
            if let Some(Ok((stream, _))) = next {
                connections.push(self.connection(stream));
            }
        }
    }

    async fn connection(&self, stream: tokio::net::TcpStream) {
        let service = service_fn(|request| async {
            let answer = self.answer(request).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(Answer::refused))
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SILENCE)
            .serve_connection(TokioIo::new(stream), service);
        // A client that goes away, or breaks the protocol, is its own affair.
        let _ = served.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answer>, Refusal> {
        let (mut parts, body) = request.into_parts();
        let addressed = addressed(&parts, &self.key, self.inner)?;
        let injection = &addressed.route.injection;
        let secret = self.secrets.get(&injection.credential).ok_or(Refusal::Origin)?;
        let asked = Asked {
            credential: &injection.credential,
            origin: &injection.origin,
            method: &parts.method,
            path: addressed.target.path(),
            query: addressed.target.query(),
        };
        let call = self.bounds.admit(&asked).map_err(|out| match out {
            OutOfBounds::NotAllowed => Refusal::NotAllowed,
            OutOfBounds::Denied(code) => Refusal::Denied(code),
        })?;
        let mut ended: Option<Driving> =
            call.as_ref().map(|own| -> Driving { Box::pin(own.ended()) });
        let value = injection.value(secret.expose()).ok_or(Refusal::Origin)?;
        headers::outgoing(&mut parts.headers, &injection.origin, (&addressed.route.header, value))?;
        parts.uri = Uri::from(addressed.target);
        let exchange = self.exchange(injection, Request::from_parts(parts, body));
        let (response, connection) = unless(&mut ended, pin!(exchange)).await??;
        let (mut head, body) = response.into_parts();
        head.extensions.clear();
        headers::incoming(&mut head.headers, &injection.origin, &addressed.shown, self.running)?;
        let (scrub, status) = (Some(self.running.scrub_stream()), head.status);
        let passed = Passed { body, connection, scrub, ended, call, status };
        Ok(Response::from_parts(head, Answer::Passed(Box::new(passed))))
    }

    /// Sends a request to its origin: the head of the answer, and the connection that its body comes on.
    async fn exchange(
        &self,
        injection: &Injection,
        request: Request<Incoming>,
    ) -> Result<(Response<Incoming>, Option<Driving>), Refusal> {
        let stream = TokioIo::new(self.inner.connect(injection).await?);
        let connected = hyper::client::conn::http1::handshake(stream).await;
        let (mut sender, connection) = connected.map_err(unreachable)?;
        let mut connection: Option<Driving> = Some(Box::pin(async { drop(connection.await) }));
        let sent = pin!(sender.send_request(request));
        let response = driven(&mut connection, sent).await.map_err(unreachable)?;
        Ok((response, connection))
    }
}

fn unreachable(_: hyper::Error) -> Refusal {
    Refusal::Unreachable
}

/// What a future gives, unless something has ended: that is asked before each step of it.
async fn unless<F: Future>(
    ended: &mut Option<Driving>,
    mut future: Pin<&mut F>,
) -> Result<F::Output, Refusal> {
    std::future::poll_fn(|context: &mut Context<'_>| {
        if ended.as_mut().is_some_and(|own| own.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Err(Refusal::Over));
        }
        future.as_mut().poll(context).map(Ok)
    })
    .await
}

/// What a future gives, while the connection that it needs goes on.
async fn driven<F: Future>(connection: &mut Option<Driving>, mut future: Pin<&mut F>) -> F::Output {
    std::future::poll_fn(|context: &mut Context<'_>| -> Poll<F::Output> {
        if connection.as_mut().is_some_and(|own| own.as_mut().poll(context).is_ready()) {
            *connection = None;
        }
        future.as_mut().poll(context)
    })
    .await
}
