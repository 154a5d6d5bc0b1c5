//! `hallpass policy check`.

use clap::Args;
use hallpass::Policy;
use hallpass::value::Value;

use super::report::{Files, Finding};
use crate::exit::Exit;

/// Which policies are to load.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    files: Files,
}

impl Check {
    pub(super) fn run(self) -> Exit {
        self.files.report(loaded)
    }
}

/// What is said of a policy that loads. Its digest is the one that the log names.
fn loaded(policy: &Policy) -> Finding {
    let (rules, digest) = (policy.len(), policy.digest().to_string());
    let plural = if rules == 1 { "" } else { "s" };
    Finding {
        exit: Exit::Fine,
        lines: vec![format!("ok: {rules} rule{plural}, digest {digest}")],
        fields: vec![("rules", Value::from(rules as u64)), ("digest", Value::from(digest))],
    }
}
