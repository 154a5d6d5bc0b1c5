//! Who asks, for what, under which policy: what a session of `hallpass mcp` begins with.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hallpass::identity::{Assertion, Identity, IdentityError, Kind};
use hallpass::value::Value;
use hallpass::{Broker, Context, Policy, Purpose};
use tokio::runtime::Runtime;

use super::errand::Errand;
use super::http::{self, Gates};
use super::remote::Target;
use super::server::Server;
use super::session::run;
use crate::exit::Exit;
use crate::facts::fact;
use crate::kept_log::KeptLog;
use crate::policy::load;
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
    /// The policy: TOML, or JSON where its name ends in `.json`
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Who the agent is
    #[arg(long = "as", value_name = "ID")]
    who: String,
    /// What kind of identity that is
    #[arg(long, value_enum, default_value_t = OfKind::Agent)]
    kind: OfKind,
    /// A group that the agent is in; may be said several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The person whom the agent acts for
    #[arg(long = "for", value_name = "PERSON")]
    acts_for: Option<String>,
    /// What the agent is to do
    #[arg(long, value_name = "NAME")]
    purpose: String,
    /// The ticket of the purpose
    #[arg(long)]
    ticket: Option<String>,
    /// What is known of the moment, `NAME=TEXT` or `NAME:=JSON`; may be said several times
    #[arg(long = "context", value_name = "K=V", value_parser = fact)]
    context: Vec<(String, Value)>,
    #[command(flatten)]
    kept: KeptLog,
    /// Where people answer what a policy asks: nowhere, so that it is denied
    #[arg(long, value_enum, default_value_t = Approve::None)]
    approve: Approve,
    /// Say on standard error why each call is denied: for those who write policies, since agents may read it
    #[arg(long)]
    explain: bool,
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

/// A server that is reached over HTTP.
#[derive(Debug, Args)]
struct RemoteServer {
    /// Where a server is reached that is not started here: `https`, or `http` and this machine
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The authorities whose certificates a server of `https` has to have: PEM
    #[arg(long, value_name = "FILE")]
    server_ca: Option<PathBuf>,
    /// The bearer token that the server is shown, which is all that is in the file
    #[arg(long, value_name = "FILE")]
    server_bearer_file: Option<PathBuf>,
    /// How many seconds the server may say nothing while a request waits for its answer: 300, unless said
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    server_timeout: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OfKind {
    Agent,
    Human,
    Workload,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Approve {
    None,
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
        let server = match target {
            Some(target) => Server::Remote(Arc::new(target)),
            None => Server::Command(self.server),
        };
        match listens {
            None => match errand.open() {
                // The task is kept until the broker has closed it.
                Ok(task) => run(errand.keeper(&task), &server, self.explain),
                Err(problem) => Exit::unable(problem),
            },
            Some((listen, gates)) => http::run(errand, server, self.explain, listen, gates),
        }
    }

    /// Everything that has to be in order before the server is started.
    fn begin(&self) -> Result<(Errand, Option<(SocketAddr, Gates)>), String> {
        let Approve::None = self.approve;
        let listens = match self.listen {
            Some(listen) => {
                Some((listen, Gates::new(self.doors.open(&listen)?, &listen, &self.origins)))
            }
            None if self.doors.are_said() => {
                return Err("who may connect is said with `--listen ADDRESS` alone".to_owned());
            }
            None => None,
        };
        let policy =
            load(&self.policy).map_err(|error| format!("{}: {error}", self.policy.display()))?;
        let remembers = policy.rules().any(|rule| rule.remembers());
        let pins = policy.pins().map(|(tool, pin)| (tool.to_owned(), pin)).collect();
        let broker = self.broker(policy)?;
        let who = self.identity(&broker).map_err(|error| error.to_string())?;
        let mut purpose = Purpose::new(self.purpose.as_str());
        if let Some(ticket) = &self.ticket {
            purpose = purpose.ticket(ticket.as_str());
        }
        let facts = self.context.iter().cloned();
        let context = facts.fold(Context::new(), |own, (name, value)| own.with(name, value));
        Ok((Errand { broker, who, purpose, context, remembers, pins }, listens))
    }

    fn broker(&self, policy: Policy) -> Result<Broker, String> {
        let first = policy.rules().find(|rule| rule.remembers()).map(|rule| rule.id().to_owned());
        let builder = Broker::builder(policy).ceiling(CEILING);
        match (first, self.kept.folder()) {
            (Some(rule), None) => {
                return Err(format!(
                    "rule `{rule}` depends on what the task did before, which would be forgotten each time the \
                     server is started: say `--log FOLDER --key-file FILE`"
                ));
            }
            (Some(rule), Some(log))
                if log.read_dir().is_ok_and(|mut entries| entries.next().is_some()) =>
            {
                return Err(format!(
                    "{}: rule `{rule}` depends on what was done before, and this log was begun by an earlier session, \
                     whose history can't be gone on with: an operator begins another with a folder of its own",
                    log.display()
                ));
            }
            _ => {}
        }
        self.kept.build(builder)
    }

    fn identity(&self, broker: &Broker) -> Result<Identity, IdentityError> {
        let who = match self.kind {
            OfKind::Agent => Assertion::agent(self.who.as_str()),
            OfKind::Human => Assertion::human(self.who.as_str()),
            OfKind::Workload => Assertion::workload(self.who.as_str()),
        };
        let who = who.groups(self.groups.iter().map(String::as_str));
        let who = match &self.acts_for {
            Some(person) => who.acts_for(person.as_str(), Kind::Human),
            None => who,
        };
        broker.assert_identity(who)
    }
}

impl RemoteServer {
    /// The threads on which connections to a server are read, if there are any.
    fn threads(&self) -> Result<Option<Runtime>, String> {
        let threads = self.url.as_ref().map(|_| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
        });
        threads.transpose().map_err(|error| format!("no threads can be had: {error}"))
    }

    fn target(&self, threads: Option<&Runtime>) -> Result<Option<Target>, String> {
        let (authorities, bearer) = (self.server_ca.as_deref(), self.server_bearer_file.as_deref());
        let (Some(url), Some(threads)) = (&self.url, threads) else {
            // The parser forgets to ask for a URL where there is a server already.
            return match (authorities, bearer, self.server_timeout) {
                (None, None, None) => Ok(None),
                _ => {
                    Err("how a server is reached over HTTP is said with `--url URL` alone"
                        .to_owned())
                }
            };
        };
        let patience = self.server_timeout.map_or(PATIENCE, Duration::from_secs);
        Target::new(url, authorities, bearer, patience, threads.handle().clone()).map(Some)
    }
}

/// How long a server over HTTP may say nothing while a request waits for its answer. Most clients wait for a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a session lasts: as long as any task may.
const CEILING: Duration = Duration::from_secs(7 * 24 * 60 * 60);
