//! The client's side over HTTP: the protocol's streamable transport, of the revisions that begin with a handshake.

mod endpoint;
mod gates;
mod sessions;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;

pub(super) use self::gates::Gates;
use self::sessions::Sessions;
use super::server::Server;
use crate::errand::Errand;
use crate::exit::Exit;
use crate::rpc::session::close;
use crate::serve::serve_until_told;

/// Where the endpoint is.
pub(super) const PATH: &str = "/mcp";

/// Takes clients until the process is told to end.
pub(super) fn run(
    errand: Errand,
    server: Server,
    explains: bool,
    listen: SocketAddr,
    gates: Gates,
) -> Exit {
    let (broker, tls) = (errand.broker.clone(), gates.tls());
    let sessions = match Sessions::new(errand, server, explains) {
        Ok(sessions) => Arc::new(sessions),
        Err(problem) => return close(&broker, Exit::unable(problem)),
    };
    sessions.watch_idle();
    let (router, ending) = (endpoint::router(sessions.clone(), gates), sessions.clone());
    let served = serve_until_told(listen, PATH, tls, router, move || ending.end_all());
    sessions.end_all();
    close(&broker, served.map_or_else(Exit::unable, |()| Exit::Fine))
}
