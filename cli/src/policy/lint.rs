//! `hallpass policy lint`.

use std::time::Duration;

use clap::Args;
use hallpass::Policy;
use hallpass::clock::{Clock, SystemClock, Timestamp, parse_duration};
use hallpass::policy::Warning;
use hallpass::value::Value;

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
}

impl Lint {
    pub(super) fn run(self) -> Exit {
        let now = match SystemClock::new().read() {
            Ok(reading) => reading.wall,
            Err(error) => return Exit::unable(error),
        };
        self.files.report(|policy| found(policy, now, self.ceiling))
    }
}

fn found(policy: &Policy, now: Timestamp, ceiling: Duration) -> Finding {
    let warnings = policy.lint_under(now, ceiling);
    Finding {
        exit: if warnings.is_empty() { Exit::Fine } else { Exit::Findings },
        lines: warnings.iter().map(Warning::to_string).collect(),
        fields: vec![("warnings", Value::List(warnings.iter().map(warning_value).collect()))],
    }
}

fn warning_value(warning: &Warning) -> Value {
    object([
        ("code", Value::from(warning.code().as_str())),
        ("rule", Value::from(warning.rule())),
        ("at", Value::from(warning.at())),
        ("message", Value::from(warning.message())),
    ])
}
