//! What there is to ask of other nodes: for a call, and that they note what became of one.

use std::sync::Arc;

use super::asker::{Asker, OwedOutcome};
use super::errand::{Errand, What};
use super::message::{AskedCall, CarriedCall, Request, carried_context};
use super::wire::{MAX_MESSAGE, NodeLife};
use crate::call::Call;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::{Identity, KeptIdentity};
use crate::membership::Peer;
use crate::random;

impl Asker {
    /// A call to be asked for at its home.
    ///
    /// # Errors
    /// A [`Denial`] of a call that can't be carried, and of a home that can't be asked.
    pub(in crate::fleet) fn call(
        self: &Arc<Self>,
        (node, peer): (&str, Peer),
        text: &str,
        caller: &Identity,
        call: &Call,
        context: &Context,
    ) -> Result<Errand, Denial> {
        let malformed = |reason| Denial::new(reason).because("it can't be carried to its home");
        if peer.is_over {
            return Err(
                Denial::new(Reason::TaskOver).because("its home is gone, and its tasks with it")
            );
        }
        let asked = AskedCall {
            token: text.into(),
            caller: KeptIdentity::of(caller),
            call: CarriedCall::of(call).ok_or_else(|| malformed(Reason::MalformedCall))?,
            context: carried_context(context).ok_or_else(|| malformed(Reason::MalformedContext))?,
        };
        let plain = serde_json::to_vec(&Request::Call(Box::new(asked)));
        let plain = plain.map_err(|_| malformed(Reason::MalformedCall))?;
        if plain.len() > MAX_MESSAGE - 128 {
            return Err(malformed(Reason::MalformedCall));
        }
        let home = NodeLife { name: node.into(), incarnation: peer.incarnation };
        self.errand(home, &peer.address, plain, What::Call)
    }

    /// The outcome that is owed first; nothing where none is.
    pub(in crate::fleet) fn outcome(self: &Arc<Self>) -> Option<Errand> {
        loop {
            let owed = self.take_owed()?;
            let peer = self.membership.peers.get(&owed.home.name);
            // A home that is gone, or was replaced, has no task that it concerns.
            let Some(peer) =
                peer.filter(|peer| !peer.is_over && peer.incarnation == owed.home.incarnation)
            else {
                continue;
            };
            let OwedOutcome { call, told: outcome, copies, .. } = owed;
            let request = Request::Told { call, outcome, copies };
            let plain = serde_json::to_vec(&request).ok()?;
            let home = owed.home.clone();
            match self.errand(home, &peer.address, plain, What::Outcome(owed.clone())) {
                Ok(errand) => return Some(errand),
                Err(_) => {
                    self.owe(owed);
                    return None;
                }
            }
        }
    }

    fn errand(
        self: &Arc<Self>,
        home: NodeLife,
        address: &str,
        plain: Vec<u8>,
        what: What,
    ) -> Result<Errand, Denial> {
        let unavailable = |why: &str| Denial::new(Reason::Elsewhere).because(why);
        if address.is_empty() {
            return Err(unavailable("its home answers no other node"));
        }
        let own =
            self.membership.peers.own().ok_or_else(|| unavailable("this node has not joined"))?;
        let own = NodeLife { name: self.name.clone(), incarnation: own };
        let mut id = [0; 16];
        random::fill(&mut id).map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;
        let session = self.take_session(&home);
        Ok(Errand::new(self.clone(), own, home, address, (id, plain), session, what))
    }
}
