//! What public keys show of a log: whether it is what its checkpoints have seen.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::audit::{FileLog, OpenError, PublicExamination, SignedCheckpoint, VerifierKey};
use serde_json::{Value, json};

use super::receipt::{Witnesses, read_policy};
use super::style::Style;

/// The keys, and the checkpoints that were kept elsewhere.
#[derive(Clone, Debug, Args)]
pub(super) struct PublicKeys {
    /// The public key of the log's checkpoints, NAME+ID+KEY: from its owner, not from the log's folder
    #[arg(long, value_name = "KEY")]
    log_vkey: Option<VerifierKey>,
    /// A checkpoint of the log that was kept elsewhere; again for each
    #[arg(long, value_name = "FILE", requires = "log_vkey")]
    checkpoint: Vec<PathBuf>,
    /// Which witnesses count, and how many of them are enough: those of the last checkpoint are looked at
    #[arg(long, value_name = "FILE", requires = "log_vkey")]
    witness_policy: Option<PathBuf>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum PublicRead {
    /// The log is what its checkpoints have seen, as far as these go.
    Compared(Box<PublicExamination>, Option<Witnesses>),
    /// It is another.
    Broken(OpenError),
}

impl PublicKeys {
    /// Compares the log in a folder; nothing without a key.
    ///
    /// # Errors
    /// What can't be read, in words.
    pub(super) fn examine(&self, folder: &Path) -> Result<Option<PublicRead>, String> {
        let Some(key) = &self.log_vkey else { return Ok(None) };
        let mut seen = Vec::new();
        for file in &self.checkpoint {
            let named = |problem: &dyn std::fmt::Display| format!("{}: {problem}", file.display());
            let note = std::fs::read_to_string(file).map_err(|error| named(&error))?;
            seen.push(SignedCheckpoint::verify(&note, key).map_err(|error| named(&error))?);
        }
        match FileLog::examine_public(folder, key, &seen, |_, _| {}) {
            Ok(found) => {
                let witnesses = self.witnesses(&found)?;
                Ok(Some(PublicRead::Compared(Box::new(found), witnesses)))
            }
            Err(error @ OpenError::Io { .. }) => Err(format!("{}: {error}", folder.display())),
            Err(error) => Ok(Some(PublicRead::Broken(error))),
        }
    }

    fn witnesses(&self, found: &PublicExamination) -> Result<Option<Witnesses>, String> {
        let Some(file) = &self.witness_policy else { return Ok(None) };
        let policy = read_policy(file)?;
        let Some(checkpoint) = &found.checkpoint else { return Ok(None) };
        let witnesses = Witnesses::of(&policy, checkpoint);
        witnesses.map(Some).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Whether checkpoints were given that the log's keeper can't have taken back.
    fn has_seen(&self) -> bool {
        !self.checkpoint.is_empty()
    }
}

impl PublicRead {
    /// Whether something of the log is shown to be as it was written, and nothing to be another.
    pub(super) fn is_intact(&self) -> Option<bool> {
        match self {
            PublicRead::Compared(_, Some(witnesses)) if !witnesses.are_enough() => Some(false),
            PublicRead::Compared(found, _) => found.checkpoint.as_ref().map(|_| true),
            PublicRead::Broken(_) => Some(false),
        }
    }

    pub(super) fn tell(
        &self,
        out: &mut impl Write,
        style: Style,
        keys: &PublicKeys,
    ) -> io::Result<()> {
        let (found, witnesses) = match self {
            PublicRead::Broken(error) => {
                return writeln!(out, "{}: {error}", style.bad("covered   NO"));
            }
            PublicRead::Compared(found, witnesses) => (found, witnesses),
        };
        let Some(checkpoint) = &found.checkpoint else {
            let doubt = style.doubtful("covered   not known");
            return writeln!(out, "{doubt}: there is no checkpoint of the log");
        };
        let (covered, size) = (found.covered, checkpoint.size());
        let good = style.good("covered   yes");
        writeln!(
            out,
            "{good}: records 1 to {covered}, each as a checkpoint over {size} has seen it"
        )?;
        if found.last > covered {
            writeln!(out, "          not yet: {} to {}", covered + 1, found.last)?;
        }
        if !keys.has_seen() {
            let what = "the checkpoint lies with the log: an older one would hide that the end was cut off";
            writeln!(out, "          {what} (--checkpoint)")?;
        }
        match witnesses {
            Some(witnesses) => write!(out, "{}", witnesses.text(style)),
            None => Ok(()),
        }
    }

    pub(super) fn object(&self) -> Value {
        match self {
            PublicRead::Broken(error) => json!({ "intact": false, "fault": error.to_string() }),
            PublicRead::Compared(found, witnesses) => {
                let checkpoint = found.checkpoint.as_ref().map(SignedCheckpoint::checkpoint);
                json!({
                    "intact": self.is_intact(),
                    "covered": found.covered,
                    "witnessed": witnesses.as_ref().map(Witnesses::object),
                    "last": found.last,
                    "origin": checkpoint.map(|own| &own.origin),
                    "size": checkpoint.map(|own| own.size),
                    "root": checkpoint.map(|own| own.root.to_string()),
                })
            }
        }
    }
}
