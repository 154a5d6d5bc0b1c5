//! A handler's response on its way out: scrubbed, and at its end the call's outcome.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use bytes::Bytes;
use hallpass::Running;
use hallpass::scrub::ScrubStream;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::denied::broken;

/// A body up to this length is read before it is sent, so that the outcome is on record by then. What is longer, or of no
/// known length, is scrubbed as it streams.
const WHOLE: u64 = 1 << 20;

/// The body of an answer: a refusal's, or what a handler gave, scrubbed.
pub struct Answer(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>);

impl Answer {
    /// A response of the gate's own.
    pub(crate) fn of_gate(response: axum::response::Response) -> Response<Answer> {
        response.map(|body| Answer(Box::pin(body.map_err(Into::into))))
    }
}

/// Takes a response of a handler's for an answer of this call.
pub(crate) async fn answer<B>(
    running: Arc<Running>,
    method: &Method,
    response: Response<B>,
) -> Response<Answer>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (mut parts, body) = response.into_parts();
    scrub_headers(&running, &mut parts.headers);
    let went_well = went_well(parts.status);
    let length = body.size_hint().exact();
    if *method == Method::HEAD || body.is_end_stream() {
        // Nothing will be sent, and nothing is asked of the body.
        drop(body);
        close(running, went_well);
        if let Some(length) = length.filter(|_| *method == Method::HEAD) {
            parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
        }
        return Response::from_parts(parts, Answer(Box::pin(Whole(None))));
    }
    // The scrubber may change it.
    parts.headers.remove(CONTENT_LENGTH);
    if length.is_some_and(|length| length <= WHOLE) {
        let read = match whole(&running, body).await {
            Some(Ok(read)) => read,
            Some(Err(_)) => {
                close(running, false);
                return Answer::of_gate(broken());
            }
            // Dropped, it is interrupted.
            None => return Answer::of_gate(broken()),
        };
        let scrubbed = scrubbed(&running, &read);
        close(running, went_well);
        return Response::from_parts(parts, Answer(Box::pin(Whole(Some(scrubbed.into())))));
    }
    let scrub = running.scrub_stream();
    let ended = Box::pin(running.ended());
    let streamed = Streamed {
        body: Some(Box::pin(body)),
        scrub: Some(scrub),
        ended,
        running: Some(running),
        went_well,
    };
    Response::from_parts(parts, Answer(Box::pin(streamed)))
}

/// Reads a body to its end; nothing where what permitted the call ends before.
async fn whole<B: Body<Data = Bytes>>(
    running: &Running,
    body: B,
) -> Option<Result<Bytes, B::Error>> {
    let (mut ended, mut read) = (pin!(running.ended()), pin!(body.collect()));
    poll_fn(|cx| match ended.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => read.as_mut().poll(cx).map(|read| Some(read.map(|all| all.to_bytes()))),
    })
    .await
}

/// A call has failed where its response says so.
pub(crate) fn went_well(status: StatusCode) -> bool {
    !status.is_client_error() && !status.is_server_error()
}

/// Records the outcome. Where the handler has left a clone behind, the call goes on until that is dropped, and ends as
/// interrupted.
pub(crate) fn close(running: Arc<Running>, went_well: bool) {
    match Arc::into_inner(running) {
        Some(running) if went_well => running.succeed(),
        Some(running) => running.fail(),
        None => {}
    }
}

fn scrubbed(running: &Running, text: &[u8]) -> Vec<u8> {
    let mut scrub = running.scrub_stream();
    let mut shown = scrub.push(text);
    shown.extend(scrub.finish());
    shown
}

fn scrub_headers(running: &Running, headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        let shown = scrubbed(running, value.as_bytes());
        if shown != value.as_bytes() {
            *value = HeaderValue::from_bytes(&shown).unwrap_or(HeaderValue::from_static(""));
        }
    }
}

/// A body that is known as a whole.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.get_mut().0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, |bytes| bytes.len());
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

/// A body that is handed on while it comes. Dropped before its end, the call is interrupted.
struct Streamed<B> {
    /// Nothing once it is over.
    body: Option<Pin<Box<B>>>,
    scrub: Option<ScrubStream>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    running: Option<Arc<Running>>,
    went_well: bool,
}

impl<B> Streamed<B> {
    /// There is no more: records the outcome, and gives what the scrubber has kept back.
    fn finish(&mut self) -> Vec<u8> {
        // It may hold the call.
        self.body = None;
        let rest = self.scrub.take().map(ScrubStream::finish).unwrap_or_default();
        if let Some(running) = self.running.take() {
            close(running, self.went_well);
        }
        rest
    }

    fn break_off(&mut self, fails: bool, why: BoxError) -> Result<Frame<Bytes>, BoxError> {
        self.body = None;
        self.scrub = None;
        match self.running.take() {
            Some(running) if fails => close(running, false),
            // Dropped, it is interrupted.
            _ => {}
        }
        Err(why)
    }
}

impl<B> Body for Streamed<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let own = self.get_mut();
        loop {
            let Some(body) = own.body.as_mut() else { return Poll::Ready(None) };
            if own.ended.as_mut().poll(cx).is_ready() {
                let why = "what permitted the call has ended".into();
                return Poll::Ready(Some(own.break_off(false, why)));
            }
            let mut shown = Vec::new();
            match ready!(body.as_mut().poll_frame(cx)) {
                Some(Err(error)) => return Poll::Ready(Some(own.break_off(true, error.into()))),
                Some(Ok(frame)) => {
                    // Trailers are not handed on.
                    if let (Ok(data), Some(scrub)) = (frame.into_data(), own.scrub.as_mut()) {
                        shown = scrub.push(&data);
                    }
                    // A server that knows the end by itself asks no more.
                    if body.is_end_stream() {
                        shown.extend(own.finish());
                    }
                }
                None => shown = own.finish(),
            }
            if !shown.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(shown.into()))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }
}

impl<B> Unpin for Streamed<B> {}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
