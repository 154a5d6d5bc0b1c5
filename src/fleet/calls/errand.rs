//! One question to another node, from the hello to the answer, as far as it can be said without a transport at hand.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::asker::{Asker, OwedOutcome};
use super::message::{PermittedCall, Reply, Told, denial_of};
use super::session::{AskerSession, Greeting};
use super::transport::TransportError;
use super::wire::{Message, NodeLife};
use crate::denial::{Denial, Reason};

/// How often a message may be answered by nothing, or by nothing that is an answer.
const TRIES: u32 = 3;

/// A question on its way. One that is dropped before its answer has the home told that no call starts on it.
pub(in crate::fleet) struct Errand {
    asker: Arc<Asker>,
    own: NodeLife,
    pub(super) home: NodeLife,
    address: Box<str>,
    /// The same at each try: the home decides about it once.
    pub(super) id: [u8; 16],
    plain: Zeroizing<Vec<u8>>,
    what: What,
    session: Option<AskerSession>,
    greeting: Option<Greeting>,
    tries: u32,
    /// A request that may have arrived is not answered.
    is_out: bool,
    /// The home has noted what it was told.
    is_noted: bool,
}

/// What is asked.
#[derive(Clone)]
pub(super) enum What {
    Call,
    Outcome(OwedOutcome),
}

/// What an errand came to.
pub(in crate::fleet) enum Came {
    Permitted(Box<PermittedCall>),
    Noted,
}

impl Errand {
    pub(super) fn new(
        asker: Arc<Asker>,
        own: NodeLife,
        home: NodeLife,
        address: &str,
        (id, plain): ([u8; 16], Vec<u8>),
        session: Option<AskerSession>,
        what: What,
    ) -> Self {
        let plain = Zeroizing::new(plain);
        let (address, greeting, tries) = (address.into(), None, 0);
        let (is_out, is_noted) = (false, false);
        Errand {
            asker,
            own,
            home,
            address,
            id,
            plain,
            what,
            session,
            greeting,
            tries,
            is_out,
            is_noted,
        }
    }

    /// The node to send to, and its address.
    pub(in crate::fleet) fn to(&self) -> (&str, &str) {
        (&self.home.name, &self.address)
    }

    /// What to send next.
    ///
    /// # Errors
    /// A [`Denial`] where no random bytes are to be had.
    pub(in crate::fleet) fn next(&mut self) -> Result<Vec<u8>, Denial> {
        if let Some(session) = &mut self.session {
            if let Some(request) = session.seal(self.id, &self.plain) {
                self.is_out = true;
                return Ok(request);
            }
            self.session = None;
        }
        let greeting = Greeting::new(&self.asker.keys, &self.own, self.home.clone())
            .map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;
        let hello = greeting.bytes();
        self.greeting = Some(greeting);
        Ok(hello)
    }

    /// Takes what came back: what the errand came to, or nothing where there is more to send.
    ///
    /// # Errors
    /// The home's [`Denial`], or that there is no answer to be had.
    pub(in crate::fleet) fn take(
        &mut self,
        reply: Result<Vec<u8>, TransportError>,
    ) -> Result<Option<Came>, Denial> {
        let (greeting, session) = (self.greeting.take(), self.session.take());
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => return self.again(&error.to_string()),
        };
        match (Message::read(&reply), greeting, session) {
            (Some(Message::Welcome { session, signed, tag }), Some(greeting), None) => {
                match greeting.welcomed(session, signed, tag) {
                    Some(session) => {
                        self.session = Some(session);
                        Ok(None)
                    }
                    None => self.foreign("a welcome that the home has not signed"),
                }
            }
            (Some(Message::Sealed(sealed)), _, Some(mut session)) => match session.open(&sealed) {
                Some(plain) => {
                    self.asker.keep(session);
                    self.answered(&plain)
                }
                None => {
                    self.foreign("an answer that the home has not sealed, or to another question")
                }
            },
            // It forgot the session, or does not know this node yet, or is another by now.
            (Some(Message::Refused), ..) => self.again("it took nothing of the message"),
            _ => self.foreign("no message of this version"),
        }
    }

    fn foreign(&mut self, why: &'static str) -> Result<Option<Came>, Denial> {
        self.asker.broker.refuse_message(Some(&self.home.name), why);
        self.again(why)
    }

    /// Another try, in a session of its own: what was sent before can't be answered any more.
    fn again(&mut self, why: &str) -> Result<Option<Came>, Denial> {
        // It may be gone, or another by now.
        self.asker.membership.peers.want();
        self.asker.membership.bell.ring();
        self.tries += 1;
        if self.tries < TRIES {
            return Ok(None);
        }
        Err(Denial::new(Reason::Elsewhere)
            .because(format_args!("its home, the node `{}`, was asked: {why}", self.home.name)))
    }

    fn answered(&mut self, plain: &[u8]) -> Result<Option<Came>, Denial> {
        self.is_out = false;
        match serde_json::from_slice::<Reply>(plain) {
            Ok(Reply::Permitted(call)) if matches!(self.what, What::Call) => {
                Ok(Some(Came::Permitted(call)))
            }
            Ok(Reply::Noted) if matches!(self.what, What::Outcome(_)) => {
                self.is_noted = true;
                Ok(Some(Came::Noted))
            }
            Ok(Reply::Denied { reason, retry_after }) => {
                // An earlier copy may have been permitted, or be decided about still: the home is told not to wait for it.
                self.is_out = self.tries > 0;
                Err(denial_of(&self.home.name, &reason, retry_after))
            }
            _ => {
                self.is_out = true;
                Err(Denial::new(Reason::Elsewhere).because("its home answers something else"))
            }
        }
    }

    /// Whether a request may have been sent that is not the one that was answered.
    pub(super) fn has_copies(&self) -> bool {
        self.tries > 0
    }

    pub(super) fn asker(&self) -> &Arc<Asker> {
        &self.asker
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        match &self.what {
            What::Call if self.is_out => {
                let (home, call, told) = (self.home.clone(), self.id, Told::NotStarted);
                self.asker.owe(OwedOutcome { home, call, told, copies: true });
            }
            What::Call => {}
            // Told until the home has noted it.
            What::Outcome(owed) => {
                if !self.is_noted {
                    self.asker.owe(owed.clone());
                }
            }
        }
    }
}
