//! The home's side: what this node answers to others about tasks that are at home here.

use std::sync::Arc;
use std::time::Duration;

use super::message::{AskedCall, CarriedCall, PermittedCall, Reply, Request, Told, context};
use super::out::{CallId, CallsOut, Found, close};
use super::seen::Seen;
use super::session::{HomeSessions, is_hello_of};
use super::vouched::Vouched;
use super::wire::{Message, NodeLife, Sealed, refused};
use crate::audit::Outcome;
use crate::broker::Broker;
use crate::denial::{Denial, Reason};
use crate::fleet::keys::FleetKeys;
use crate::fleet::terms::Terms;
use crate::identity::Identity;
use crate::membership::{Membership, Peer};
use crate::sync::Mutex;
use crate::value::Digest;

/// What answers other nodes.
pub(in crate::fleet) struct Desk {
    keys: Arc<FleetKeys>,
    name: Box<str>,
    terms: Terms,
    broker: Broker,
    membership: Arc<Membership>,
    /// Whom other nodes may attest.
    vouched: Vouched,
    sessions: Mutex<HomeSessions>,
    calls: Mutex<CallsOut>,
}

/// Why a message is not answered, and whom it names.
type Refusal = (Option<Box<str>>, &'static str);

/// Whether who is at the other end may speak as a node, as far as the transport knows.
type IsSender<'a> = &'a dyn Fn(&str) -> bool;

impl Desk {
    pub(in crate::fleet) fn new(
        keys: Arc<FleetKeys>,
        name: Box<str>,
        terms: Terms,
        broker: &Broker,
        membership: Arc<Membership>,
        vouched: Vouched,
    ) -> Desk {
        Desk {
            keys,
            name,
            terms,
            broker: broker.clone(),
            membership,
            vouched,
            sessions: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// The answer to a message. What no node of the fleet has sent to this one as it is now, or has sent before, is
    /// recorded, and learns nothing. `is_sender` says whether the transport knows who sent it by this name.
    pub(in crate::fleet) fn answer(&self, bytes: &[u8], is_sender: IsSender<'_>) -> Vec<u8> {
        if self.broker.is_in_child() {
            return refused();
        }
        self.try_answer(bytes, is_sender).unwrap_or_else(|(from, why)| {
            self.broker.refuse_message(from.as_deref(), why);
            refused()
        })
    }

    fn try_answer(&self, bytes: &[u8], is_sender: IsSender<'_>) -> Result<Vec<u8>, Refusal> {
        match Message::read(bytes).ok_or((None, "no message of this version"))? {
            Message::Hello { from, to, signed, tag } => {
                self.welcome(from, &to, (signed, tag), is_sender)
            }
            Message::Sealed(request) => {
                let opened = self.sessions.lock().open(&request).map_err(|why| (None, why))?;
                let from = opened.from;
                check_sender(&from, is_sender)?;
                self.check_lives(&from)?;
                let reply = self.serve(&from, &request, &opened.plain);
                let reply = serde_json::to_vec(&reply).map_err(|_| (None, "no answer to it"))?;
                let sealed = self.sessions.lock().seal(&request, bytes, &reply);
                sealed.ok_or((None, "its session is over"))
            }
            Message::Welcome { .. } | Message::Refused => Err((None, "an answer to no question")),
        }
    }

    fn own(&self) -> Option<NodeLife> {
        let incarnation = self.membership.peers.own()?;
        Some(NodeLife { name: self.name.clone(), incarnation })
    }

    fn welcome(
        &self,
        from: NodeLife,
        to: &NodeLife,
        (signed, tag): (&[u8], &[u8; 32]),
        is_sender: IsSender<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let named = || Some(from.name.clone());
        let own = self.own().ok_or((None, "this node has not joined"))?;
        if *to != own {
            return Err((named(), "a hello to another node, or to this one as it was before"));
        }
        if !is_hello_of(&self.keys, &from, &own, signed, tag) {
            return Err((None, "a hello that no node of the fleet has signed"));
        }
        check_sender(&from, is_sender)?;
        self.check_lives(&from)?;
        let named = named();
        let begun = self.sessions.lock().begin(&self.keys, (from, &own), signed);
        begun.map_err(|_| (named, "no random bytes for a session"))
    }

    /// Whether a node is there as it says, as far as is known. One of which nothing is known has the fleet's key, and is
    /// taken for new; the rows are read.
    fn check_lives(&self, from: &NodeLife) -> Result<(), Refusal> {
        let known = self.membership.peers.get(&from.name);
        let lives = |peer: &Peer| peer.incarnation == from.incarnation && !peer.is_over;
        if !known.as_ref().is_some_and(lives) {
            self.membership.peers.want();
            self.membership.bell.ring();
        }
        match known.as_ref().is_none_or(lives) {
            true => Ok(()),
            false => {
                Err((Some(from.name.clone()), "of a node that is not there any more, as it was"))
            }
        }
    }

    fn serve(&self, from: &NodeLife, request: &Sealed<'_>, plain: &[u8]) -> Reply {
        let id = (from.clone(), request.id);
        match serde_json::from_slice::<Request>(plain) {
            Ok(Request::Call(asked)) => self.serve_call(&id, &asked, &Digest::of(plain)),
            Ok(Request::Told { call, outcome, copies }) => {
                self.note(&(from.clone(), call), outcome, copies)
            }
            // It changes nothing, and needs no lease.
            Ok(Request::Look(look)) => Reply::Seen(Box::new(Seen::at(&self.broker, look))),
            Err(_) => Reply::denied(&Denial::new(Reason::MalformedCall)),
        }
    }

    fn note(&self, id: &CallId, told: Told, copies: bool) -> Reply {
        let Some(now) = self.now() else {
            return Reply::denied(&Denial::new(Reason::ClockUnreadable));
        };
        let over = self.calls.lock().told(id, now, copies);
        if let Some(over) = over {
            close(over, told.outcome(), &self.membership.leaves);
        }
        Reply::Noted
    }

    fn serve_call(&self, id: &CallId, asked: &AskedCall, request: &Digest) -> Reply {
        let Some(now) = self.now() else {
            return Reply::denied(&Denial::new(Reason::ClockUnreadable));
        };
        let found = self.calls.lock().begin(id, request, asked.caller.id(), now);
        match found {
            Found::Answered(answer) => serde_json::from_slice(&answer)
                .unwrap_or_else(|_| Reply::denied(&Denial::new(Reason::Elsewhere))),
            Found::Refused => Reply::denied(&Denial::new(Reason::Elsewhere)),
            Found::New => {
                let decided = self.decide(id, asked, request);
                self.calls.lock().deny(id);
                decided.unwrap_or_else(|denial| Reply::denied(&denial))
            }
        }
    }

    /// Decides about a call as the gate here does, starts it here, and gives leave to start it there.
    fn decide(&self, id: &CallId, asked: &AskedCall, request: &Digest) -> Result<Reply, Denial> {
        let caller = self.attest(&id.0, asked)?;
        let tool_denied = |denial| self.broker.refuse_call(denial, &caller, asked.call.tool());
        self.membership.check_drain().map_err(tool_denied)?;
        let malformed = |reason| tool_denied(Denial::new(reason).because("it was carried so"));
        let call = asked.call.call().ok_or_else(|| malformed(Reason::MalformedCall))?;
        let context = context(&asked.context).ok_or_else(|| malformed(Reason::MalformedContext))?;
        // Before it is decided: an act that is applied meanwhile makes the leave void there.
        let applied = self.membership.applied();
        let permit = self.broker.gate().authorize(&*asked.token, &caller, call, &context)?;
        let (seq, rules) = (permit.number(), permit.rules().map(Into::into).collect());
        let leave_id = self.membership.leaves.begin(permit.generation());
        let given = permit.start().and_then(|running| {
            let at = self.broker.reading().ok();
            let left = at.and_then(|at| Some((at, self.membership.lease.left(&at)?)));
            let carried = CarriedCall::of(running.call());
            match (left, carried) {
                (Some((at, left)), Some(call)) => Ok((running, at.monotonic, left, call)),
                _ => {
                    running.close_elsewhere(Outcome::Abandoned);
                    Err(Denial::new(Reason::NoLease).because("the home's lease ran out"))
                }
            }
        });
        let (running, at, left, call) =
            given.inspect_err(|_| self.membership.leaves.end(leave_id))?;
        let leave = self.terms.longest_leave().min(left);
        let millis = u64::try_from(leave.as_millis()).unwrap_or_default();
        let permitted = PermittedCall { call, permit: seq, rules, applied, leave: millis };
        let reply = Reply::Permitted(Box::new(permitted));
        let answer = serde_json::to_vec(&reply).unwrap_or_default();
        let until = at.saturating_add(self.terms.leave_surely_over(leave));
        self.membership.leaves.give(leave_id, until);
        let noted = self.calls.lock().permit(id, *request, answer, (running, leave_id, until));
        match noted {
            None => Ok(reply),
            // The asker gave it up meanwhile.
            Some(over) => {
                close(over, Outcome::Abandoned, &self.membership.leaves);
                Err(Denial::new(Reason::Elsewhere).because("it was given up"))
            }
        }
    }

    /// The caller, as the node attests it that asks: within what it may.
    fn attest(&self, from: &NodeLife, asked: &AskedCall) -> Result<Identity, Denial> {
        let names = asked.caller.names();
        let caller = self.vouched.covers(&from.name, names).then(|| asked.caller.clone());
        caller.and_then(|kept| self.broker.attest_kept(kept)).ok_or_else(|| {
            let why = "a caller that the node which asks may not attest here";
            self.broker.refuse_message(Some(&from.name), why);
            Denial::new(Reason::ForeignIdentity).because(why)
        })
    }

    fn now(&self) -> Option<Duration> {
        self.broker.reading().ok().map(|reading| reading.monotonic)
    }

    /// Closes what nodes had out that are not there any more.
    pub(in crate::fleet) fn sweep(&self) {
        let Some(now) = self.now() else { return };
        let is_gone = |from: &NodeLife| {
            let known = self.membership.peers.get(&from.name);
            known.is_some_and(|peer| peer.is_over || peer.incarnation != from.incarnation)
        };
        let (lost, unheard) = {
            let mut calls = self.calls.lock();
            (calls.sweep(now, is_gone), calls.has_unheard(now))
        };
        for out in lost {
            close(out, Outcome::Unknown, &self.membership.leaves);
        }
        if unheard {
            self.membership.peers.want();
        }
    }
}

/// A member has the fleet's key, and could seal a message as another: what keeps it from that is the transport.
fn check_sender(from: &NodeLife, is_sender: IsSender<'_>) -> Result<(), Refusal> {
    match is_sender(&from.name) {
        true => Ok(()),
        false => {
            Err((Some(from.name.clone()), "of a node that the transport does not know as that"))
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for out in self.calls.lock().take_all() {
            close(out, Outcome::Unknown, &self.membership.leaves);
        }
    }
}
