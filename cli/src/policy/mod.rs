//! `hallpass policy`: policies looked at before they are in force.

mod check;
mod diff;
mod file;
mod fmt;
mod lint;
mod question;
mod report;
mod schema;
mod test;
mod what_can;
mod who_can;
mod why;

use clap::{Args, Subcommand};

use self::check::Check;
use self::diff::Diff;
pub(crate) use self::file::{load, text_of};
use self::fmt::Fmt;
use self::lint::Lint;
use self::schema::Schema;
use self::test::Test;
use self::what_can::WhatCan;
use self::who_can::WhoCan;
use self::why::Why;
use crate::exit::Exit;

/// A subcommand of `hallpass policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say whether policies load, and if not, where the mistake is and how to mend it
    Check(Check),
    /// Say what policies that load were probably not meant to say
    Lint(Lint),
    /// Lay out policies, and keep their comments
    Fmt(Fmt),
    /// Say what one policy permits and another does not, each with a call that shows it
    Diff(Diff),
    /// Write a JSON Schema of the policy file, for editors
    Schema(Schema),
    /// Run the tests of a policy, and say which rules and conditions they look at and which changes they would not notice
    Test(Test),
    /// Say what somebody may call, with the constraints that are left over
    WhatCan(WhatCan),
    /// Say who of a list may make a call, or use a tool
    WhoCan(WhoCan),
    /// Say what the rules make of a call, and the smallest changes after which they would permit it
    Why(Why),
}

impl PolicyCommand {
    pub(crate) fn run(self) -> Exit {
        match self.what {
            What::Check(command) => command.run(),
            What::Lint(command) => command.run(),
            What::Fmt(command) => command.run(),
            What::Diff(command) => command.run(),
            What::Schema(command) => command.run(),
            What::Test(command) => command.run(),
            What::WhatCan(command) => command.run(),
            What::WhoCan(command) => command.run(),
            What::Why(command) => command.run(),
        }
    }
}
