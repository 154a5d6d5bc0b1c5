//! `hallpass log explain`.

use std::io::{self, Write};

use clap::Args;
use hallpass::audit::Explanation;

use super::source::{Source, Which};
use crate::exit::Exit;
use crate::json_line::write_json;

/// Which task is explained.
#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    which: Which,
    /// Write one JSON object a line for each task of that name
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self) -> Exit {
        let (stories, read) = match self.source.stories(&self.which) {
            Ok(told) => told,
            Err(problem) => return Exit::unable(problem),
        };
        let mut out = io::stdout().lock();
        let said = stories.iter().try_for_each(|story| self.tell(&mut out, story));
        let exit = Exit::of_report(said.map(|()| Exit::Fine));
        let exit = self.source.warn(&read, exit);
        match stories.is_empty() {
            true => Exit::unable(self.which.missing()),
            false => exit,
        }
    }

    fn tell(&self, out: &mut impl Write, story: &Explanation) -> io::Result<()> {
        match self.json {
            true => write_json(out, story),
            false => write!(out, "{story}"),
        }
    }
}
