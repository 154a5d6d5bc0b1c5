//! The messages that a method is given: those of permits.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass::Running;
use http_body::{Body, Frame};
use tonic::Status;

use crate::calls::Entrance;
use crate::frames::{Messages, framed};
use crate::question::Question;
use crate::status::broken;

/// The body of a request with the messages of permits: the first, which is decided about by then, and those of a client's
/// stream, which are as they come.
pub(crate) struct Requests<B> {
    first: Option<Bytes>,
    /// Nothing where no message follows, or none any more.
    rest: Option<Rest<B>>,
}

pub(crate) struct Rest<B> {
    pub(crate) messages: Messages<B>,
    pub(crate) question: Arc<Question>,
    pub(crate) calls: Entrance,
    /// The message that is being decided about: those after it are read once that is done.
    pub(crate) deciding: Option<Deciding>,
}

pub(crate) type Deciding = Pin<Box<dyn Future<Output = Result<(Running, Bytes), Status>> + Send>>;

impl<B> Requests<B> {
    pub(crate) fn new(first: Bytes, rest: Option<Rest<B>>) -> Self {
        Requests { first: Some(first), rest }
    }
}

impl<B: Body> Rest<B> {
    /// The next message, permitted and started.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        let Some(count) = self.calls.count() else { return Poll::Ready(None) };
        let deciding = match &mut self.deciding {
            Some(deciding) => deciding,
            None => match ready!(self.messages.poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(why)) => return Poll::Ready(Some(Err(self.question.unreadable(why)))),
                Some(Ok(_)) if count >= self.question.gate.messages_max => {
                    return Poll::Ready(Some(Err(self.question.too_many())));
                }
                Some(Ok(message)) => {
                    let question = self.question.clone();
                    self.deciding.insert(Box::pin(async move {
                        let permit = question.decide(message, false).await?;
                        question.start(permit).await
                    }))
                }
            },
        };
        let decided = ready!(deciding.as_mut().poll(cx));
        self.deciding = None;
        Poll::Ready(Some(decided.map(|(running, message)| {
            self.calls.admit(Arc::new(running));
            message
        })))
    }
}

impl<B: Body> Body for Requests<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let own = self.get_mut();
        let next = match (own.first.take(), own.rest.as_mut()) {
            (Some(first), _) => Some(Ok(first)),
            (None, Some(rest)) => ready!(rest.poll_next(cx)),
            (None, None) => None,
        };
        if !matches!(next, Some(Ok(_))) && own.first.is_none() {
            own.rest = None;
        }
        Poll::Ready(next.map(|message| framed(&message?).map(Frame::data).map_err(|_| broken())))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }
}

impl<B> Unpin for Requests<B> {}

impl<B> fmt::Debug for Requests<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}
