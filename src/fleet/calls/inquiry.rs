//! One question about a node to that node: a session of its own, and the answer.

use super::message::{Reply, Request};
use super::seen::{Look, Seen};
use super::session::Greeting;
use super::transport::Transport;
use super::wire::{Message, NodeLife};
use crate::contained::contained;
use crate::fleet::keys::FleetKeys;
use crate::random;

/// How often it is asked: a node that has forgotten the session, or a message that is lost.
const TRIES: usize = 2;

/// Who asks, and by what.
pub(in crate::fleet) struct Inquirer<'a> {
    keys: &'a FleetKeys,
    own: NodeLife,
    transport: &'a dyn Transport,
}

impl<'a> Inquirer<'a> {
    pub(in crate::fleet) fn new(
        keys: &'a FleetKeys,
        name: &str,
        incarnation: [u8; 16],
        transport: &'a dyn Transport,
    ) -> Inquirer<'a> {
        Inquirer { keys, own: NodeLife { name: name.into(), incarnation }, transport }
    }

    /// What there is at this life of a node; nothing where it gives no answer that it has sealed.
    pub(in crate::fleet) fn ask(
        &self,
        (name, incarnation): (&str, [u8; 16]),
        address: &str,
        look: Look,
    ) -> Option<Seen> {
        let to = NodeLife { name: name.into(), incarnation };
        (0..TRIES).find_map(|_| self.ask_once(&to, address, look))
    }

    fn ask_once(&self, to: &NodeLife, address: &str, look: Look) -> Option<Seen> {
        let greeting = Greeting::new(self.keys, &self.own, to.clone()).ok()?;
        let welcome = self.send(to, address, &greeting.bytes())?;
        let Some(Message::Welcome { session, signed, tag }) = Message::read(&welcome) else {
            return None;
        };
        let mut session = greeting.welcomed(session, signed, tag)?;
        let mut id = [0; 16];
        random::fill(&mut id).ok()?;
        let request = session.seal(id, &serde_json::to_vec(&Request::Look(look)).ok()?)?;
        let answer = self.send(to, address, &request)?;
        let Some(Message::Sealed(sealed)) = Message::read(&answer) else { return None };
        let plain = session.open(&sealed)?;
        match serde_json::from_slice(&plain).ok()? {
            Reply::Seen(seen) => Some(*seen),
            Reply::Permitted(_) | Reply::Denied { .. } | Reply::Noted => None,
        }
    }

    fn send(&self, to: &NodeLife, address: &str, message: &[u8]) -> Option<Vec<u8>> {
        let mut reply = None;
        contained(|| reply = self.transport.send(&to.name, address, message).ok());
        reply
    }
}
