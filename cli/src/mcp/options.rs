//! What a session of `hallpass mcp` begins with.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Runtime;

use super::http::{self, Gates};
use super::proxy::Proxy;
use super::remote_options::RemoteServer;
use super::server::Server;
use crate::errand::{Errand, ErrandOptions};
use crate::exit::Exit;
use crate::fleet::FleetOption;
use crate::rpc::session;
use crate::serve::Doors;

const AFTER_HELP: &str = "\
Example:
  hallpass mcp --policy P.toml --as agent-7 --purpose notes -- npx -y @modelcontextprotocol/server-filesystem /data
  hallpass mcp --policy P.toml --as agent-7 --purpose notes --url https://mcp.acme.test/mcp --server-ca ca.pem

Each tool call is asked for by itself, just in time, and made with the arguments that were decided about. What is not a
tool has a name of its own: mcp:resources/read, mcp:prompts/get, mcp:completion/complete, mcp:resources/subscribe, and
of the server's own requests mcp:sampling, mcp:elicitation, mcp:roots.

With --listen, clients come over HTTP, at http://ADDRESS/mcp, and know a secret of --bearer-file. With --url, the server is
reached over HTTP, and shown what --server-bearer-file has: never what a client has shown.

What the gate can't see: an agent that has a shell can start the server itself. Policy, key and log must not be
writable by the user that the agent runs as, and secrets that the server needs not be readable by it.

Exit codes: 0 if the client ended the session, or the command was told to end; 2 if it could not begin or the server
ended it.";

/// Who asks, for what, under which policy, and which server is gated.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct McpCommand {
    #[command(flatten)]
    errand: ErrandOptions,
    #[command(flatten)]
    fleet: FleetOption,
    /// Take clients over HTTP at this address, and start a server for each session; port 0 takes any, which the first line
    /// of the output tells
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    doors: Doors,
    /// Take requests from web pages of this origin; may be said several times
    #[arg(long = "origin", value_name = "ORIGIN", requires = "listen")]
    origins: Vec<String>,
    #[command(flatten)]
    remote: RemoteServer,
    /// The server, and its arguments
    #[arg(
        last = true,
        required_unless_present = "url",
        conflicts_with = "url",
        value_name = "SERVER"
    )]
    server: Vec<OsString>,
}

impl McpCommand {
    pub(crate) fn run(self) -> Exit {
        let threads = match self.remote.threads() {
            Ok(threads) => threads,
            Err(problem) => return Exit::unable(problem),
        };
        let exit = self.run_on(threads.as_ref());
        // What is still open of a session that is over is of no use.
        threads.into_iter().for_each(Runtime::shutdown_background);
        exit
    }

    fn run_on(self, threads: Option<&Runtime>) -> Exit {
        let begun = self.remote.target(threads).and_then(|target| Ok((target, self.begin()?)));
        let (target, (errand, listens)) = match begun {
            Ok(begun) => begun,
            Err(problem) => return Exit::unable(problem),
        };
        let joined = match self.fleet.join(&errand.broker) {
            Ok(joined) => joined,
            Err(problem) => return Exit::unable(problem),
        };
        let server = match target {
            Some(target) => Server::Remote(Arc::new(target)),
            None => Server::Command(self.server),
        };
        let exit = match listens {
            None => match errand.open() {
                // The task is kept until the broker has closed it.
                Ok(task) => {
                    let (keeper, explains) = (errand.keeper(&task), self.errand.explain);
                    session::run(&errand.broker, server.start(), |to_client, to_server| {
                        Proxy::new(keeper, to_client, to_server, explains)
                    })
                }
                Err(problem) => Exit::unable(problem),
            },
            Some((listen, gates)) => http::run(errand, server, self.errand.explain, listen, gates),
        };
        joined.leave();
        exit
    }

    /// Everything that has to be in order before the server is started.
    fn begin(&self) -> Result<(Errand, Option<(SocketAddr, Gates)>), String> {
        let listens = match self.listen {
            Some(listen) => {
                Some((listen, Gates::new(self.doors.open(&listen)?, &listen, &self.origins)))
            }
            None if self.doors.are_said() => {
                return Err("who may connect is said with `--listen ADDRESS` alone".to_owned());
            }
            None => None,
        };
        Ok((self.errand.begin_as(&self.fleet.issuer()?)?, listens))
    }
}
