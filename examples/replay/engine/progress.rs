//! How far a long trace is.

use std::io::{self, Write};

/// Shorter traces are done before anyone reads a bar.
const LONG: u64 = 1 << 20;
const WIDTH: usize = 40;

/// A bar on a terminal, drawn anew each time another hundredth is done.
pub(crate) struct Progress {
    length: Option<u64>,
    shown: Option<u64>,
}

impl Progress {
    /// A bar for so many bytes, if it is `wanted` and they are many.
    pub(crate) fn of(length: u64, wanted: bool) -> Self {
        Progress { length: (wanted && length >= LONG).then_some(length), shown: None }
    }

    /// # Errors
    /// If the terminal takes nothing.
    pub(crate) fn at(&mut self, read: u64, terminal: &mut dyn Write) -> io::Result<()> {
        let Some(length) = self.length else {
            return Ok(());
        };
        let percent = (read.saturating_mul(100) / length).min(100);
        if self.shown == Some(percent) {
            return Ok(());
        }
        self.shown = Some(percent);
        let filled = WIDTH * percent as usize / 100;
        write!(terminal, "\r[{:<WIDTH$}] {percent:3}%", "#".repeat(filled))?;
        terminal.flush()
    }

    /// Takes the bar away.
    ///
    /// # Errors
    /// If the terminal takes nothing.
    pub(crate) fn done(&mut self, terminal: &mut dyn Write) -> io::Result<()> {
        if self.shown.take().is_some() {
            write!(terminal, "\r{:width$}\r", "", width = WIDTH + 7)?;
        }
        Ok(())
    }
}
