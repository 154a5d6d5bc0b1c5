//! `hallpass pin`: writes a catalogue from what a server lists.

mod asked;
mod listed;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use hallpass::Policy;
use tokio::runtime::Runtime;

use self::asked::Server;
use self::listed::Tools;
use super::remote_options::RemoteServer;
use crate::exit::Exit;
use crate::rpc::message::quoted;

const AFTER_HELP: &str = "\
The catalogue has each tool once, pinned by the digest of its definition, with types for its arguments. Labels are proposed as
comments, from what the server says of its tools: it may say anything, so read them before you take them over.

A server over HTTP is asked with --url, and shown what --server-bearer-file has.

Exit codes: 0 if each tool is in the catalogue, 1 if some had to be left out, 2 if the server gave no list.";

/// Which server is asked.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PinCommand {
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

/// How long an answer of the server is waited for, unless it is said.
const PATIENCE: Duration = Duration::from_secs(30);

impl PinCommand {
    pub(crate) fn run(self) -> Exit {
        let written = self.remote.threads().and_then(|threads| {
            let written = self.catalogue(threads.as_ref());
            // What is still open of a session that is over is of no use.
            threads.into_iter().for_each(Runtime::shutdown_background);
            written
        });
        let (text, exit) = match written {
            Ok(written) => written,
            Err(problem) => return Exit::unable(problem),
        };
        // It says nothing that this crate would not read again.
        if let Err(error) = Policy::from_toml(&text) {
            return Exit::unable(format_args!("the catalogue would not load: {error}"));
        }
        Exit::of_report(io::stdout().lock().write_all(text.as_bytes()).map(|()| exit))
    }

    fn catalogue(&self, threads: Option<&Runtime>) -> Result<(String, Exit), String> {
        let patience = self.remote.patience(PATIENCE);
        let mut server = match self.remote.target(threads)? {
            Some(target) => Server::reach(target, patience),
            None => Server::start(&self.server, patience)?,
        };
        let tools = server.tools();
        server.end();
        let mut tools = Tools::of(&tools?);
        let mut text = String::from(
            "# The catalogue of a server. Labels are proposals from what it says of itself: read them, and take over \
             what is so.\nversion = 1\n",
        );
        for (name, tool) in &tools.kept {
            // Writing to a text does not fail.
            let _ = write!(text, "\n[[tool]]\nname = {}\n{}", quoted(name), tool.text());
        }
        let exit = if tools.left_out.is_empty() { Exit::Fine } else { Exit::Findings };
        tools.left_out.sort();
        for problem in &tools.left_out {
            let _ = write!(text, "\n# left out: {problem}\n");
        }
        Ok((text, exit))
    }
}
