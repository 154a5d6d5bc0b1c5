//! A server that is reached over HTTP: the protocol's streamable transport, from the client's side.

mod connections;
mod exchange;
mod headers;
mod link;
mod sse;
mod stream;
mod target;

pub(super) use self::link::{FromServer, Remote};
pub(super) use self::target::Target;
