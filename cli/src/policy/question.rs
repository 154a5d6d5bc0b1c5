//! The question of a subcommand: a policy, and a JSON object with what is known.

use std::path::PathBuf;

use clap::Args;
use hallpass::Policy;
use hallpass::clock::{Clock, SystemClock, Timestamp};
use hallpass::testing::PolicyQuestion;

use super::file::{load, named};
use crate::exit::Exit;

/// Which policy is asked, and what.
#[derive(Debug, Args)]
pub(super) struct Question {
    /// The policy: TOML, or JSON where its name ends in `.json`
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// What is known, as a JSON object with any of `who`, `purpose`, `tool`, `args`, `resource`, `context` and `at`, in
    /// the words of `[[test]]` tables; the time is now unless it is said
    #[arg(value_name = "QUESTION")]
    question: String,
    /// Write one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

impl Question {
    /// The policy, the question and its time.
    pub(super) fn read(&self) -> Result<(Policy, PolicyQuestion, Timestamp), Exit> {
        let policy = load(&self.policy)
            .map_err(|error| Exit::unable(format_args!("{}: {error}", named(&self.policy))))?;
        let question = PolicyQuestion::from_json(&policy, &self.question)
            .map_err(|error| Exit::unable(format_args!("the question: {error}")))?;
        let at = match question.at() {
            Some(at) => at,
            None => SystemClock::new().read().map_err(Exit::unable)?.wall,
        };
        Ok((policy, question, at))
    }
}
