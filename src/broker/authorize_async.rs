//! Authorizing without holding a thread while the log takes its time.

use std::sync::Arc;

use super::authorize::{Committed, PlacedCall};
use super::call_request::{Asked, CallRequest, Digested, Refusal};
use super::gate::Gate;
use super::pending::Pending;
use super::permit::Permit;
use super::shared::{Recorded, Shared, Unrecorded};
use crate::audit::{LogTimer, Settling};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::resource::Resource;
use crate::token::Presentable;

impl Gate {
    /// As [`authorize`](Gate::authorize), as a future of any runtime: it decides when it is polled first, and holds no
    /// thread while the log takes its time, for as long as the broker's [`log_timeout`](crate::BrokerBuilder::log_timeout).
    /// Until that is over it waits with the broker's [`log_timer`](crate::BrokerBuilder::log_timer); without one it waits
    /// on the thread. What is denied waits for nothing. Dropped before it is done, the call is not permitted.
    ///
    /// What else the host has given may hold the thread: its [source of facts](crate::BrokerBuilder::context_source), its
    /// clock, and a sink that may block and is in no [`ThreadedSink`](crate::audit::ThreadedSink).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use hallpass::audit::{MemoryLog, ThreadedSink};
    /// # use hallpass::prelude::*;
    /// # use serde_json::json;
    /// # async fn sleep(_: Duration) { std::future::pending().await } // tokio::time::sleep, say
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop {
    /// #         if let std::task::Poll::Ready(answer) = future.as_mut().poll(&mut context) {
    /// #             return answer;
    /// #         }
    /// #     }
    /// # }
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("add").any_args()).build()?;
    /// # let log = MemoryLog::new();
    /// let broker = Broker::builder(policy).log(ThreadedSink::new(log)).log_timer(sleep).build()?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("sums"))?;
    /// # let (gate, context) = (broker.gate(), Context::new());
    /// # let grant = task.request(Scope::tool("add").any_args(), &context)?;
    /// # block_on(async {
    /// let call = Call::new("add", json!({ "a": 1, "b": 2 }))?;
    /// let permit = gate.authorize_async(&grant, &agent, call, &context).await?;
    /// # permit.start()?.succeed();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # task.complete();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`authorize`](Gate::authorize).
    pub async fn authorize_async<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<Permit, Denial> {
        self.decide_async(presented.text(), caller, call, context, None).await
    }

    /// As [`authorize_json`](Gate::authorize_json), as [`authorize_async`](Gate::authorize_async) does.
    ///
    /// # Errors
    /// As [`authorize_json`](Gate::authorize_json).
    pub async fn authorize_json_async<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        tool: &str,
        args: impl AsRef<[u8]>,
        resource: Option<Resource>,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let call = self.read_call(caller, tool, args.as_ref(), resource)?;
        self.authorize_async(presented, caller, call, context).await
    }

    /// As [`redeem`](Gate::redeem), as [`authorize_async`](Gate::authorize_async) does.
    ///
    /// # Errors
    /// As [`redeem`](Gate::redeem).
    pub async fn redeem_async<P: Presentable + ?Sized>(
        &self,
        pending: &Pending,
        presented: &P,
        caller: &Identity,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let call = self.call_of(pending, caller)?;
        self.decide_async(presented.text(), caller, call, context, Some(pending)).await
    }

    async fn decide_async(
        &self,
        text: &str,
        caller: &Identity,
        call: Call,
        context: &Context,
        redeeming: Option<&Pending>,
    ) -> Result<Permit, Denial> {
        let shared = &*self.shared;
        let Some(timer) = &shared.log_timer else {
            return self.decide(text, caller, call, context, redeeming);
        };
        let asked = Asked { text, caller, call: &call, redeeming };
        let step = self.attempt(asked, context, |request| request.commit_or_wait(shared, timer))?;
        let committed = match step {
            Step::Done(committed) => committed,
            Step::Waits { call: waiting, now, context } => match waiting.settled().await {
                Ok(committed) => committed,
                Err(refusal) => {
                    let digested = Digested::default();
                    return Err(self.request(asked, (now, &context), &digested).record(refusal));
                }
            },
        };
        Ok(committed.into_permit(&self.shared, call))
    }
}

/// How far a decision came at once.
enum Step<'g> {
    Done(Committed),
    /// The log has yet to say.
    Waits {
        call: Box<WaitingCall<'g>>,
        now: Timestamp,
        context: Context,
    },
}

impl CallRequest<'_> {
    fn commit_or_wait<'g>(
        &self,
        shared: &'g Arc<Shared>,
        timer: &'g LogTimer,
    ) -> Result<Step<'g>, Refusal> {
        let PlacedCall { call, place } = self.place()?;
        let now = self.now;
        let mut settling = shared.journal.settling(place, timer);
        if let Some(settled) = settling.answer_now() {
            return call.settled(shared, settled.map_err(Unrecorded::from), now).map(Step::Done);
        }
        let call = Box::new(WaitingCall { shared, call: Some(call), settling, now });
        Ok(Step::Waits { call, now, context: self.context.clone() })
    }
}

/// A call that is decided, and waits for the log. Dropped before that has answered, it is undone.
struct WaitingCall<'g> {
    shared: &'g Arc<Shared>,
    /// Nothing once there is an answer.
    call: Option<Committed>,
    settling: Settling<'g>,
    now: Timestamp,
}

impl WaitingCall<'_> {
    async fn settled(mut self: Box<Self>) -> Result<Committed, Refusal> {
        let settled = (&mut self.settling).await.map_err(Unrecorded::from);
        match self.call.take() {
            Some(call) => call.settled(self.shared, settled, self.now),
            None => {
                let denial = Denial::new(Reason::LogRefused);
                Err(Refusal { denial, about: None, signed: false })
            }
        }
    }
}

impl Drop for WaitingCall<'_> {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        // In the child of a fork, the call is the parent's.
        let Some(at) = self.shared.time_of_end() else { return };
        call.undo(self.shared, Recorded::of_given_up(&self.settling.give_up()), at);
    }
}
