//! Asking for a call wherever its task is at home.

use super::calls::{Came, Errand, FleetPermit, Leave, Link, TransportError};
use super::handle::Fleet;
use crate::broker::TokenHome;
use crate::call::Call;
use crate::clock::{Reading, Timestamp};
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::token::Presentable;

/// What is asked for: here, or in an errand to its home.
enum Asking {
    Here,
    There { errand: Box<Errand>, expires: Timestamp, asked: Reading },
}

impl Fleet {
    /// Authorizes one call, as [`Gate::authorize`](crate::Gate::authorize), wherever its task is at home: at another node, that is asked, and
    /// decides, commits and records it as its own. Waits for the answer, with the [`Transport`](super::Transport) that the node was
    /// built with.
    ///
    /// The token, its expiry and its holder are checked here first; where a home is, only the rows of nodes say.
    ///
    /// # Errors
    /// As there; [`Reason::Elsewhere`] where the home gives no answer. A tool that runs with a credential can't be
    /// called from another node, and what people have to agree to is asked for and redeemed at its home.
    pub fn authorize<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<FleetPermit, Denial> {
        let (mut errand, expires, asked) =
            match self.asking(presented.text(), caller, &call, context)? {
                Asking::Here => return self.permit_here(presented, caller, call, context),
                Asking::There { errand, expires, asked } => (errand, expires, asked),
            };
        let carried = self.carry(&mut errand);
        self.permit_there(&errand, carried, (caller, &call), expires, asked)
    }

    /// As [`authorize`](Fleet::authorize), with an [`AsyncTransport`](super::AsyncTransport). Dropping the future before it is done has the
    /// home told that the call does not start.
    ///
    /// # Errors
    /// As [`authorize`](Fleet::authorize).
    pub async fn authorize_async<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<FleetPermit, Denial> {
        let (mut errand, expires, asked) =
            match self.asking(presented.text(), caller, &call, context)? {
                Asking::Here => {
                    let gate = self.inner.broker.gate();
                    let permit = gate.authorize_async(presented, caller, call, context).await;
                    return permit.map(FleetPermit::here);
                }
                Asking::There { errand, expires, asked } => (errand, expires, asked),
            };
        let carried = self.carry_async(&mut errand).await;
        self.permit_there(&errand, carried, (caller, &call), expires, asked)
    }

    /// The answer to a message of another node, of any: what the host's server hands on as it came in. It may take as
    /// long as the log does.
    ///
    /// What no node of the fleet has sealed for this one as it is now, and what was taken before, is recorded as denied
    /// ([`Reason::ForeignMessage`]), and learns nothing.
    pub fn answer(&self, message: &[u8]) -> Vec<u8> {
        self.inner.desk.answer(message, &|_| true)
    }

    /// As [`answer`](Fleet::answer), where the transport knows who is at the other end, as mutual TLS does: `is_sender` says whether that may
    /// speak as the node of this name. A message of another node is denied and recorded, sealed by the fleet's keys or not.
    pub fn answer_from(&self, message: &[u8], is_sender: impl Fn(&str) -> bool) -> Vec<u8> {
        self.inner.desk.answer(message, &is_sender)
    }

    /// Tells homes what became of calls that ran here; how many are left, which are told the next time. A
    /// [`Tending`](super::Tending) does so by itself where the transport blocks.
    pub fn deliver(&self) -> usize {
        for _ in 0..self.inner.asker.owed() {
            let Some(mut errand) = self.inner.asker.outcome() else { break };
            // What could not be told stays owed.
            let _ = self.carry(&mut errand);
        }
        self.inner.asker.owed()
    }

    /// As [`deliver`](Fleet::deliver), with an [`AsyncTransport`](super::AsyncTransport).
    pub async fn deliver_async(&self) -> usize {
        for _ in 0..self.inner.asker.owed() {
            let Some(mut errand) = self.inner.asker.outcome() else { break };
            // What could not be told stays owed.
            let _ = self.carry_async(&mut errand).await;
        }
        self.inner.asker.owed()
    }

    fn asking(
        &self,
        text: &str,
        caller: &Identity,
        call: &Call,
        context: &Context,
    ) -> Result<Asking, Denial> {
        let inner = &self.inner;
        match inner.broker.home_of(&inner.membership, text, caller, call)? {
            TokenHome::Here => Ok(Asking::Here),
            TokenHome::There { node, peer, expires } => {
                let refuse = |denial| inner.broker.refuse_call(denial, caller, call.tool());
                // Before anything is sent: the leave is counted from here.
                let no_clock = |error| Denial::new(Reason::ClockUnreadable).because(error);
                let asked = inner.broker.reading().map_err(no_clock).map_err(refuse)?;
                let errand = inner.asker.call((&node, peer), text, caller, call, context);
                let errand = Box::new(errand.map_err(refuse)?);
                Ok(Asking::There { errand, expires, asked })
            }
        }
    }

    fn permit_here<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<FleetPermit, Denial> {
        let permit = self.inner.broker.gate().authorize(presented, caller, call, context);
        permit.map(FleetPermit::here)
    }

    fn permit_there(
        &self,
        errand: &Errand,
        came: Result<Came, Denial>,
        (caller, call): (&Identity, &Call),
        expires: Timestamp,
        asked: Reading,
    ) -> Result<FleetPermit, Denial> {
        let leave = came.and_then(|came| match came {
            Came::Permitted(permitted) => Leave::of(errand, &permitted, caller, expires, asked),
            Came::Noted => {
                Err(Denial::new(Reason::Elsewhere).because("its home answers something else"))
            }
        });
        leave
            .map(FleetPermit::there)
            .map_err(|denial| self.inner.broker.refuse_call(denial, caller, call.tool()))
    }

    /// Sends what an errand has to say, and takes the replies, until it knows what came of it.
    fn carry(&self, errand: &mut Errand) -> Result<Came, Denial> {
        loop {
            let message = errand.next()?;
            if let Some(came) = errand.take(self.send(errand, &message))? {
                return Ok(came);
            }
        }
    }

    /// As [`carry`](Self::carry), with a transport that is waited for in a future.
    async fn carry_async(&self, errand: &mut Errand) -> Result<Came, Denial> {
        loop {
            let message = errand.next()?;
            let reply = self.send_async(errand, message).await;
            if let Some(came) = errand.take(reply)? {
                return Ok(came);
            }
        }
    }

    fn send(&self, errand: &Errand, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        let (node, address) = errand.to();
        match &self.inner.link {
            Link::Blocking(transport) => {
                let mut reply = Err(TransportError::new("the transport panicked"));
                crate::contained::contained(|| reply = transport.send(node, address, message));
                reply
            }
            Link::None => Err(TransportError::new("this node was built without a transport")),
            Link::Async(_) => Err(TransportError::new(
                "this node's transport is asynchronous, expected `authorize_async`",
            )),
        }
    }

    async fn send_async(
        &self,
        errand: &Errand,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, TransportError> {
        let (node, address) = errand.to();
        match &self.inner.link {
            Link::Async(transport) => transport.send(node, address, message).await,
            Link::None | Link::Blocking(_) => self.send(errand, &message),
        }
    }
}
