//! The endpoint: `POST` of a message, `GET` of a stream, `DELETE` of a session.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream::unfold;
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::PATH;
use super::gates::{Gates, only};
use super::sessions::{HttpSession, Sessions};
use super::streams::NoStream;
use crate::mcp::answer::{self, INVALID_REQUEST, PARSE_ERROR};
use crate::mcp::revision::Revision;
use crate::remark::remark;
use crate::rpc::frame::MAX_FRAME;
use crate::rpc::message::{Id, Message};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(60);

/// How long a stream says nothing: a proxy in between would close it.
const SILENCE: Duration = Duration::from_secs(15);

struct Endpoint {
    sessions: Arc<Sessions>,
    gates: Gates,
}

/// What a message of the client is.
enum Posted {
    Initialize(Id),
    Request(Id),
    Other,
}

type Refused = Box<Response>;

pub(super) fn router(sessions: Arc<Sessions>, gates: Gates) -> Router {
    let endpoint = Arc::new(Endpoint { sessions, gates });
    Router::new().route(PATH, post(take).get(listen).delete(end)).with_state(endpoint)
}

async fn take(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    endpoint.take(request).await.unwrap_or_else(|refused| *refused)
}

async fn listen(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    endpoint.listen(&headers).unwrap_or_else(|refused| *refused)
}

async fn end(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    let found = endpoint.gates.admit(&headers).and_then(|()| endpoint.session(&headers));
    match found {
        Ok(session) => {
            endpoint.sessions.end(&session.id);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refused) => *refused,
    }
}

impl Endpoint {
    async fn take(&self, request: Request) -> Result<Response, Refused> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        self.gates.admit(&headers)?;
        let media = only(&headers, CONTENT_TYPE).and_then(|own| own.split(';').next());
        if !media.is_some_and(|own| own.trim().eq_ignore_ascii_case("application/json")) {
            return Err(refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "`content-type` is not `application/json`",
            ));
        }
        if !(accepts(&headers, "application/json") && accepts(&headers, "text/event-stream")) {
            let told = "`accept` has to have `application/json` and `text/event-stream`";
            return Err(refused(StatusCode::NOT_ACCEPTABLE, told));
        }
        let body = match timeout(BODY, to_bytes(body, MAX_FRAME)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                return Err(refused(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the message is too long, or broke off",
                ));
            }
            Err(_) => {
                return Err(refused(StatusCode::REQUEST_TIMEOUT, "the message takes too long"));
            }
        };
        let posted = read(&headers, &body)?;
        let session = match &posted {
            Posted::Initialize(_) if !headers.contains_key(SESSION) => self.begin().await?,
            _ => self.session(&headers)?,
        };
        let (own, waiting) = (
            session.clone(),
            match posted {
                Posted::Other => None,
                Posted::Initialize(id) | Posted::Request(id) => {
                    Some(session.streams.expect(id).map_err(no_stream)?)
                }
            },
        );
        let taken = spawn_blocking(move || own.take(&body)).await;
        taken.map_err(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "it can't be taken"))?;
        match waiting {
            None => Ok(StatusCode::ACCEPTED.into_response()),
            Some(messages) => Ok(streamed(&session, Vec::new(), messages)),
        }
    }

    fn listen(&self, headers: &HeaderMap) -> Result<Response, Refused> {
        self.gates.admit(headers)?;
        if !accepts(headers, "text/event-stream") {
            return Err(refused(
                StatusCode::NOT_ACCEPTABLE,
                "`accept` has to have `text/event-stream`",
            ));
        }
        let session = self.session(headers)?;
        if headers.contains_key(LAST_EVENT) {
            return Err(refused(
                StatusCode::BAD_REQUEST,
                "streams are not resumed: events have no ids",
            ));
        }
        let (kept, messages) = session.streams.listen().map_err(no_stream)?;
        Ok(streamed(&session, kept, messages))
    }

    async fn begin(&self) -> Result<Arc<HttpSession>, Refused> {
        let sessions = self.sessions.clone();
        let begun = spawn_blocking(move || sessions.begin());
        let why = match begun.await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(why)) => why,
            Err(_) => "a panic".to_owned(),
        };
        remark(&format!("a session can't begin: {why}"));
        Err(refused(StatusCode::SERVICE_UNAVAILABLE, "a session can't begin now"))
    }

    /// The session of a request, which is read by the revision that was agreed on in it.
    fn session(&self, headers: &HeaderMap) -> Result<Arc<HttpSession>, Refused> {
        let id = match only(headers, SESSION) {
            Some(id) => id,
            None => {
                return Err(refused(
                    StatusCode::BAD_REQUEST,
                    "begin with `initialize`, and send the `mcp-session-id` that it gives",
                ));
            }
        };
        let session = self.sessions.find(id);
        let session =
            session.ok_or_else(|| refused(StatusCode::NOT_FOUND, "there is no such session"))?;
        let Some(stated) = headers.contains_key(VERSION).then(|| only(headers, VERSION)) else {
            return Ok(session);
        };
        let stated = stated.and_then(Revision::named);
        let negotiated = session.proxy.desk().negotiated;
        // Until there is one, clients state the one that they ask for.
        match stated
            .filter(|own| own.has_handshake() && negotiated.is_none_or(|agreed| agreed == *own))
        {
            Some(_) => Ok(session),
            None => Err(refused(
                StatusCode::BAD_REQUEST,
                "`mcp-protocol-version` is not the one that was agreed on",
            )),
        }
    }
}

