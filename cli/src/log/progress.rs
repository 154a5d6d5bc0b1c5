//! How far a long log is read: on standard error, if that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Shorter logs are read before anyone looks.
const LONG: u64 = 16 << 20;

#[derive(Debug)]
pub(super) struct Progress {
    /// How many bytes there are; nothing where nothing is to be shown.
    total: Option<u64>,
    shown: Option<u64>,
}

impl Progress {
    pub(super) fn of(folder: &Path) -> Self {
        let total = io::stderr().is_terminal().then(|| bytes_of(folder));
        Progress { total: total.filter(|total| *total >= LONG), shown: None }
    }

    pub(super) fn show(&mut self, bytes: u64) {
        let Some(total) = self.total else { return };
        let percent = (bytes.saturating_mul(100) / total.max(1)).min(100);
        if self.shown != Some(percent) {
            self.shown = Some(percent);
            // What can't be shown does not stop it.
            let _ = write!(io::stderr(), "\rreading: {percent:3}%");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r{:16}\r", "");
        }
    }
}

fn bytes_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("log-") && name.ends_with(".jsonl"))
    });
    logs.filter_map(|entry| entry.metadata().ok()).map(|own| own.len()).sum()
}
