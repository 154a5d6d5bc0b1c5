//! What a session of `hallpass acp` begins with.

use std::ffi::OsString;

use clap::Args;

use super::gate::AcpGate;
use crate::errand::ErrandOptions;
use crate::exit::Exit;
use crate::rpc::{process, session};

const AFTER_HELP: &str = "\
Example:
  hallpass acp --policy P.toml --as coder --purpose coding -- gemini --acp

Each time the agent asks the editor for a file or a command it is decided, and made with the arguments that were decided
about: acp:fs/read_text_file, acp:fs/write_text_file, acp:terminal/create, acp:elicitation. What it asks to be permitted
in its own words is acp:permission, which is answered from the policy and binds nothing. A task lasts as long as a prompt's turn,
and commands that run at its end are killed.

What the gate can't see: what the agent does by itself, without its editor. One that reads files and starts programs on its own needs a
sandbox, and one that is handed MCP servers needs `hallpass mcp` before each. Policy, key and log must not be writable by the
user that the agent runs as.

Exit codes: 0 if the editor ended the session, or the command was told to end; 2 if it could not begin or the agent
ended it.";

/// Who asks, for what, under which policy, and which agent is gated.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AcpCommand {
    #[command(flatten)]
    errand: ErrandOptions,
    /// The agent, and its arguments
    #[arg(last = true, required = true, value_name = "AGENT")]
    agent: Vec<OsString>,
}

impl AcpCommand {
    pub(crate) fn run(self) -> Exit {
        let begun = self.errand.begin().and_then(|errand| Ok((errand.open()?, errand)));
        let (first, errand) = match begun {
            Ok(begun) => begun,
            Err(problem) => return Exit::unable(problem),
        };
        let (broker, explains) = (errand.broker.clone(), self.errand.explain);
        // One that all turns share is kept until the broker has closed it.
        let _kept = errand.remembers.then(|| first.clone());
        session::run(&broker, process::start(&self.agent), |to_editor, to_agent| {
            AcpGate::new(errand, first, to_editor, to_agent, explains)
        })
    }
}
