//! Reading the lines of a log from one place to another, in files that this process writes or has verified.

use std::io::{self, BufRead, Read};

use super::disk::Disk;
use super::layout::{Head, name_of, split_line};
use crate::audit::ChainTag;

/// A place between two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The number of the file.
    pub(super) file: u64,
    /// How many bytes of it come before.
    pub(super) offset: u64,
}

impl Position {
    /// Before the first line.
    pub(super) const START: Position = Position { file: 1, offset: 0 };
}

/// Hands over each record from one place to another, with its tag and the place after it.
///
/// # Errors
/// Where the disk fails, and where what stands there is no line of a log.
pub(super) fn follow(
    disk: &dyn Disk,
    from: Position,
    to: Position,
    mut each: impl FnMut(&str, ChainTag, Position) -> io::Result<()>,
) -> io::Result<()> {
    let (mut bytes, mut record) = (Vec::new(), String::new());
    let mut at = from;
    while at.file <= to.file {
        let name = name_of(at.file);
        let left = if at.file == to.file { to.offset.saturating_sub(at.offset) } else { u64::MAX };
        let mut reader = disk.read_from(&name, at.offset)?.take(left);
        loop {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            let is_head = at.offset == 0;
            at.offset += read as u64;
            let line = bytes.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
            let line = line.ok_or_else(|| changed(&name))?;
            if is_head {
                Head::read(line).map_err(|_| changed(&name))?;
                continue;
            }
            let tag = split_line(line, &mut record).ok_or_else(|| changed(&name))?;
            each(&record, tag, at)?;
        }
        if at.file == to.file && at.offset != to.offset {
            return Err(changed(&name));
        }
        at = Position { file: at.file + 1, offset: 0 };
    }
    Ok(())
}

fn changed(name: &str) -> io::Error {
    let what = format!("`{name}` was changed by another process while this one has it");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
