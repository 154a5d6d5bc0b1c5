//! `hallpass log receipt` and `hallpass log check-receipt`: a record that is shown to somebody who does not have the log.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::audit::{
    CheckpointError, Event, FileLog, OpenError, Receipt, ReceiptFailure, VerifierKey, WitnessPolicy,
};
use serde_json::{Value, json};

use super::style::{Style, plain};
use crate::exit::Exit;
use crate::json_line::write_json;

/// Which record.
#[derive(Debug, Args)]
pub(super) struct ReceiptCommand {
    /// The log: its folder
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The public key of the log's checkpoints, NAME+ID+KEY
    #[arg(long, value_name = "KEY")]
    log_vkey: VerifierKey,
    /// The number of the record
    #[arg(long, value_name = "N", required_unless_present = "task")]
    record: Option<u64>,
    /// The record that closed the last task of this name, instead: that it is settled, or its end if that left nothing
    #[arg(long, value_name = "TASK", conflicts_with = "record")]
    task: Option<String>,
    /// Write the receipt to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ReceiptCommand {
    pub(super) fn run(self) -> Exit {
        let receipt = match self.receipt() {
            Ok(receipt) => receipt.to_string(),
            Err(exit) => return exit,
        };
        let written = match &self.out {
            Some(file) => std::fs::write(file, receipt),
            None => io::stdout().lock().write_all(receipt.as_bytes()),
        };
        Exit::of_report(written.map(|()| Exit::Fine))
    }

    fn receipt(&self) -> Result<Receipt, Exit> {
        let unable =
            |problem: &dyn Display| Exit::unable(format_args!("{}: {problem}", self.log.display()));
        let seq = match (&self.task, self.record) {
            (_, Some(seq)) => seq,
            (task, None) => {
                let task = task.as_deref().unwrap_or_default();
                let name = task.escape_debug();
                match closed(&self.log, task).map_err(|error| unable(&error))? {
                    Closed::By(seq) => seq,
                    Closed::No => {
                        return Err(unable(&format_args!("no task `{name}` has ended")));
                    }
                    Closed::NotYet => {
                        return Err(unable(&format_args!(
                            "task `{name}` has ended and is not settled: a call of it runs, or what was minted for \
                             it is owed"
                        )));
                    }
                }
            }
        };
        let receipts = FileLog::receipts(&self.log, &self.log_vkey, &[seq]);
        match receipts.map(|receipts| receipts.into_iter().next()) {
            Ok(Some(receipt)) => Ok(receipt),
            Ok(None) => Err(unable(&"no receipt was made")),
            Err(error @ (ReceiptFailure::NoProof { .. } | ReceiptFailure::Checkpoint(_))) => {
                unable(&error);
                Err(Exit::Findings)
            }
            Err(error) => Err(unable(&error)),
        }
    }
}

/// What closed the last task of a name.
enum Closed {
    No,
    /// It has ended, and something of it is left.
    NotYet,
    By(u64),
}

fn closed(log: &Path, name: &str) -> Result<Closed, OpenError> {
    let (mut last, mut closed) = (None, Closed::No);
    FileLog::read_unverified(log, |record, _| match &record.event {
        Event::Ended { task, generation, unsettled, .. } if task == name => {
            last = Some(*generation);
            closed = if *unsettled { Closed::NotYet } else { Closed::By(record.seq) };
        }
        Event::Settled(settled) if Some(settled.generation) == last => {
            closed = Closed::By(record.seq);
        }
        _ => {}
    })?;
    Ok(closed)
}

