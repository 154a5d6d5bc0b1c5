//! What carries messages from node to node.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The longest message between nodes, and the longest answer to one, in bytes.
pub const MAX_MESSAGE: usize = super::wire::MAX_MESSAGE;

/// Carries a message to another node, and the answer back: bytes to an address, bytes from it. On the other side, what
/// arrives goes to [`Fleet::answer`](crate::fleet::Fleet::answer).
///
/// What it carries is sealed, and tied to the two nodes, to their session and to its place in it: a transport that
/// loses, doubles, delays, reorders or changes messages, or that a stranger reads and writes, has calls denied, and
/// gives none. It is held to be slow or broken, never to be trusted. Keep strangers from it all the same, since every
/// message that is refused is recorded: loopback, Unix sockets, or TLS that knows both sides.
///
/// It has to give up by itself after a time.
pub trait Transport: Send + Sync {
    /// Sends a message to a node, at the address that the node says in its row, and gives its answer.
    ///
    /// # Errors
    /// [`TransportError`]: whether the message arrived is not known.
    fn send(&self, node: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError>;
}

/// As [`Transport`], for hosts that are asynchronous, on any runtime.
pub trait AsyncTransport: Send + Sync {
    /// As [`Transport::send`].
    fn send<'t>(&'t self, node: &'t str, address: &'t str, message: Vec<u8>) -> Sending<'t>;
}

/// How a node reaches others.
#[derive(Clone)]
pub(in crate::fleet) enum Link {
    /// It asks none.
    None,
    Blocking(Arc<dyn Transport>),
    Async(Arc<dyn AsyncTransport>),
}

/// An answer on its way.
pub type Sending<'t> = Pin<Box<dyn Future<Output = Result<Vec<u8>, TransportError>> + Send + 't>>;

/// A message was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node of the fleet was not reached: {0}")]
pub struct TransportError(Box<str>);

impl TransportError {
    /// What went wrong, for operators.
    pub fn new(why: impl std::fmt::Display) -> Self {
        TransportError(why.to_string().into())
    }
}
