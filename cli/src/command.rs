//! The command line.

use clap::{Parser, Subcommand};

use crate::acp::AcpCommand;
use crate::completions::Completions;
use crate::exit::Exit;
use crate::fleet::FleetCommand;
use crate::log::LogCommand;
use crate::mcp::{McpCommand, PinCommand};
use crate::policy::PolicyCommand;
use crate::serve::ServeCommand;

const EXIT_CODES: &str = "\
Exit codes: 0 if all is well, 1 if something was found or denied, 2 if something was asked for wrongly, or can't
be read or written.";

/// Zero standing privileges for tools: access is asked for at the moment of need, decided by a policy, and gone when
/// the task ends.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, after_help = EXIT_CODES)]
pub(crate) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check policies before they are in force
    Policy(PolicyCommand),
    /// Read a log on file back
    Log(Box<LogCommand>),
    /// Stand between an MCP client and an MCP server, and let through what a policy permits
    Mcp(Box<McpCommand>),
    /// Stand between an editor and a coding agent, and let through what a policy permits
    Acp(Box<AcpCommand>),
    /// Decide for services and proxies that ask over HTTP, by AuthZEN 1.0
    Serve(Box<ServeCommand>),
    /// Stop, let go on and look at a fleet
    Fleet(Box<FleetCommand>),
    /// Write a catalogue from what an MCP server lists
    Pin(PinCommand),
    /// Write completions for a shell
    Completions(Completions),
}

impl Command {
    pub(crate) fn run(self) -> Exit {
        match self.what {
            What::Mcp(command) => command.run(),
            What::Acp(command) => command.run(),
            What::Serve(command) => command.run(),
            What::Fleet(command) => command.run(),
            What::Pin(command) => command.run(),
            What::Policy(command) => command.run(),
            What::Log(command) => command.run(),
            What::Completions(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_two_options_clash_and_each_has_its_help() {
        Command::command().debug_assert();
        let mut commands = vec![Command::command()];
        while let Some(command) = commands.pop() {
            let name = command.get_name().to_owned();
            assert!(command.get_about().is_some(), "{name}");
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                assert!(arg.get_help().is_some(), "{name}: {}", arg.get_id());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
