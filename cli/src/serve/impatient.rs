//! A connection whose client is given up if it reads nothing: it would keep its place for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream that fails once nothing could be written for a time.
pub(super) struct Impatient<S> {
    stream: S,
    patience: Duration,
    /// Since something waits to be written.
    waits: Option<Pin<Box<Sleep>>>,
}

impl<S: Unpin> Impatient<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Impatient { stream, patience, waits: None }
    }

    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(&mut self.stream)
    }

    /// What came of writing, unless it has waited for too long.
    fn judged<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = None;
            return written;
        }
        let patience = self.patience;
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(patience)));
        waits.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write(cx, bytes);
        self.judged(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        all: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write_vectored(cx, all);
        self.judged(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream().poll_flush(cx);
        self.judged(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = self.stream().poll_shutdown(cx);
        self.judged(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Takes as many writes as it says, and none after them.
    struct Taking(u32);

    impl Taking {
        fn take<T>(&mut self, taken: T) -> Poll<io::Result<T>> {
            let Some(left) = self.0.checked_sub(1) else { return Poll::Pending };
            self.0 = left;
            Poll::Ready(Ok(taken))
        }
    }

    impl AsyncWrite for Taking {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.take(bytes.len())
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.take(())
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.take(())
        }
    }

    #[test]
    fn what_is_not_taken_for_a_time_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut own = Impatient::new(Taking(2), Duration::from_millis(20));
            poll_fn(|cx| Pin::new(&mut own).poll_write(cx, b"a")).await.unwrap();
            sleep(Duration::from_millis(30)).await;
            poll_fn(|cx| Pin::new(&mut own).poll_flush(cx)).await.unwrap();
            let late = |error: io::Result<()>| error.unwrap_err().kind() == io::ErrorKind::TimedOut;
            assert!(late(poll_fn(|cx| Pin::new(&mut own).poll_write(cx, b"b")).await.map(drop)));
            let mut own = Impatient::new(Taking(0), Duration::from_millis(20));
            assert!(late(poll_fn(|cx| Pin::new(&mut own).poll_flush(cx)).await));
            let mut own = Impatient::new(Taking(0), Duration::from_millis(20));
            assert!(late(poll_fn(|cx| Pin::new(&mut own).poll_shutdown(cx)).await));
            let mut own = Impatient::new(Taking(0), Duration::from_millis(20));
            let all = [IoSlice::new(b"a")];
            assert!(late(
                poll_fn(|cx| Pin::new(&mut own).poll_write_vectored(cx, &all)).await.map(drop)
            ));
        });
    }
}
