//! What was received of security events, on file: a line for each thing that is to be known again after a restart.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use hallpass::clock::Timestamp;
use hallpass::value::Value;

use crate::event::EventKind;
use crate::revocations::Revocations;
use crate::seen::Seen;

/// The most bytes of a file: some times what it can hold.
const LONGEST: u64 = 256 << 20;

/// How many lines are added before the file is written anew, without what is forgotten.
const MOST_ADDED: usize = 65_536;

/// What is to be known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A token of this id was issued then.
    Token(String, Timestamp),
    /// The latest event of a kind about a subject; without a kind, the latest that has restated it.
    Event(String, Option<EventKind>, Timestamp),
    /// Tokens of this subject that were issued until then are refused.
    Revoked(String, Timestamp),
    /// What happened before may have been followed by what was forgotten.
    Forgotten(Timestamp),
}

/// Why what was received can't be kept on file, or can't be read back.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct MemoryError {
    path: String,
    why: String,
}

/// The file, of one receiver.
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    /// Where the next lines go; none after a write that failed, of which a part may be there.
    file: Option<File>,
    /// Which file was written last.
    own: Option<Which>,
    added: usize,
    revocations: Option<Revocations>,
}

impl Memory {
    /// Reads what a file has into `seen` and `revocations`, and writes it anew; one that is not there is begun.
    ///
    /// # Errors
    /// [`MemoryError`] of what can't be read or written, and of a line that says nothing that is known: what it was may have kept an event
    /// from being taken twice.
    pub(crate) fn open(
        path: &Path,
        seen: &mut Seen,
        revocations: Option<&Revocations>,
    ) -> Result<Self, MemoryError> {
        let failed = |why: String| MemoryError { path: path.display().to_string(), why };
        let bytes = read(path).map_err(|error| failed(error.to_string()))?;
        // What has no end was being written when the process ended, and was not answered. It may end within a character.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
        let whole = std::str::from_utf8(bytes.get(..end).unwrap_or_default())
            .map_err(|error| failed(error.to_string()))?;
        for (at, line) in whole.lines().enumerate() {
            let at = at + 1;
            let fact =
                Fact::read(line).ok_or_else(|| failed(format!("line {at} can't be read")))?;
            seen.learn(&fact);
            if let Fact::Revoked(name, until) = &fact
                && !revocations.is_some_and(|own| own.revoke(name, *until))
            {
                let why = "a subject was revoked, and the receiver has no `Revocations` that could remember it";
                return Err(failed(format!("line {at}: {why}")));
            }
        }
        let (path, revocations) = (path.to_owned(), revocations.cloned());
        let mut memory = Memory { path, file: None, own: None, added: 0, revocations };
        match memory.rewrite(seen) {
            Ok(()) => Ok(memory),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Keeps these, and returns once they outlive the machine. `seen` has them already.
    pub(crate) fn keep(&mut self, facts: &[Fact], seen: &Seen) -> io::Result<()> {
        self.added = self.added.saturating_add(facts.len());
        let Some(file) = self.file.as_mut().filter(|_| self.added <= MOST_ADDED) else {
            return self.rewrite(seen);
        };
        let text: String = facts.iter().map(Fact::line).collect();
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            self.file = None;
        }
        written.and_then(|()| self.check())
    }

    /// Whether the file is still the one that was written here. What stands in one that has no name any more is read by none.
    fn check(&self) -> io::Result<()> {
        let Some(own) = self.own else { return Ok(()) };
        if which(&fs::metadata(&self.path)?) == Some(own) {
            return Ok(());
        }
        let path = self.path.display();
        Err(io::Error::other(format!(
            "`{path}` is another file than was written here: give each receiver a file of its own, and start this one anew"
        )))
    }

    /// Writes all there is to another file, and puts that in the place of this one: whole, or not at all.
    fn rewrite(&mut self, seen: &Seen) -> io::Result<()> {
        self.check()?;
        self.file = None;
        let revoked = self.revocations.iter().flat_map(Revocations::all);
        let revoked = revoked.map(|(name, at)| Fact::Revoked(name, at));
        let text: String = seen.facts().chain(revoked).map(|fact| fact.line()).collect();
        let mut other = self.path.clone().into_os_string();
        other.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&other)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&other, &self.path)?;
        self.own = which(&file.metadata()?);
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            let is_here = folder.as_os_str().is_empty();
            File::open(if is_here { Path::new(".") } else { folder })?.sync_all()?;
        }
        (self.file, self.added) = (Some(file), 0);
        Ok(())
    }
}

/// A file, by its device and number; none where files have no numbers.
type Which = (u64, u64);

#[cfg(unix)]
fn which(of: &Metadata) -> Option<Which> {
    use std::os::unix::fs::MetadataExt;
    Some((of.dev(), of.ino()))
}

#[cfg(not(unix))]
fn which(_: &Metadata) -> Option<Which> {
    None
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    let read = file.take(LONGEST.saturating_add(1)).read_to_end(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST {
        return Err(io::Error::other("it has more than 256 MiB"));
    }
    Ok(text)
}

impl Fact {
    fn line(&self) -> String {
        let text = |text: &str| Value::from(text).to_json();
        let parts = match self {
            Fact::Token(id, at) => vec![text("token"), text(id), at.unix_millis().to_string()],
            Fact::Event(id, kind, at) => {
                let kind = kind.map_or("restated", EventKind::as_str);
                vec![text("event"), text(id), text(kind), at.unix_millis().to_string()]
            }
            Fact::Revoked(name, at) => {
                vec![text("revoked"), text(name), at.unix_millis().to_string()]
            }
            Fact::Forgotten(at) => vec![text("forgotten"), at.unix_millis().to_string()],
        };
        format!("[{}]\n", parts.join(","))
    }

    fn read(line: &str) -> Option<Self> {
        let value = Value::from_json(line).ok()?;
        let parts = value.as_list()?;
        let text = |at: usize| parts.get(at)?.as_text().map(str::to_owned);
        let time = |at: usize| {
            let millis = parts.get(at)?.to_json().parse().ok()?;
            Timestamp::from_unix_millis(millis)
        };
        match (text(0)?.as_str(), parts.len()) {
            ("token", 3) => Some(Fact::Token(text(1)?, time(2)?)),
            ("event", 4) => {
                let kind = match text(2)?.as_str() {
                    "restated" => None,
                    name => Some(EventKind::named(name)?),
                };
                Some(Fact::Event(text(1)?, kind, time(3)?))
            }
            ("revoked", 3) => Some(Fact::Revoked(text(1)?, time(2)?)),
            ("forgotten", 2) => Some(Fact::Forgotten(time(1)?)),
            _ => None,
        }
    }
}
