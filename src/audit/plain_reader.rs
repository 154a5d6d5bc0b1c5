//! Reading the values next to the records of a log on file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::value::Value;

/// Longer lines are none that a log writes.
const LONGEST: u64 = 1 << 20;

/// The first record of a file of values.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let name = name.strip_prefix("plain-")?.strip_suffix(".jsonl")?;
    name.trim_end_matches('+').parse().ok()
}

/// Reads the lines next to the records of a log on file, in the order of the records.
///
/// Values that were erased are not there: whole files, lines, or members of a line's `plain` may have been taken out.
pub struct PlainReader {
    folder: PathBuf,
    /// The names that are left to read, the first last.
    files: Vec<String>,
    file: Option<BufReader<File>>,
    next: Option<(u64, String)>,
}

impl PlainReader {
    /// Reads those of the log in this folder.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref().to_owned();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder)? {
            // A name that is not text is not one of the log's.
            let name = entry?.file_name().into_string().ok();
            files.extend(name.and_then(|name| Some((number_of(&name)?, name.len(), name))));
        }
        files.sort_unstable();
        let files = files.into_iter().rev().map(|(_, _, name)| name).collect();
        Ok(PlainReader { folder, files, file: None, next: None })
    }

    /// The line next to the record of this number, for [`Plain::open`](crate::audit::Plain::open): records are asked about
    /// in their order.
    ///
    /// # Errors
    /// If a file can't be read.
    pub fn line(&mut self, seq: u64) -> io::Result<Option<String>> {
        let mut found = None;
        loop {
            match self.next.take() {
                Some((own, line)) if own == seq => found = Some(line),
                Some((own, line)) if own > seq => {
                    self.next = Some((own, line));
                    return Ok(found);
                }
                _ => {}
            }
            self.next = self.read()?;
            if self.next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The next line that can be read: an incomplete one is what a crash left.
    fn read(&mut self) -> io::Result<Option<(u64, String)>> {
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                none => {
                    let Some(name) = self.files.pop() else { return Ok(None) };
                    none.insert(BufReader::new(File::open(self.folder.join(name))?))
                }
            };
            let mut bytes = Vec::new();
            if file.take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
                self.file = None;
                continue;
            }
            let line = String::from_utf8(bytes).ok().filter(|line| line.ends_with('\n'));
            if let Some(numbered) = line.and_then(|line| Some((seq_of(&line)?, line))) {
                return Ok(Some(numbered));
            }
        }
    }
}

/// The number of the record that a line is next to. Who has erased a value may have written its members in another order.
fn seq_of(line: &str) -> Option<u64> {
    let first =
        line.strip_prefix(r#"{"seq":"#).and_then(|rest| rest.split(',').next()?.parse().ok());
    first.or_else(|| match Value::from_json(line).ok()?.as_object()?.get("seq")? {
        Value::Number(number) => number.to_u64(),
        _ => None,
    })
}

impl std::fmt::Debug for PlainReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainReader").field("folder", &self.folder).finish_non_exhaustive()
    }
}
