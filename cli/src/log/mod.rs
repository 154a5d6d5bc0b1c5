//! `hallpass log`: a log on file, read back.

mod explain;
mod export;
mod progress;
mod public;
mod receipt;
mod replay;
mod review;
mod source;
mod style;
mod suggest;
mod timeline;
mod values;
mod verify;
mod watch;

use clap::{Args, Subcommand};

use self::explain::Explain;
use self::export::Export;
use self::receipt::{CheckReceipt, ReceiptCommand};
use self::replay::ReplayCommand;
use self::review::ReviewCommand;
use self::timeline::Timeline;
use self::verify::Verify;
use self::watch::Watch;
use crate::exit::Exit;

const KEYS: &str = "\
A key file has 32 bytes or more as base64url text. A log whose key has changed needs each: give the newest first.
With the key, all that is told has verified; without it, nothing shows that it is what was written, and that is said.";

/// A subcommand of `hallpass log`.
#[derive(Debug, Args)]
#[command(after_help = KEYS)]
pub(crate) struct LogCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say whether a log is the one that was written, all of it, and lawful
    Verify(Verify),
    /// Write a receipt of a record: a proof, for who does not have the log, that it had the record
    Receipt(ReceiptCommand),
    /// Say whether a receipt shows what it says, by public keys alone
    CheckReceipt(CheckReceipt),
    /// Tell the story of a task: who asked, for whom, why, by which rule, who agreed, what ran, what ended it
    Explain(Explain),
    /// Write all records in a form that other systems collect
    Export(Export),
    /// Decide again what rules decided of calls and requests, under their own policy or another, and name what differs
    Replay(ReplayCommand),
    /// Set what was granted against what was used, by identity, tool and rule
    Review(ReviewCommand),
    /// Draw a task as one web page that needs nothing else: what access was live when, and when it was used
    Timeline(Timeline),
    /// Show who holds what now and who waits for whom, while the log is written
    Watch(Watch),
}

impl LogCommand {
    pub(crate) fn run(self) -> Exit {
        match self.what {
            What::Verify(command) => command.run(),
            What::Receipt(command) => command.run(),
            What::CheckReceipt(command) => command.run(),
            What::Explain(command) => command.run(),
            What::Export(command) => command.run(),
            What::Replay(command) => command.run(),
            What::Review(command) => command.run(),
            What::Timeline(command) => command.run(),
            What::Watch(command) => command.run(),
        }
    }
}
