//! `hallpass log export`: records in the forms that other systems collect.

use std::io::{self, BufWriter, Write};

use clap::{Args, ValueEnum};
use hallpass::audit::{Exporter, FileLog, LogId, Origin};

use super::source::{Read, Source};
use crate::exit::Exit;

/// Which log is exported, and how.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    source: Source,
    /// The form, one JSON object a line
    #[arg(long, value_enum, value_name = "FORM")]
    form: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// CloudEvents 1.0
    Cloudevents,
    /// The Open Cybersecurity Schema Framework
    Ocsf,
}

impl Export {
    pub(super) fn run(self) -> Exit {
        // Before anything is written: of a log that is not intact only what comes before is told.
        let mut last = 0;
        let read = match self.source.read(|record| last = record.seq) {
            Ok(read) => read,
            Err(problem) => return Exit::unable(problem),
        };
        let exit = match self.write(&read, last) {
            Ok(exit) => exit,
            Err(exit) => return exit,
        };
        self.source.warn(&read, exit)
    }

    fn write(&self, read: &Read, last: u64) -> Result<Exit, Exit> {
        let (issuer, audience) = self.source.names().map_err(Exit::unable)?;
        let folder = self.source.folder();
        let claims = FileLog::claims(&folder).map_err(Exit::unable)?;
        let log: Option<LogId> = claims.and_then(|claims| claims.log.parse().ok());
        let log = log.ok_or_else(|| Exit::unable("the log's first record does not name it"))?;
        let mut exporter = Exporter::new(log, &Origin::new(&issuer, &audience));
        let mut out = BufWriter::new(io::stdout().lock());
        let (mut said, mut left) = (Ok(()), true);
        let lines = FileLog::read_lines(folder, |record, line, tag| {
            left = left && record.seq <= last && said.is_ok();
            if !left {
                return;
            }
            let event = match self.form {
                Form::Cloudevents => exporter.cloud_event(line, tag),
                Form::Ocsf => exporter.ocsf_event(line, tag),
            };
            if let Some(event) = event {
                said = writeln!(out, "{event}");
            }
        });
        // Where it is not intact, that was found before.
        if let (Err(error), false) = (lines, matches!(read, Read::Broken(_))) {
            return Err(Exit::unable(error));
        }
        Ok(Exit::of_report(said.and_then(|()| out.flush()).map(|()| Exit::Fine)))
    }
}
