//! `hallpass policy diff`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::Policy;
use hallpass::policy::{Differences, PolicyDiff};

use super::file::{load, named};
use crate::exit::Exit;

/// Which policies are compared, and for whom what differs is written.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The policy that is in force
    old: PathBuf,
    /// The policy that is to be
    new: PathBuf,
    /// Write one JSON object
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Write Markdown, for a pull request
    #[arg(long)]
    markdown: bool,
}

impl Diff {
    /// Fine where both are shown to permit the same.
    pub(super) fn run(self) -> Exit {
        let (old, new) = match (read(&self.old), read(&self.new)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(exit), _) | (_, Err(exit)) => return exit,
        };
        let diff = old.diff(&new);
        let exit = if diff.permits_the_same() { Exit::Fine } else { Exit::Findings };
        Exit::of_report(self.write(&diff).map(|()| exit))
    }

    fn write(&self, diff: &PolicyDiff) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", diff.to_value())
        } else if self.markdown {
            out.write_all(markdown(diff).as_bytes())
        } else {
            write!(out, "{diff}")
        }
    }
}

fn read(file: &Path) -> Result<Policy, Exit> {
    load(file).map_err(|error| Exit::unable(format_args!("{}: {error}", named(file))))
}

fn markdown(diff: &PolicyDiff) -> String {
    let mut out = String::from("### Policy\n\n");
    if diff.changes().len() == 0 {
        out.push_str("The rules are the same.\n");
    }
    for change in diff.changes() {
        out.push_str(&format!("- {}\n", literal(&change.to_string())));
    }
    section(&mut out, "Permitted now and not before", diff.wider());
    section(&mut out, "Permitted before and not now", diff.narrower());
    out
}

fn section(out: &mut String, title: &str, side: &Differences) {
    out.push_str(&format!("\n#### {title}\n\n"));
    if side.is_shown_empty() {
        out.push_str("Nothing: that is shown.\n");
    }
    for witness in side.witnesses() {
        out.push_str(&format!("- {}\n", literal(&witness.to_string())));
    }
    for rule in side.undecided() {
        out.push_str(&format!("- {}\n", literal(&format!("`{rule}`: can't be told"))));
    }
    if side.more() > 0 {
        out.push_str(&format!("- and {} more\n", side.more()));
    }
}

/// A line as it stands, whatever a policy's author wrote into a name: as code, between marks that are longer than
/// any inside.
fn literal(line: &str) -> String {
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let marks = "`".repeat(longest + 1);
    format!("{marks} {line} {marks}")
}
