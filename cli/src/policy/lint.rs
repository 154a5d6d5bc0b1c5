//! `hallpass policy lint`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hallpass::Policy;
use hallpass::clock::{Clock, SystemClock, parse_duration};
use hallpass::policy::{LintOptions, Warning};
use hallpass::testing::PolicyQuestion;
use hallpass::value::Value;

use super::file::text_of;
use super::report::{Files, Finding, object};
use crate::exit::Exit;

/// Which policies are looked at, and for which broker.
#[derive(Debug, Args)]
pub(super) struct Lint {
    #[command(flatten)]
    files: Files,
    /// How long tasks may live: a limit that looks further is a finding
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    ceiling: Duration,
    /// Also tell which forbids and asks take some of what a permit gives, each with a question that shows it
    #[arg(long)]
    overlaps: bool,
    /// All identities that call or review, one JSON object a line: tell which rules match none of them, and which asks they
    /// can't answer
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
}

impl Lint {
    pub(super) fn run(self) -> Exit {
        let now = match SystemClock::new().read() {
            Ok(reading) => reading.wall,
            Err(error) => return Exit::unable(error),
        };
        let people = match self.people.as_deref().map(text_of).transpose() {
            Ok(people) => people,
            Err(error) => return Exit::unable(format_args!("the people: can't be read: {error}")),
        };
        let mut options = LintOptions::at(now).ceiling(self.ceiling);
        if self.overlaps {
            options = options.overlaps();
        }
        self.files.report(|policy| found(policy, options, people.as_deref()))
    }
}

fn found(policy: &Policy, options: LintOptions<'_>, people: Option<&str>) -> Finding {
    // Names are folded as each policy says.
    let people = match people.map(|text| PolicyQuestion::identities(policy, text)).transpose() {
        Ok(people) => people,
        Err(error) => {
            return Finding {
                exit: Exit::unable(format_args!("the people: {error}")),
                lines: Vec::new(),
                fields: Vec::new(),
            };
        }
    };
    let options = people.iter().fold(options, |options, people| options.people(people));
    let report = policy.lint_with(options);
    let mut lines: Vec<String> = report.warnings().map(Warning::to_string).collect();
    let mut fields =
        vec![("warnings", Value::List(report.warnings().map(warning_value).collect()))];
    if report.more() > 0 {
        lines.push(format!("and {} more", report.more()));
        fields.push(("more", Value::from(report.more() as u64)));
    }
    Finding { exit: if report.is_empty() { Exit::Fine } else { Exit::Findings }, lines, fields }
}

fn warning_value(warning: &Warning) -> Value {
    object([
        ("code", Value::from(warning.code().as_str())),
        ("rule", Value::from(warning.rule())),
        ("at", Value::from(warning.at())),
        ("message", Value::from(warning.message())),
    ])
}
