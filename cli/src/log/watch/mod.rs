//! `hallpass log watch`: a log told while it is written.

mod board;
mod teller;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clap::Args;
use hallpass::audit::{FileLog, FollowedLog, OpenError, Origin, Unlawful, Watcher};
use hallpass::clock::{Clock, SystemClock, Timestamp};

use self::board::Board;
use self::teller::{Teller, View};
use super::source::Source;
use super::style::Style;
use crate::exit::Exit;
use crate::{policy, signals};

/// How often it is looked whether the log has grown.
const PAUSE: Duration = Duration::from_millis(250);

/// Which log is watched, and how it is told.
#[derive(Debug, Args)]
#[command(after_help = "\
To a terminal, a table of who holds what now and who waits for whom, drawn anew as the log grows; else that table once,
and then a line for each record. The log is read and never written, and its writer is not held up: a line counts once it
is whole. Ctrl-C ends it. The exit code is 1 if the log is not intact.")]
pub(super) struct Watch {
    #[command(flatten)]
    source: Source,
    /// The policy in force: by its rules it is told who may answer a question
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Tell how it stands, and end
    #[arg(long)]
    once: bool,
    /// Tell how it stood at a time, as 2026-01-01T12:00:00Z, and end
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse_rfc3339, conflicts_with = "once")]
    at: Option<Timestamp>,
    /// Write how it stands as one JSON object a line, each time that is another
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub(super) fn run(self) -> Exit {
        let approvers = match self.approvers() {
            Ok(approvers) => approvers,
            Err(problem) => return Exit::unable(problem),
        };
        let known = self.source.keys().and_then(|keys| Ok((keys, self.source.names()?)));
        let (keys, (issuer, audience)) = match known {
            Ok(known) => known,
            Err(problem) => return Exit::unable(problem),
        };
        let (origin, folder) = (Origin::new(&issuer, &audience), self.source.folder());
        let begin = || match &keys {
            Some(keys) => FileLog::follow(&folder, keys, &origin, self.source.anchor()),
            None => FileLog::follow_unverified(&folder),
        };
        let name = format!("issuer {issuer:?}, audience {audience:?}");
        let board = Board::new(name, keys.is_some(), approvers, Style::of_output());
        let mut teller = Teller::new(View::of(self.json, self.is_once()), board);
        let (tell, told) = channel();
        // Where there are no signals, nothing is told, and that is not an end.
        let _kept = tell.clone();
        if !self.is_once() {
            signals::watch(move || _ = tell.send(()));
        }
        if keys.is_none() {
            self.source.warn_unverified();
        }
        loop {
            match self.follow(begin(), &mut teller, &told) {
                Ok(Some(exit)) => return exit,
                Ok(None) => teller.begin_anew(),
                Err(error) => return self.source.warn_broken(&error, Exit::Fine),
            }
        }
    }

    fn is_once(&self) -> bool {
        self.once || self.at.is_some()
    }

    /// Follows a log from its beginning, and tells how it stands each time. `None` where it is not any more what was read
    /// of it: a writer takes back what its disk refused a part of, and then all of it reads well.
    ///
    /// # Errors
    /// [`OpenError`] of a log that is not intact as it is.
    fn follow(
        &self,
        mut log: FollowedLog<'_>,
        teller: &mut Teller,
        told: &Receiver<()>,
    ) -> Result<Option<Exit>, OpenError> {
        let (clock, mut watcher, mut is_first) = (SystemClock::new(), Watcher::new(), true);
        loop {
            let read = log.read(|record| {
                if self.at.is_none_or(|at| record.at <= at) {
                    watcher.note(record);
                    teller.note(record);
                }
            });
            match read {
                Ok(()) => is_first = false,
                Err(error) if is_first => return Err(error),
                Err(_) => return Ok(None),
            }
            let now = match self.at.map_or_else(|| clock.read().map(|read| read.wall), Ok) {
                Ok(now) => now,
                Err(error) => return Ok(Some(Exit::unable(error))),
            };
            if let Err(error) = teller.tell(&watcher.at(now)) {
                return Ok(Some(Exit::of_report(Err(error))));
            }
            if self.is_once() {
                self.source.warn_unlawful(log.unlawful().map_or(0, Unlawful::count));
                return Ok(Some(Exit::Fine));
            }
            if told.recv_timeout(PAUSE).is_ok() {
                return Ok(Some(Exit::Fine));
            }
        }
    }

    /// Who may answer what each ask withholds, in words.
    fn approvers(&self) -> Result<BTreeMap<String, String>, String> {
        let Some(file) = &self.policy else { return Ok(BTreeMap::new()) };
        let loaded = policy::load(file);
        let policy = loaded.map_err(|problem| format!("{}: {problem}", file.display()))?;
        let rules = policy.rules();
        let asks = rules.filter_map(|rule| Some((rule.id().to_owned(), rule.approvers()?)));
        Ok(asks.collect())
    }
}
