//! The calls of one request that are running: one, or one for each message of a client's stream.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use futures_util::stream::FuturesUnordered;
use hallpass::Running;

type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The running calls of a request. Dropped, they are interrupted.
pub(crate) struct Calls(Arc<Mutex<Own>>);

/// Where the messages of a client's stream come in.
#[derive(Clone)]
pub(crate) struct Entrance(Arc<Mutex<Own>>);

#[derive(Default)]
struct Own {
    running: Vec<Arc<Running>>,
    ended: FuturesUnordered<Ended>,
    /// Of who waits for an end.
    waker: Option<Waker>,
    over: bool,
}

fn lock(own: &Mutex<Own>) -> MutexGuard<'_, Own> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Calls {
    pub(crate) fn new() -> Self {
        Calls(Arc::default())
    }

    pub(crate) fn entrance(&self) -> Entrance {
        Entrance(self.0.clone())
    }

    /// Ready once what permits one of the calls has ended.
    pub(crate) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut own = lock(&self.0);
        own.waker = Some(cx.waker().clone());
        match Pin::new(&mut own.ended).poll_next(cx) {
            Poll::Ready(Some(())) => Poll::Ready(()),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Takes the secrets of the task out of what is given.
    pub(crate) fn scrubbed(&self, text: &[u8]) -> Vec<u8> {
        let last = lock(&self.0).running.last().cloned();
        match last {
            Some(running) => {
                let mut scrub = running.scrub_stream();
                let mut shown = scrub.push(text);
                shown.extend(scrub.finish());
                shown
            }
            // Nothing has run.
            None => text.to_vec(),
        }
    }

    /// Records the outcome of each. Where a method has left a clone behind, its call goes on until that is dropped, and ends as
    /// interrupted.
    pub(crate) fn close(self, went_well: bool) {
        for running in self.end() {
            match Arc::into_inner(running) {
                Some(running) if went_well => running.succeed(),
                Some(running) => running.fail(),
                None => {}
            }
        }
    }

    /// No message comes in any more.
    fn end(&self) -> Vec<Arc<Running>> {
        let mut own = lock(&self.0);
        own.over = true;
        own.ended = FuturesUnordered::new();
        std::mem::take(&mut own.running)
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl Entrance {
    /// How many calls are running; nothing once the request is over.
    pub(crate) fn count(&self) -> Option<usize> {
        let own = lock(&self.0);
        (!own.over).then_some(own.running.len())
    }

    /// Takes in a call that has started. One that comes too late is interrupted.
    pub(crate) fn admit(&self, running: Arc<Running>) {
        let waker = {
            let mut own = lock(&self.0);
            if own.over {
                return;
            }
            own.ended.push(Box::pin(running.ended()));
            own.running.push(running);
            own.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance").finish_non_exhaustive()
    }
}
