//! Reading the files of a log in their order, line by line.

use std::io::{self, BufRead, Read};

use super::disk::Disk;
use super::layout::{Head, name_of, number_of, split_line};
use super::open_error::OpenError;
use crate::audit::{ChainTag, Fault};

/// A longer line is not a record: what a record holds is bounded where it is made.
pub(super) const LONGEST: u64 = 64 << 20;

/// Where the files of a log end.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The number of the last file; 0 if there is none.
    pub(super) file: u64,
    /// How many bytes of that are whole lines.
    pub(super) length: u64,
    /// How many bytes after that are an incomplete line.
    pub(super) torn: u64,
    /// The time of its first record.
    pub(super) began: Option<u64>,
    /// How many bytes the files before it have.
    pub(super) before: u64,
    /// The line of the last record of all files.
    pub(super) line: String,
}

/// What is told what the files say, in their order.
pub(super) trait Visitor {
    /// What a file begins with; in words if that is not what comes next.
    fn head(&mut self, head: &Head) -> Result<(), String>;

    /// A record's line, and its tag.
    fn record(&mut self, line: &str, tag: ChainTag) -> Result<(), Fault>;
}

/// Goes through all lines.
pub(super) fn walk(disk: &dyn Disk, visitor: &mut impl Visitor) -> Result<End, OpenError> {
    let mut files: Vec<u64> = disk
        .names()
        .map_err(|error| OpenError::io("the folder", error))?
        .iter()
        .filter_map(|name| number_of(name))
        .collect();
    files.sort_unstable();
    let mut end = End::default();
    for (at, file) in files.iter().enumerate() {
        if *file != end.file + 1 {
            return Err(OpenError::Missing { file: name_of(end.file + 1) });
        }
        let is_last = at + 1 == files.len();
        end = read_file(disk, *file, is_last, end, visitor)?;
    }
    Ok(end)
}

fn read_file(
    disk: &dyn Disk,
    file: u64,
    is_last: bool,
    before: End,
    visitor: &mut impl Visitor,
) -> Result<End, OpenError> {
    let name = name_of(file);
    let failed = |error| OpenError::io(&name, error);
    let mut reader = disk.read(&name).map_err(failed)?;
    // The buffer of lines goes from file to file, so that the last one is in it, wherever it stands.
    let text = before.line;
    let before = before.before + before.length;
    let mut end = End { file, before, length: 0, torn: 0, began: None, line: text };
    let (mut bytes, mut line) = (Vec::new(), 0);
    loop {
        line += 1;
        let malformed = |what: String| OpenError::Line { file: name.clone(), line, what };
        bytes.clear();
        let read = (&mut *reader).take(LONGEST).read_until(b'\n', &mut bytes).map_err(failed)?;
        if read == 0 {
            break;
        }
        if bytes.pop() != Some(b'\n') {
            if !is_last || read as u64 == LONGEST {
                return Err(malformed("has no end".into()));
            }
            end.torn = read as u64;
            break;
        }
        let whole = std::str::from_utf8(&bytes).map_err(|_| malformed("is not UTF-8".into()))?;
        if line == 1 {
            let begins = Head::read(whole).map_err(malformed)?;
            if begins.file != file {
                return Err(malformed(format!("is that of file {}", begins.file)));
            }
            visitor.head(&begins).map_err(malformed)?;
        } else {
            let tag = split_line(whole, &mut end.line)
                .ok_or_else(|| malformed("does not end in a tag".into()))?;
            visitor.record(&end.line, tag).map_err(|fault| OpenError::Fault {
                file: name.clone(),
                line,
                fault,
            })?;
            if line == 2 {
                end.began = super::layout::time_of(&end.line);
            }
        }
        end.length += read as u64;
    }
    if end.length == 0 && !is_last {
        return Err(OpenError::Line { file: name, line: 1, what: "is missing".into() });
    }
    Ok(end)
}

/// The bytes of a file from `start` on.
pub(super) fn rest_of(disk: &dyn Disk, name: &str, start: u64) -> io::Result<Vec<u8>> {
    let mut reader = disk.read(name)?;
    io::copy(&mut (&mut *reader).take(start), &mut io::sink())?;
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest)?;
    Ok(rest)
}
