//! The command `hallpass`.
//!
//! One folder for each subcommand. What a subcommand reports goes to standard output, what keeps it from doing its
//! work to standard error, and its [`Exit`](exit::Exit) says which of the two it was.
#![forbid(unsafe_code)]

mod acp;
mod command;
mod completions;
mod errand;
mod exit;
mod facts;
mod fleet;
mod json_line;
mod kept_log;
mod key_file;
mod log;
mod mcp;
mod policy;
mod remark;
mod rpc;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    command::Command::parse().run().into()
}
