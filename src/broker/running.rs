//! A call that is running.

use super::authority_ended::AuthorityEnded;
use super::open_call::OpenCall;
use super::receipt::{Receipt, RunError};
use crate::args::Args;
use crate::audit::Outcome;
use crate::call::Call;
use crate::scrub::ScrubStream;

/// A call that is running. Dropping it unfinished records that it was interrupted.
///
/// It ends once:
///
/// ```compile_fail,E0382
/// # use hallpass::Running;
/// fn twice(running: Running) {
///     running.fail();
///     running.succeed();
/// }
/// ```
/// ```
/// # use hallpass::Running;
/// fn once(running: Running) {
///     running.succeed();
/// }
/// ```
#[must_use = "a running call that is dropped is recorded as interrupted: say `succeed` or `fail`"]
pub struct Running {
    pub(super) call: Call,
    pub(super) open: OpenCall,
}

impl Running {
    /// The arguments the tool must use: those that were decided about.
    pub fn args(&self) -> &Args {
        self.call.args()
    }

    /// The whole call: the tool, its arguments and the resource.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The permit's number in the log.
    pub fn number(&self) -> u64 {
        self.open.seq()
    }

    /// Whether what permits the call still does: the task is open, the grant and all it was delegated
    /// from live, and nothing is halted. A call goes on when its authority ends; a tool that works for
    /// long, or streams, asks this at each step and stops. Without a clock it is `false`.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("tail").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("watch"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("tail").any_args(), &context)?;
    /// # let call = Call::new("tail", serde_json::json!({}))?;
    /// let running = broker.gate().authorize(grant.token(), &agent, call, &context)?.start()?;
    /// assert!(running.is_live());
    /// task.complete();
    /// assert!(!running.is_live());
    /// running.succeed(); // its outcome is recorded all the same
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_live(&self) -> bool {
        self.open.reference().is_live(self.call.tool())
    }

    /// Resolves once the call is no longer [live](Running::is_live), or done: for a tool that streams, and
    /// stops as soon as its authority ends instead of asking at each step. A future of any runtime; dropping
    /// it leaves nothing behind.
    ///
    /// It is woken by what ends the task or a grant of it, by a halt, and by the call's own end. Time that
    /// passes wakes nothing by itself: what has expired ends, and wakes, when it is used or
    /// [swept](crate::Broker::sweep), as by a [reaper](crate::Broker::start_reaper). Until when the caller's own
    /// identity is good is looked at when the future is polled.
    ///
    /// ```
    /// # use std::future::Future;
    /// # use std::pin::pin;
    /// # use std::task::{Context as Polled, Poll, Waker};
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("tail").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("watch"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("tail").any_args(), &context)?;
    /// # let call = Call::new("tail", serde_json::json!({}))?;
    /// # let running = broker.gate().authorize(grant.token(), &agent, call, &context)?.start()?;
    /// let mut ended = pin!(running.ended());
    /// # let mut polled = Polled::from_waker(Waker::noop());
    /// assert_eq!(ended.as_mut().poll(&mut polled), Poll::Pending);
    /// task.complete();
    /// assert_eq!(ended.as_mut().poll(&mut polled), Poll::Ready(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        AuthorityEnded::new(self.open.reference(), self.call.tool())
    }

    /// Takes the secrets of the task out of what the tool hands on in pieces while it runs.
    pub fn scrub_stream(&self) -> ScrubStream {
        ScrubStream::new(self.open.scrub_source())
    }

    /// The call is done and went well.
    pub fn succeed(mut self) {
        self.open.close(Outcome::Ok);
    }

    /// The call is done and failed.
    pub fn fail(mut self) {
        self.open.close(Outcome::Error);
    }

    /// What became of the call at another node, which started it on a leave of this one, or did not.
    #[cfg(feature = "fleet")]
    pub(crate) fn close_elsewhere(mut self, outcome: Outcome) {
        match outcome {
            Outcome::Abandoned => self.open.close_unstarted(),
            told => self.open.close(told),
        }
    }

    pub(super) fn close_with<T, E>(
        mut self,
        result: Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let source = self.open.scrub_source();
        match result {
            Ok(value) => {
                self.open.close(Outcome::Ok);
                Ok(Receipt::new(value, source))
            }
            Err(error) => {
                self.open.close(Outcome::Error);
                Err(RunError::of_tool(error, source))
            }
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("number", &self.open.seq())
            .field("tool", &self.call.tool())
            .finish_non_exhaustive()
    }
}
