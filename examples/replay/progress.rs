//! How far a long trace is.

use std::cell::RefCell;
use std::io::{self, Read, Write};

/// Shorter traces are done before anyone reads a bar.
const LONG: u64 = 1 << 20;
const WIDTH: usize = 40;

/// What is told to people, by the replay and by the bar.
pub(crate) type Remarks<'w> = RefCell<&'w mut dyn Write>;

/// The replay's part in the remarks.
pub(crate) struct Remarking<'r, 'w>(pub(crate) &'r Remarks<'w>);

impl Write for Remarking<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Reads a trace, and draws a bar on a terminal anew each time another hundredth is read.
pub(crate) struct Progress<'r, 'w, R> {
    reader: R,
    terminal: &'r Remarks<'w>,
    length: Option<u64>,
    read: u64,
    shown: Option<u64>,
}

impl<'r, 'w, R> Progress<'r, 'w, R> {
    /// With a bar for this many bytes, if it is `wanted` and they are many.
    pub(crate) fn of(reader: R, length: u64, wanted: bool, terminal: &'r Remarks<'w>) -> Self {
        let length = (wanted && length >= LONG).then_some(length);
        Progress { reader, terminal, length, read: 0, shown: None }
    }

    fn show(&mut self) -> io::Result<()> {
        let Some(length) = self.length else { return Ok(()) };
        let percent = (self.read.saturating_mul(100) / length).min(100);
        if self.shown == Some(percent) {
            return Ok(());
        }
        self.shown = Some(percent);
        let filled = WIDTH * percent as usize / 100;
        let mut terminal = self.terminal.borrow_mut();
        write!(terminal, "\r[{:<WIDTH$}] {percent:3}%", "#".repeat(filled))?;
        terminal.flush()
    }

    fn take_away(&mut self) -> io::Result<()> {
        match self.shown.take() {
            Some(_) => write!(self.terminal.borrow_mut(), "\r{:width$}\r", "", width = WIDTH + 7),
            None => Ok(()),
        }
    }
}

impl<R: Read> Read for Progress<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.read += read as u64;
        if read == 0 {
            self.take_away()?
        } else {
            self.show()?
        }
        Ok(read)
    }
}