/// Which receipt is looked at.
#[derive(Debug, Args)]
pub(super) struct CheckReceipt {
    /// The receipt
    #[arg(value_name = "FILE")]
    receipt: PathBuf,
    /// The public key of the log's checkpoints, NAME+ID+KEY: from its owner, not from the receipt
    #[arg(long, value_name = "KEY")]
    log_vkey: VerifierKey,
    /// Which witnesses count, and how many of them are enough
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

impl CheckReceipt {
    pub(super) fn run(self) -> Exit {
        let policy = match self.witness_policy.as_deref().map(read_policy).transpose() {
            Ok(policy) => policy,
            Err(problem) => return Exit::unable(problem),
        };
        let name = self.receipt.display();
        let text = match std::fs::read_to_string(&self.receipt) {
            Ok(text) => text,
            Err(error) => return Exit::unable(format_args!("{name}: {error}")),
        };
        let (answer, exit) = match Receipt::verify(&text, &self.log_vkey) {
            Ok(receipt) => self.told(&receipt, policy.as_ref()),
            Err(error) => (Err(error.to_string()), Exit::Findings),
        };
        let mut out = io::stdout().lock();
        let said = match (&answer, self.json) {
            (Ok((object, _)), true) => write_json(&mut out, object),
            (Ok((_, text)), false) => write!(out, "{text}"),
            (Err(fault), true) => write_json(&mut out, &json!({ "proved": false, "fault": fault })),
            (Err(fault), false) => {
                writeln!(out, "{}: {fault}", Style::of_output().bad("proved    NO"))
            }
        };
        Exit::of_report(said.map(|()| exit))
    }

    fn told(
        &self,
        receipt: &Receipt,
        policy: Option<&WitnessPolicy>,
    ) -> (Result<(Value, String), String>, Exit) {
        let style = Style::of_output();
        let checkpoint = receipt.checkpoint().checkpoint();
        let (seq, size) = (receipt.record().seq, checkpoint.size);
        let (origin, good) = (plain(&checkpoint.origin), style.good("proved    yes"));
        let mut text =
            format!("{good}: record {seq} of the log {origin}, by a checkpoint over {size}\n");
        let mut object = json!({
            "proved": true, "seq": seq, "origin": checkpoint.origin, "size": size,
            "record": serde_json::from_str::<Value>(receipt.line()).ok(),
        });
        let mut exit = Exit::Fine;
        if let Some(policy) = policy {
            let witnesses = match Witnesses::of(policy, receipt.checkpoint()) {
                Ok(witnesses) => witnesses,
                Err(error) => return (Err(error.to_string()), Exit::Findings),
            };
            if !witnesses.are_enough() {
                exit = Exit::Findings;
            }
            text += &witnesses.text(style);
            if let Value::Object(members) = &mut object {
                members.insert("witnessed".to_owned(), witnesses.object());
            }
        }
        text += &format!("record    {}\n", plain(receipt.line()));
        (Ok((object, text)), exit)
    }
}

/// Who has seen a checkpoint.
#[derive(Debug)]
pub(super) struct Witnesses(hallpass::audit::Witnessed);

impl Witnesses {
    pub(super) fn of(
        policy: &WitnessPolicy,
        checkpoint: &hallpass::audit::SignedCheckpoint,
    ) -> Result<Self, CheckpointError> {
        policy.witnessed(checkpoint).map(Witnesses)
    }

    pub(super) fn are_enough(&self) -> bool {
        self.0.is_quorum
    }

    pub(super) fn text(&self, style: Style) -> String {
        let by: Vec<_> =
            self.0.by.iter().map(|(name, at)| format!("{} at {at}", plain(name))).collect();
        let by = if by.is_empty() { "by none".to_owned() } else { format!("by {}", by.join(", ")) };
        match self.0.is_quorum {
            true => format!("{}: {by}\n", style.good("witnessed yes")),
            false => format!("{}: {by}, which is not enough\n", style.bad("witnessed NO")),
        }
    }

    pub(super) fn object(&self) -> Value {
        let by = self.0.by.iter();
        let by: Vec<_> =
            by.map(|(name, at)| json!({ "name": name, "at": at.to_string() })).collect();
        json!({ "quorum": self.0.is_quorum, "by": by, "since": self.0.since.map(|at| at.to_string()) })
    }
}

/// Reads a policy of witnesses.
///
/// # Errors
/// What is wrong with which file.
pub(super) fn read_policy(file: &Path) -> Result<WitnessPolicy, String> {
    let named = |problem: &dyn Display| format!("{}: {problem}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    text.parse().map_err(|error| named(&error))
}
