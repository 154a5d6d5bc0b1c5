//! `hallpass policy test`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::testing::{PolicyTestReport, PolicyTests};

use super::file::{Unloaded, named, text_of};
use crate::exit::Exit;

/// The most bytes of a trace: it is held in memory, and replayed again for each change of the policy.
const MAX_TRACE: u64 = 16 << 20;

/// Which policy is tested, and by which traces besides its own tests.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The policy, with its `[[test]]` tables: TOML, or JSON where its name ends in `.json`
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Traces, each of which is a test
    #[arg(value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// Fail, too, where a rule decides in no test, or a change of the policy goes unnoticed
    #[arg(long)]
    complete: bool,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(super) fn run(self) -> Exit {
        let tests = match self.read() {
            Ok(tests) => tests,
            Err(exit) => return exit,
        };
        if tests.is_empty() {
            return Exit::unable(format_args!(
                "{}: no test: add `[[test]]` tables, or name a trace",
                named(&self.policy)
            ));
        }
        let report = tests.run();
        let well = if self.complete { report.is_complete() } else { report.passes() };
        let exit = if well { Exit::Fine } else { Exit::Findings };
        Exit::of_report(self.write(&report).map(|()| exit))
    }

    fn read(&self) -> Result<PolicyTests, Exit> {
        let name = named(&self.policy);
        let text = text_of(&self.policy).map_err(Unloaded::Unreadable);
        let is_json =
            self.policy.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let tests = text.and_then(|text| {
            let tests =
                if is_json { PolicyTests::from_json(&text) } else { PolicyTests::from_toml(&text) };
            tests.map_err(Unloaded::Refused)
        });
        let mut tests = tests.map_err(|error| Exit::unable(format_args!("{name}: {error}")))?;
        for trace in &self.traces {
            let text = trace_text(trace);
            let text = text.map_err(|error| {
                Exit::unable(format_args!("{}: can't be read: {error}", named(trace)))
            })?;
            tests = tests.trace(&named(trace), &text);
        }
        Ok(tests)
    }

    fn write(&self, report: &PolicyTestReport) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json { writeln!(out, "{}", report.to_value()) } else { write!(out, "{report}") }
    }
}

fn trace_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_TRACE + 1).read_to_string(&mut text)?;
    match read as u64 > MAX_TRACE {
        false => Ok(text),
        true => Err(io::Error::other(format!("expected at most {MAX_TRACE} bytes"))),
    }
}
