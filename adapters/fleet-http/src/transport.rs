//! How a node asks others.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use hallpass::fleet::{AsyncTransport, MAX_MESSAGE, Sending, Transport, TransportError};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response, StatusCode};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::pool::{Place, Pool};
use crate::protection::Protection;
use crate::setup::SetupError;

/// Where messages are sent to, at whatever node.
pub(crate) const PATH: &str = "/hallpass/fleet/v1";
const TARGET: &str = "https://node/hallpass/fleet/v1";

/// How long an answer may take, with the connection that it needs.
const LIMIT: Duration = Duration::from_secs(1);
const LIMITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

/// How much longer a thread waits for a runtime that does not come to it.
const GRACE: Duration = Duration::from_millis(50);

/// Carries messages to other nodes over HTTP/2: a [`Transport`] for hosts that block, and an [`AsyncTransport`] for
/// those that don't. Cloning shares its connections.
///
/// Of a node it keeps four connections at the most, and makes them anew when they are gone. A message is sent
/// once: another time only where it is known that not a byte of it has left. An answer of more than
/// [`MAX_MESSAGE`] bytes is none, and one that takes longer than the [time limit](HttpTransport::time_limit) is not waited for.
#[derive(Clone)]
pub struct HttpTransport {
    inner: Arc<Inner>,
    runtime: Handle,
    limit: Duration,
}

struct Inner {
    protection: Protection,
    pool: Pool,
}

impl HttpTransport {
    /// Connects on the threads of this runtime, whose I/O and time are enabled. A call that blocks, made on one of
    /// these threads, keeps it from doing that: a runtime that has one thread alone gives no answer then, until the time
    /// limit is over.
    #[must_use]
    pub fn new(runtime: Handle, protection: Protection) -> HttpTransport {
        let inner = Arc::new(Inner { protection, pool: Pool::default() });
        HttpTransport { inner, runtime, limit: LIMIT }
    }

    /// How long an answer may take, with the connection that it needs: a second unless set, 10 milliseconds to a
    /// minute. A leave to start a call is half a lease long from before it was asked for, so more than that is waited for in vain.
    ///
    /// # Errors
    /// [`SetupError::TimeLimit`].
    pub fn time_limit(self, limit: Duration) -> Result<HttpTransport, SetupError> {
        match (LIMITS.0..=LIMITS.1).contains(&limit) {
            true => Ok(HttpTransport { limit, ..self }),
            false => Err(SetupError::TimeLimit(limit)),
        }
    }

    /// Sends a message on the runtime. Dropping what is given back gives the answer up.
    fn start(
        &self,
        node: &str,
        address: &str,
        message: Bytes,
        then: impl FnOnce(Result<Vec<u8>, TransportError>) + Send + 'static,
    ) -> Started {
        let (inner, limit) = (self.inner.clone(), self.limit);
        let (node, address) = (Box::<str>::from(node), Box::<str>::from(address));
        Started(self.runtime.spawn(async move {
            then(inner.exchange_in(limit, &node, &address, message).await);
        }))
    }
}

/// A message on its way, which is given up when this is dropped.
struct Started(JoinHandle<()>);

impl Drop for Started {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Inner {
    async fn exchange_in(
        &self,
        limit: Duration,
        node: &str,
        address: &str,
        message: Bytes,
    ) -> Result<Vec<u8>, TransportError> {
        let mut place = None;
        let sent = timeout(limit, self.exchange(node, address, message, &mut place)).await;
        sent.unwrap_or_else(|_| {
            let why = format!("no answer within {limit:?}");
            place.iter().for_each(|place: &Place| place.note_failure(&why));
            Err(TransportError::new(why))
        })
    }

    /// Sends a message; `on` is the place that it has gone out on.
    async fn exchange(
        &self,
        node: &str,
        address: &str,
        message: Bytes,
        on: &mut Option<Place>,
    ) -> Result<Vec<u8>, TransportError> {
        let mut request =
            Request::post(TARGET).body(Full::new(message)).map_err(TransportError::new)?;
        let mut is_first = true;
        loop {
            let place = self.pool.place(&self.protection, node, address).await;
            let place = on.insert(place.map_err(TransportError::new)?);
            let mut sender = place.sender();
            match sender.try_send_request(request).await {
                Ok(response) => {
                    place.note_answer();
                    return answer_of(response).await;
                }
                Err(mut error) => {
                    place.note_failure(&error.error().to_string());
                    // It is given back where not a byte of it has left: a connection that ended while it lay there.
                    match error.take_message() {
                        Some(unsent) if is_first => (request, is_first) = (unsent, false),
                        _ => return Err(TransportError::new(error.into_error())),
                    }
                }
            }
        }
    }
}

async fn answer_of(response: Response<Incoming>) -> Result<Vec<u8>, TransportError> {
    let (head, body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Err(TransportError::new(format_args!("it answers {}", head.status)));
    }
    let announced = body.size_hint().lower();
    if announced > u64::try_from(MAX_MESSAGE).unwrap_or(u64::MAX) {
        return Err(TransportError::new("its answer is too long"));
    }
    let whole = Limited::new(body, MAX_MESSAGE).collect().await.map_err(TransportError::new)?;
    Ok(whole.to_bytes().into())
}

impl Transport for HttpTransport {
    fn send(&self, node: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        let (tell, told) = mpsc::sync_channel(1);
        let message = Bytes::copy_from_slice(message);
        let _started = self.start(node, address, message, move |answer| {
            let _ = tell.send(answer);
        });
        match told.recv_timeout(self.limit + GRACE) {
            Ok(answer) => answer,
            Err(_) => Err(TransportError::new("the runtime that carries it does nothing")),
        }
    }
}

impl AsyncTransport for HttpTransport {
    fn send<'t>(&'t self, node: &'t str, address: &'t str, message: Vec<u8>) -> Sending<'t> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let started = self.start(node, address, message.into(), move |answer| {
            let _ = tell.send(answer);
        });
        Box::pin(async move {
            let _started = started;
            let stopped = |_| TransportError::new("the runtime that carries it has ended");
            told.await.map_err(stopped)?
        })
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("protection", &self.inner.protection)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
