//! Which log is read, and with which keys.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::audit::{
    Anchor, ChainTag, Examination, Explainer, Explanation, FileLog, OpenError, Origin, Record,
};
use hallpass::key::{LogKeys, SecretKey};

use super::progress::Progress;
use crate::exit::Exit;
use crate::key_file::read_secret;

/// Which log, and what is known of it.
#[derive(Clone, Debug, Args)]
pub(super) struct Source {
    /// The log: its folder, or one of its files
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The log's key; again for each it had before
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// The issuer of the broker whose log it is; unless given, the one that the log names
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// The audience of the broker whose log it is; unless given, the one that the log names
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// The number and the tag of a record, kept elsewhere: without it, nothing shows that the end is there
    #[arg(long, value_name = "N:TAG", value_parser = anchor, requires = "key_file")]
    anchor: Option<Anchor>,
}

/// What was read, and how far it can be believed.
#[derive(Debug)]
pub(super) enum Read {
    /// Every record has verified.
    Verified(Box<Examination>),
    /// No key was given.
    Unverified,
    /// A record is not the one that was written, or is missing: what comes before it is as it was written.
    Broken(OpenError),
}

/// Why nothing could be read.
#[derive(Debug)]
pub(super) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Source {
    /// Reads all records, in their order.
    ///
    /// # Errors
    /// [`Unreadable`]: no log, or no key.
    pub(super) fn read(&self, mut each: impl FnMut(&Record)) -> Result<Read, Unreadable> {
        let folder = self.folder();
        let keys = self.keys()?;
        let (issuer, audience) = self.names()?;
        let mut progress = Progress::of(&folder);
        let mut note = |record: &Record, bytes| {
            progress.show(bytes);
            each(record);
        };
        let Some(keys) = keys else {
            return match FileLog::read_unverified(&folder, &mut note) {
                Ok(()) => Ok(Read::Unverified),
                Err(error) => self.broken(error),
            };
        };
        let origin = Origin::new(&issuer, &audience);
        match FileLog::examine(&folder, &keys, &origin, self.anchor.as_ref(), &mut note) {
            Ok(examined) => Ok(Read::Verified(Box::new(examined))),
            Err(error) => self.broken(error),
        }
    }

    /// The stories of the tasks that are asked for.
    pub(super) fn stories(&self, what: &Which) -> Result<(Vec<Explanation>, Read), Unreadable> {
        let mut explainer = match (&what.task, what.permit) {
            (_, Some(permit)) => match self.generation_of(permit)? {
                Some(generation) => Explainer::of_generation(generation),
                None => {
                    return Err(Unreadable(format!(
                        "{}: record {permit} is not about a task",
                        self.log.display()
                    )));
                }
            },
            (task, None) => Explainer::of_task(task.as_deref().unwrap_or_default()),
        };
        let read = self.read(|record| explainer.note(record))?;
        Ok((explainer.finish(), read))
    }

    /// The generation of the task that a record is about. What it claims is verified as its story is told.
    fn generation_of(&self, seq: u64) -> Result<Option<u64>, Unreadable> {
        let mut generation = None;
        let read = FileLog::read_unverified(self.folder(), |record, _| {
            if record.seq == seq {
                generation = record.event.generation();
            }
        });
        match read {
            Err(error @ OpenError::Io { .. }) => Err(self.unreadable(error)),
            _ => Ok(generation),
        }
    }

    /// The logs of a folder that is none itself: all its folders, in the order of their names, as the nodes of a fleet
    /// have one each.
    ///
    /// # Errors
    /// [`Unreadable`]: an anchor, which is of one log.
    pub(super) fn several(&self) -> Result<Option<Vec<Source>>, Unreadable> {
        if self.log.is_file() || !matches!(FileLog::claims(&self.log), Ok(None)) {
            return Ok(None);
        }
        let Ok(found) = self.log.read_dir() else { return Ok(None) };
        let paths = found.filter_map(|entry| Some(entry.ok()?.path()));
        let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
        if folders.is_empty() {
            return Ok(None);
        }
        if self.anchor.is_some() {
            let name = self.log.display();
            return Err(Unreadable(format!("{name}: has several logs, and an anchor is of one")));
        }
        folders.sort();
        Ok(Some(folders.into_iter().map(|log| Source { log, ..self.clone() }).collect()))
    }

    /// The name of the log's folder.
    pub(super) fn name(&self) -> String {
        self.log.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The anchor to compare with, if there is one.
    pub(super) fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }

    /// The issuer and the audience that are expected.
    pub(super) fn names(&self) -> Result<(String, String), Unreadable> {
        let claims = FileLog::claims(self.folder()).map_err(|error| self.unreadable(error))?;
        let claims = claims.ok_or_else(|| {
            let name = self.log.display();
            Unreadable(format!("{name}: has no record of a log, expected the folder of one"))
        })?;
        let issuer = self.issuer.clone().unwrap_or(claims.issuer);
        Ok((issuer, self.audience.clone().unwrap_or(claims.audience)))
    }

    /// Says on standard error what keeps a report from being believed, and what that makes of the exit code.
    pub(super) fn warn(&self, read: &Read, exit: Exit) -> Exit {
        match read {
            Read::Verified(examined) => self.warn_unlawful(examined.unlawful.count()),
            Read::Unverified => self.warn_unverified(),
            Read::Broken(error) => return self.warn_broken(error, exit),
        }
        exit
    }

    /// Says of how many records `verify` finds that they were unlawful.
    pub(super) fn warn_unlawful(&self, count: u64) {
        if count > 0 {
            remark(format_args!(
                "warning: {count} records are unlawful: see `hallpass log verify`"
            ));
        }
    }

    pub(super) fn warn_unverified(&self) {
        remark("warning: not verified: no key was given (--key-file)");
    }

    pub(super) fn warn_broken(&self, error: &OpenError, exit: Exit) -> Exit {
        remark(format_args!(
            "error: the log is not intact, and nothing is told from there on: {error}"
        ));
        exit.max(Exit::Findings)
    }

    fn broken(&self, error: OpenError) -> Result<Read, Unreadable> {
        match error {
            OpenError::Io { .. } => Err(self.unreadable(error)),
            error => Ok(Read::Broken(error)),
        }
    }

    fn unreadable(&self, error: OpenError) -> Unreadable {
        Unreadable(format!("{}: {error}", self.log.display()))
    }

    pub(super) fn folder(&self) -> PathBuf {
        match self.log.parent() {
            Some(parent) if self.log.is_file() => match parent.as_os_str().is_empty() {
                true => PathBuf::from("."),
                false => parent.to_owned(),
            },
            _ => self.log.clone(),
        }
    }

    /// The keys that were given.
    pub(super) fn keys(&self) -> Result<Option<LogKeys>, Unreadable> {
        let mut secrets = self.key_file.iter().map(|file| secret(file));
        let Some(active) = secrets.next() else { return Ok(None) };
        let mut keys = LogKeys::from_secret(active?);
        for past in secrets {
            keys = keys.and_past(past?).map_err(|error| Unreadable(error.to_string()))?;
        }
        Ok(Some(keys))
    }
}

/// Which tasks.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The task's name
    #[arg(required_unless_present = "permit")]
    task: Option<String>,
    /// The task that the record of this number is about, instead
    #[arg(long, value_name = "N", conflicts_with = "task")]
    permit: Option<u64>,
}

impl Which {
    /// What there is none of.
    pub(super) fn missing(&self) -> String {
        match &self.task {
            Some(task) => format!("no task `{}` was opened", task.escape_debug()),
            None => "the task was not opened in what was read".to_owned(),
        }
    }
}

fn secret(file: &Path) -> Result<SecretKey, Unreadable> {
    read_secret(file).map_err(Unreadable)
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let expected = "expected the number of a record, `:` and its tag of 64 hexadecimal digits";
    let (seq, tag) = text.split_once(':').ok_or(expected)?;
    let seq = seq.parse().map_err(|_| expected)?;
    let tag: ChainTag = tag.parse().map_err(|_| expected)?;
    Ok(Anchor { seq, tag })
}

fn remark(what: impl fmt::Display) {
    use std::io::Write;
    // If standard error is gone, too, the code still tells.
    let _ = writeln!(std::io::stderr(), "{what}");
}