/// What a body is. One that can't be read, and a request of a revision that has no sessions, are answered as the protocol
/// says.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Posted, Refused> {
    let posted = match Message::read(body) {
        Ok(Message::Request { id, method, .. }) if method == "initialize" => Posted::Initialize(id),
        Ok(Message::Request { id, .. }) => Posted::Request(id),
        Ok(Message::Notification { .. } | Message::Response { .. }) => Posted::Other,
        Err(error) => {
            let code = if error.unreadable { PARSE_ERROR } else { INVALID_REQUEST };
            return Err(told(answer::error(error.id.as_ref(), code, &error.why)));
        }
    };
    let stated = only(headers, VERSION).and_then(Revision::named);
    match &posted {
        Posted::Request(id) if stated.is_some_and(|own| !own.has_handshake()) => {
            Err(told(answer::no_stateless(id)))
        }
        _ => Ok(posted),
    }
}

fn told(error: Vec<u8>) -> Refused {
    Box::new((StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], error).into_response())
}

fn refused(status: StatusCode, told: &'static str) -> Refused {
    Box::new((status, told).into_response())
}

fn no_stream(why: NoStream) -> Refused {
    match why {
        NoStream::Taken => refused(StatusCode::CONFLICT, "a stream for this is open already"),
        NoStream::TooMany => {
            refused(StatusCode::TOO_MANY_REQUESTS, "too many requests are open at once")
        }
        NoStream::Closed => refused(StatusCode::NOT_FOUND, "there is no such session"),
    }
}

fn accepts(headers: &HeaderMap, media: &str) -> bool {
    let stated = headers.get_all(ACCEPT).iter().filter_map(|own| own.to_str().ok());
    let mut ranges = stated
        .flat_map(|own| own.split(','))
        .map(|own| own.split(';').next().unwrap_or_default().trim());
    let (family, _) = media.split_once('/').unwrap_or((media, ""));
    ranges
        .any(|own| own.eq_ignore_ascii_case(media) || own == "*/*" || own == format!("{family}/*"))
}

/// A stream of events: what was kept, and each message as it comes.
fn streamed(session: &Arc<HttpSession>, kept: Vec<String>, messages: Receiver<String>) -> Response {
    let events = unfold((kept.into_iter(), messages), |(mut kept, mut messages)| async move {
        let next = match kept.next() {
            Some(own) => Ok(Some(own)),
            None => timeout(SILENCE, messages.recv()).await,
        };
        let event = match next {
            Ok(None) => return None,
            // Messages are one line each, with no carriage return in it.
            Ok(Some(message)) => format!("event: message\ndata: {message}\n\n"),
            Err(_) => ": \n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(Bytes::from(event)), (kept, messages)))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&session.id) {
        headers.insert(SESSION, id);
    }
    response
}
