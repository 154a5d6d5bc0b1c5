//! Sessions: between one life of a node and one of another, each with keys of its own and a counter that only rises.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::seal::{PairKey, SIGNS_HELLO, SIGNS_WELCOME, SessionKeys, sealed_length};
use super::wire::{self, Direction, NodeLife, Sealed, TAG};
use crate::fleet::keys::FleetKeys;
use crate::random::{self, RandomError};
use crate::value::Digest;

/// How many sessions a home keeps for each node that asks: one more, and the oldest is over. A node has as many
/// as it has threads that ask at once.
const FOR_EACH: usize = 128;

/// The sessions in which other nodes ask this one.
#[derive(Default)]
pub(super) struct HomeSessions {
    /// Which of them is older.
    next: u64,
    by_id: BTreeMap<[u8; 16], HomeSession>,
}

struct HomeSession {
    from: NodeLife,
    keys: SessionKeys,
    /// The counter of the latest request: one that is not above it was taken before, or comes too late.
    last: u64,
    age: u64,
}

/// What a request says, and what its answer is tied to.
pub(super) struct Opened {
    pub(super) from: NodeLife,
    pub(super) plain: Zeroizing<Vec<u8>>,
}

impl HomeSessions {
    /// Begins a session with who sent this hello, which is known to be a node of the fleet: the bytes of the welcome.
    ///
    /// # Errors
    /// [`RandomError`].
    pub(super) fn begin(
        &mut self,
        keys: &FleetKeys,
        (from, own): (NodeLife, &NodeLife),
        hello: &[u8],
    ) -> Result<Vec<u8>, RandomError> {
        let (mut session, mut fresh) = ([0; 16], [0; 32]);
        random::fill(&mut session)?;
        random::fill(&mut fresh)?;
        let (there, back) = (PairKey::of(keys, &from, own), PairKey::of(keys, own, &from));
        let mut welcome = wire::welcome(&session, &fresh);
        let session_keys = SessionKeys::of(&there, &back, hello, &welcome);
        let tag = back.sign(SIGNS_WELCOME, [hello, &welcome]);
        welcome.extend_from_slice(&tag);
        let of_node = || self.by_id.iter().filter(|(_, own)| own.from.name == from.name);
        if of_node().count() >= FOR_EACH
            && let Some(oldest) = of_node().min_by_key(|(_, own)| own.age).map(|(id, _)| *id)
        {
            self.by_id.remove(&oldest);
        }
        self.next += 1;
        let begun = HomeSession { from, keys: session_keys, last: 0, age: self.next };
        self.by_id.insert(session, begun);
        Ok(welcome)
    }

    /// Opens a request, once.
    ///
    /// # Errors
    /// Why it is no request of this session that was not taken before.
    pub(super) fn open(&mut self, request: &Sealed<'_>) -> Result<Opened, &'static str> {
        let unknown = "a message of a session that is not known: an old one's, or a stranger's";
        let own = self.by_id.get_mut(&request.session).ok_or(unknown)?;
        if request.direction != Direction::Request {
            return Err("a reply that nothing was asked for");
        }
        if request.counter <= own.last {
            return Err("a message that was taken before, or comes out of its order");
        }
        let plain = own
            .keys
            .open(Direction::Request, request.counter, request.header, request.ciphertext)
            .ok_or("a message that was changed, or that no node of the fleet has sealed")?;
        own.last = request.counter;
        Ok(Opened { from: own.from.clone(), plain })
    }

    /// Seals the answer to a request of these bytes, which was opened: once, since its counter comes once.
    pub(super) fn seal(&self, request: &Sealed<'_>, bytes: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let Sealed { session, counter, id, .. } = request;
        let own = self.by_id.get(session)?;
        let length = sealed_length(plain.len());
        let mut reply = wire::header(Direction::Reply, session, *counter, id, length);
        let bound = [&reply[..], Digest::of(bytes).as_bytes()].concat();
        reply.extend_from_slice(&own.keys.seal(Direction::Reply, *counter, &bound, plain)?);
        Some(reply)
    }
}

/// A hello that this node has sent, and waits for the welcome of.
pub(super) struct Greeting {
    signed: Vec<u8>,
    there: PairKey,
    back: PairKey,
    to: NodeLife,
}

impl Greeting {
    /// # Errors
    /// [`RandomError`].
    pub(super) fn new(
        keys: &FleetKeys,
        own: &NodeLife,
        to: NodeLife,
    ) -> Result<Greeting, RandomError> {
        let mut fresh = [0; 32];
        random::fill(&mut fresh)?;
        let signed = wire::hello(own, &to, &fresh);
        let (there, back) = (PairKey::of(keys, own, &to), PairKey::of(keys, &to, own));
        Ok(Greeting { signed, there, back, to })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let tag = self.there.sign(SIGNS_HELLO, [&self.signed, &[]]);
        [&self.signed[..], &tag].concat()
    }

    /// The session that the home begins with this welcome, if it is the home's.
    pub(super) fn welcomed(
        &self,
        session: [u8; 16],
        signed: &[u8],
        tag: &[u8; TAG],
    ) -> Option<AskerSession> {
        if !self.back.verify(SIGNS_WELCOME, [&self.signed, signed], tag) {
            return None;
        }
        let keys = SessionKeys::of(&self.there, &self.back, &self.signed, signed);
        Some(AskerSession { home: self.to.clone(), session, keys, next: 1, sent: None })
    }
}

/// Whether a hello is one of the node that it names, to this one.
pub(super) fn is_hello_of(
    keys: &FleetKeys,
    from: &NodeLife,
    own: &NodeLife,
    signed: &[u8],
    tag: &[u8; TAG],
) -> bool {
    PairKey::of(keys, from, own).verify(SIGNS_HELLO, [signed, &[]], tag)
}

/// A session in which this node asks another, one question at a time.
pub(super) struct AskerSession {
    home: NodeLife,
    session: [u8; 16],
    keys: SessionKeys,
    next: u64,
    /// Counter, id and digest of the request that was sent last.
    sent: Option<(u64, [u8; 16], Digest)>,
}

impl AskerSession {
    pub(super) fn is_with(&self, home: &NodeLife) -> bool {
        self.home == *home
    }

    /// The bytes of a request. Whether it arrives or not, its counter is never used again.
    pub(super) fn seal(&mut self, id: [u8; 16], plain: &[u8]) -> Option<Vec<u8>> {
        let counter = self.next;
        self.next = counter.checked_add(1)?;
        let length = sealed_length(plain.len());
        let mut request = wire::header(Direction::Request, &self.session, counter, &id, length);
        let sealed = self.keys.seal(Direction::Request, counter, &request, plain)?;
        request.extend_from_slice(&sealed);
        self.sent = Some((counter, id, Digest::of(&request)));
        Some(request)
    }

    /// What the home answers to the request that was sent last; `None` of what is no answer to it.
    pub(super) fn open(&mut self, reply: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let (counter, id, digest) = self.sent.take()?;
        let fits = reply.direction == Direction::Reply
            && reply.session == self.session
            && (reply.counter, reply.id) == (counter, id);
        let bound = [reply.header, digest.as_bytes()].concat();
        fits.then(|| self.keys.open(Direction::Reply, counter, &bound, reply.ciphertext))?
    }
}
