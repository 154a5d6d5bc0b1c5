//! When a future that waits for the log has waited long enough: the host's timer, since the crate has none.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::contained::held;

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the host gave to wait with.
#[derive(Clone)]
pub(crate) struct LogTimer(Arc<dyn Fn(Duration) -> Sleep + Send + Sync>);

impl LogTimer {
    pub(crate) fn new<F>(sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        LogTimer(Arc::new(move |most| Box::pin(sleep(most))))
    }

    pub(crate) fn after(&self, most: Duration) -> Alarm {
        Alarm { sleep: held(|| (self.0)(most)) }
    }
}

impl fmt::Debug for LogTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogTimer").finish_non_exhaustive()
    }
}

/// One wait. A timer that panics has rung: what can't tell time waits for nothing.
pub(crate) struct Alarm {
    sleep: Option<Sleep>,
}

impl Alarm {
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else { return Poll::Ready(()) };
        match held(|| sleep.as_mut().poll(context)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(())) | None => {
                let rung = self.sleep.take();
                // Dropping it is the host's code, too.
                held(|| drop(rung));
                Poll::Ready(())
            }
        }
    }
}
