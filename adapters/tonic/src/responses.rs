//! What a method answers, on its way out: scrubbed, and at its end the calls' outcome.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body as HttpBody, Frame};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::calls::Calls;
use crate::frames::{Messages, framed};
use crate::methods::Method;
use crate::scrubbed::{scrub_metadata, scrubbed_message};
use crate::status::{broken, cut};

/// Whether metadata says that the call went well; nothing where it does not say how it went.
fn went_well(metadata: &HeaderMap) -> Option<bool> {
    let status = metadata.get("grpc-status")?;
    Some(Code::from_bytes(status.as_bytes()) == Code::Ok)
}

/// Takes a response of a method's for an answer to these calls.
pub(crate) async fn answer(
    calls: Calls,
    method: &Arc<Method>,
    response: Response<Body>,
) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    scrub_metadata(&mut parts.headers, &|text| calls.scrubbed(text));
    // tonic leaves a copy of the status there.
    parts.extensions.clear();
    if let Some(went_well) = went_well(&parts.headers) {
        // There is nothing but the status.
        calls.close(went_well);
        return Response::from_parts(parts, Body::empty());
    }
    let messages = Messages::new(body, usize::MAX);
    if method.server_streams {
        let streamed = Streamed { messages, method: method.clone(), calls: Some(calls) };
        return Response::from_parts(parts, Body::new(streamed));
    }
    let mut messages = messages;
    match whole(&calls, method, &mut messages).await {
        Ok((frames, went_well)) => {
            calls.close(went_well);
            Response::from_parts(parts, Body::new(Whole(frames)))
        }
        Err(status) => {
            calls.close(false);
            status.into_http()
        }
    }
}

/// All of a response that is not a stream.
async fn whole(
    calls: &Calls,
    method: &Method,
    messages: &mut Messages<Body>,
) -> Result<(VecDeque<Frame<Bytes>>, bool), Status> {
    let mut frames = VecDeque::new();
    while let Some(message) = messages.next().await {
        frames.push_back(shown(calls, method, message.map_err(|_| broken())?)?);
    }
    let (trailers, went_well) = ending(calls, messages.trailers.take())?;
    frames.push_back(Frame::trailers(trailers));
    Ok((frames, went_well))
}

fn shown(calls: &Calls, method: &Method, message: Bytes) -> Result<Frame<Bytes>, Status> {
    let shown = scrubbed_message(&method.output, message, &|text| calls.scrubbed(text));
    let shown = shown.map_err(|()| broken())?;
    framed(&shown).map(Frame::data).map_err(|_| broken())
}

/// The metadata at the end, and whether the call went well.
fn ending(calls: &Calls, trailers: Option<HeaderMap>) -> Result<(HeaderMap, bool), Status> {
    let mut trailers = trailers.ok_or_else(broken)?;
    scrub_metadata(&mut trailers, &|text| calls.scrubbed(text));
    let went_well = went_well(&trailers).ok_or_else(broken)?;
    Ok((trailers, went_well))
}

/// An answer that is known as a whole.
struct Whole(VecDeque<Frame<Bytes>>);

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

/// An answer that is handed on while it comes. Dropped before its end, the calls are interrupted.
struct Streamed {
    messages: Messages<Body>,
    method: Arc<Method>,
    /// Nothing once it is over.
    calls: Option<Calls>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let own = self.get_mut();
        let Some(calls) = own.calls.as_ref() else { return Poll::Ready(None) };
        if calls.poll_ended(cx).is_ready() {
            // Dropped, they are interrupted.
            own.calls = None;
            return Poll::Ready(Some(trailers_of(&cut())));
        }
        let next = match ready!(own.messages.poll_next(cx)) {
            Some(Ok(message)) => match shown(calls, &own.method, message) {
                Ok(frame) => return Poll::Ready(Some(Ok(frame))),
                Err(status) => Err(status),
            },
            Some(Err(_)) => Err(broken()),
            None => ending(calls, own.messages.trailers.take()),
        };
        let calls = own.calls.take();
        let close = |went_well| calls.into_iter().for_each(|calls| calls.close(went_well));
        Poll::Ready(Some(match next {
            Ok((trailers, went_well)) => {
                close(went_well);
                Ok(Frame::trailers(trailers))
            }
            Err(status) => {
                close(false);
                trailers_of(&status)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.calls.is_none()
    }
}

fn trailers_of(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(Frame::trailers(trailers))
}

/// An answer of one message.
///
/// # Errors
/// If it is too long.
pub(crate) fn one(message: &[u8]) -> Result<Response<Body>, Status> {
    let message = Frame::data(framed(message).map_err(|_| broken())?);
    let mut trailers = HeaderMap::new();
    Status::ok("").add_header(&mut trailers)?;
    let frames = VecDeque::from([message, Frame::trailers(trailers)]);
    let mut response = Response::new(Body::new(Whole(frames)));
    let form = http::HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, form);
    Ok(response)
}
