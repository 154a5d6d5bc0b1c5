//! The log that a broker of this command keeps, and how long its records last.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::key::LogKeys;
use hallpass::{Broker, BrokerBuilder};

use crate::key_file::read_key;

/// Where a log is kept, if it is.
#[derive(Debug, Args)]
pub(crate) struct KeptLog {
    /// Keep a log in this folder, which is created if it is absent
    #[arg(long, value_name = "FOLDER", requires = "key_file")]
    log: Option<PathBuf>,
    /// The key of the log: 32 bytes or more as base64url text
    #[arg(long, value_name = "FILE", requires = "log")]
    key_file: Option<PathBuf>,
    /// What a record of the log outlives
    #[arg(long, value_enum, default_value_t = Outlives::Process, requires = "log")]
    durability: Outlives,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outlives {
    /// Nothing: the fastest
    Nothing,
    /// The process, however it ends
    Process,
    /// The machine: the slowest
    Machine,
}

impl KeptLog {
    /// The folder, if a log is kept.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.log.as_deref()
    }

    /// Builds a broker of this issuer that keeps this log, or none.
    ///
    /// # Errors
    /// What is wrong with the log, its key or the broker.
    pub(crate) fn build(&self, issuer: &str, builder: BrokerBuilder) -> Result<Broker, String> {
        let builder = builder.issuer(issuer);
        let (Some(log), Some(key)) = (&self.log, &self.key_file) else {
            return builder.build().map_err(|error| error.to_string());
        };
        let (file, keys) = (open(log, &read_key(key)?, issuer, self.durability)?, read_key(key)?);
        builder.log_keys(keys).resume_from(&file).build().map_err(|error| error.to_string())
    }
}

/// Opens the log of a broker with the default audience.
fn open(
    folder: &Path,
    keys: &LogKeys,
    issuer: &str,
    outlives: Outlives,
) -> Result<FileLog, String> {
    let durability = match outlives {
        Outlives::Nothing => Durability::Buffered,
        Outlives::Process => Durability::Flushed,
        Outlives::Machine => Durability::Synced,
    };
    let options = FileLog::options(durability, WhenFull::Owe);
    let log = options.open(folder, keys, &Origin::new(issuer, "hallpass"));
    log.map_err(|error| format!("{}: {error}", folder.display()))
}
