//! Messages as gRPC frames them: a flag, the length, and the message.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

/// The flag and the length.
const HEAD: usize = 5;

/// The messages of a body.
#[derive(Debug)]
pub(crate) struct Messages<B> {
    /// Nothing once it is over.
    body: Option<Pin<Box<B>>>,
    kept: BytesMut,
    most: usize,
    pub(crate) trailers: Option<HeaderMap>,
}

impl<B: Body> Messages<B> {
    /// Messages of at most as many bytes.
    pub(crate) fn new(body: B, most: usize) -> Self {
        Messages { body: Some(Box::pin(body)), kept: BytesMut::new(), most, trailers: None }
    }

    /// The next message; nothing once there is no more.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, &'static str>>> {
        loop {
            match self.take() {
                Ok(None) => {}
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Err(why) => return Poll::Ready(Some(Err(self.give_up(why)))),
            }
            let Some(body) = self.body.as_mut() else {
                let cut_off = !std::mem::take(&mut self.kept).is_empty();
                return Poll::Ready(cut_off.then_some(Err("a message is cut off")));
            };
            match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.kept.put(data),
                    // Nothing comes after them, and a body need not say so.
                    Err(frame) => {
                        self.trailers = frame.into_trailers().ok();
                        self.body = None;
                    }
                },
                Some(Err(_)) => {
                    return Poll::Ready(Some(Err(self.give_up("the messages can't be read"))));
                }
                None => self.body = None,
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, &'static str>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    fn take(&mut self) -> Result<Option<Bytes>, &'static str> {
        let Some([flag, length @ ..]) = self.kept.first_chunk::<HEAD>() else { return Ok(None) };
        if *flag != 0 {
            return Err("a message is compressed");
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > self.most {
            return Err("a message is longer than it may be");
        }
        if self.kept.len() - HEAD < length {
            return Ok(None);
        }
        self.kept.advance(HEAD);
        Ok(Some(self.kept.split_to(length).freeze()))
    }

    fn give_up(&mut self, why: &'static str) -> &'static str {
        self.body = None;
        self.kept.clear();
        why
    }
}

/// A message in its frame.
///
/// # Errors
/// If it is longer than a frame can say.
pub(crate) fn framed(message: &[u8]) -> Result<Bytes, &'static str> {
    let length = u32::try_from(message.len()).map_err(|_| "a message is longer than it may be")?;
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    frame.put_u32(length);
    frame.put_slice(message);
    Ok(frame.freeze())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: Vec<Bytes>, most: usize) -> Result<Vec<Bytes>, &'static str> {
        let pieces = pieces.into_iter().map(|own| Ok::<_, Infallible>(http_body::Frame::data(own)));
        let mut messages = Messages::new(StreamBody::new(stream::iter(pieces)), most);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut all = Vec::new();
        loop {
            match messages.poll_next(&mut cx) {
                Poll::Ready(Some(own)) => all.push(own?),
                Poll::Ready(None) => return Ok(all),
                Poll::Pending => unreachable!("nothing is waited for"),
            }
        }
    }

    proptest! {
        #[test]
        fn messages_are_read_wherever_their_pieces_end(
            all in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..6),
            piece in 1usize..9,
        ) {
            let all: Vec<Bytes> = all.into_iter().map(Bytes::from).collect();
            let text: Vec<u8> = all.iter().flat_map(|own| framed(own).unwrap()).collect();
            let pieces = text.chunks(piece).map(Bytes::copy_from_slice).collect();
            prop_assert_eq!(read(pieces, 20), Ok(all.clone()));
            // With one byte fewer the message is incomplete.
            if let Some((_, rest)) = text.split_last() {
                prop_assert_eq!(read(vec![Bytes::copy_from_slice(rest)], 20).unwrap_err(), "a message is cut off");
            }
        }
    }

    #[test]
    fn what_is_compressed_or_too_long_is_not_read() {
        let of = |bytes: &'static [u8]| read(vec![Bytes::from_static(bytes)], 3);
        assert_eq!(of(b"\0\0\0\0\x03abc").unwrap(), ["abc"]);
        assert_eq!(of(b"\0\0\0\0\x04abcd").unwrap_err(), "a message is longer than it may be");
        assert_eq!(of(b"\0\xff\xff\xff\xff").unwrap_err(), "a message is longer than it may be");
        for flag in [b"\x01\0\0\0\x03abc", b"\x80\0\0\0\x03abc"] {
            assert_eq!(of(flag).unwrap_err(), "a message is compressed");
        }
    }
}
