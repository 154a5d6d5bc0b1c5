//! The lines of a trace, read one at a time: a trace may be longer than memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use hallpass::value::{MAX_TEXT, Value};

use super::Stop;

pub(crate) struct Trace {
    name: String,
    reader: BufReader<File>,
    length: u64,
    read: u64,
    number: usize,
    line: Vec<u8>,
}

impl Trace {
    /// # Errors
    /// [`Stop::Input`] if the file can't be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, Stop> {
        let name = path.display().to_string();
        let failed = |error| Stop::Input(format!("{name}: can't be read: {error}"));
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let reader = BufReader::with_capacity(1 << 16, file);
        Ok(Trace { name, reader, length, read: 0, number: 0, line: Vec::new() })
    }

    /// The next line that is not blank, and its number, counted from 1.
    ///
    /// # Errors
    /// [`Stop::Input`] if the file can't be read, or the line is no JSON.
    pub(crate) fn next_line(&mut self) -> Result<Option<(usize, Value)>, Stop> {
        loop {
            self.line.clear();
            // One byte more than a line may have and its end: enough to see that it has more.
            let most = MAX_TEXT as u64 + 2;
            let read = (&mut self.reader).take(most).read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| Stop::Input(format!("{}: {error}", self.name)))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.read += read as u64;
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

    /// The stop for what can't be meant in a line.
    pub(crate) fn misread(&self, number: usize, problem: &str) -> Stop {
        Stop::Input(format!("{}:{number}: {problem}", self.name))
    }

    /// In bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// In bytes.
    pub(crate) fn read_so_far(&self) -> u64 {
        self.read
    }
}
