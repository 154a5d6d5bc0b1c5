//! The lines of a trace, read one at a time: a trace may be longer than memory.

use std::io::{self, BufRead, Read};

use super::unreadable;
use crate::value::{MAX_TEXT, Value};

pub(crate) struct Trace<'t, R> {
    name: &'t str,
    reader: R,
    number: usize,
    line: Vec<u8>,
}

impl<'t, R: BufRead> Trace<'t, R> {
    pub(crate) fn new(name: &'t str, reader: R) -> Self {
        Trace { name, reader, number: 0, line: Vec::new() }
    }

    /// The next line that is not blank, and its number, counted from 1.
    ///
    /// # Errors
    /// If it can't be read, or is not JSON.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<(usize, Value)>> {
        loop {
            self.line.clear();
            // One byte more than a line may have and its end: enough to see that it has more.
            let most = MAX_TEXT as u64 + 2;
            let read = (&mut self.reader).take(most).read_until(b'\n', &mut self.line);
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.name));
            if read.map_err(named)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            return match Value::from_json_bytes(line) {
                Ok(value) => Ok(Some((self.number, value))),
                Err(error) => {
                    let problem = format!("column {}: {}", error.column(), error.kind());
                    Err(self.misread(self.number, &problem))
                }
            };
        }
    }

    /// The error for what can't be meant in a line.
    pub(crate) fn misread(&self, number: usize, problem: &str) -> io::Error {
        unreadable(format!("{}:{number}: {problem}", self.name))
    }
}
