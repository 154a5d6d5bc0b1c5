//! What the tool is answered.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hallpass::Running;
use hallpass::scrub::ScrubStream;
use hyper::body::{Body, Frame, Incoming};
use hyper::{Response, StatusCode};

use crate::refusal::Refusal;

pub(crate) type Driving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body of an answer: a word of ours, or what the server sends.
pub(crate) enum Answer {
    Said(Option<Bytes>),
    Passed(Box<Passed>),
}

/// What the server sends, without the secrets, for as long as the call may go on.
pub(crate) struct Passed {
    pub(crate) body: Incoming,
    /// The connection that it comes on, until that is done.
    pub(crate) connection: Option<Driving>,
    /// Nothing once all was given.
    pub(crate) scrub: Option<ScrubStream>,
    /// The end of the request's own authority, where it is a call of its own. That of the call around it ends the server.
    pub(crate) ended: Option<Driving>,
    /// The request as a call of its own, until it is done.
    pub(crate) call: Option<Running>,
    pub(crate) status: StatusCode,
}

impl Answer {
    pub(crate) fn refused(refusal: Refusal) -> Response<Answer> {
        let mut response = Response::new(Answer::Said(Some(refusal.text().into())));
        *response.status_mut() = refusal.status();
        response.headers_mut().extend(refusal.header());
        response
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let bytes = match &mut *self {
            Answer::Said(text) => Poll::Ready(text.take().map(Ok)),
            Answer::Passed(passed) => passed.poll_bytes(context),
        };
        bytes.map(|bytes| bytes.map(|bytes| bytes.map(Frame::data)))
    }
}

impl Passed {
    /// The next bytes. What is left out of the end of an answer that breaks off is what could have been a secret's beginning.
    /// After an error nothing is asked of this any more: it is dropped, and a call that is open is recorded as interrupted.
    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if self.ended.as_mut().is_some_and(|own| own.as_mut().poll(context).is_ready()) {
                return Poll::Ready(Some(Err(io::Error::other("the call is over"))));
            }
            if self.connection.as_mut().is_some_and(|own| own.as_mut().poll(context).is_ready()) {
                self.connection = None;
            }
            let Some(scrub) = &mut self.scrub else { return Poll::Ready(None) };
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame,
            };
            let shown = match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => scrub.push(&data),
                // Trailers are not handed on.
                Some(Ok(Err(_))) => continue,
                Some(Err(_)) => {
                    if let Some(call) = self.call.take() {
                        call.fail();
                    }
                    return Poll::Ready(Some(Err(io::Error::other("the answer broke off"))));
                }
                None => self.finish(),
            };
            return Poll::Ready(Some(Ok(shown.into())));
        }
    }

    /// All has come, and the call of the request is over because of that.
    fn finish(&mut self) -> Vec<u8> {
        self.ended = None;
        if let Some(call) = self.call.take() {
            let failed = self.status.is_client_error() || self.status.is_server_error();
            if failed { call.fail() } else { call.succeed() }
        }
        self.scrub.take().map(ScrubStream::finish).unwrap_or_default()
    }
}
