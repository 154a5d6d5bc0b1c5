//! `hallpass policy what-can`.

use std::io::{self, Write};

use clap::Args;

use super::question::Question;
use crate::exit::Exit;

/// Who is asked about, and for whom the answer is written.
#[derive(Debug, Args)]
pub(super) struct WhatCan {
    #[command(flatten)]
    question: Question,
}

impl WhatCan {
    /// Fine where all that may be called is told.
    pub(super) fn run(self) -> Exit {
        let (policy, question, at) = match self.question.read() {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let Some(who) = question.who() else {
            return Exit::unable("the question has no `who`: say whose access is looked for");
        };
        if question.call().is_some() {
            return Exit::unable(
                "what can be called is the answer: leave `args` and `resource` out of the question",
            );
        }
        let search = policy.search(question.purpose(), question.context(), at);
        let found = match question.tool() {
            Some(tool) => search.what_can_with(tool, who),
            None => search.what_can(who),
        };
        let found = match found {
            Ok(found) => found,
            Err(denial) => return Exit::unable(denial.explain()),
        };
        let mut out = io::stdout().lock();
        let written = match self.question.json {
            true => writeln!(out, "{}", found.to_value()),
            false => write!(out, "{found}"),
        };
        let exit = if found.is_all() { Exit::Fine } else { Exit::Findings };
        Exit::of_report(written.map(|()| exit))
    }
}
