//! `hallpass policy why`.

use std::io::{self, Write};

use clap::Args;
use hallpass::policy::{Decision, Effect, Remedy};
use hallpass::value::Value;

use super::question::Question;
use super::report::object;
use crate::exit::Exit;

/// Which call is asked about, and for whom the answer is written.
#[derive(Debug, Args)]
pub(super) struct Why {
    #[command(flatten)]
    question: Question,
}

impl Why {
    /// Fine where it is permitted.
    pub(super) fn run(self) -> Exit {
        let (policy, question, at) = match self.question.read() {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let Some(who) = question.who() else {
            return Exit::unable("the question has no `who`: say who makes the call");
        };
        let Some(call) = question.call() else {
            return Exit::unable("the question has no call: say its `tool` and its `args`");
        };
        let (why, context) = (question.purpose(), question.context());
        let decision = match policy.decide(who, why, call, context, at) {
            Ok(decision) => decision,
            Err(denial) => return Exit::unable(denial.explain()),
        };
        let remedies = match policy.nearest_yes(who, why, call, context, at) {
            Ok(remedies) => remedies,
            Err(denial) => return Exit::unable(denial.explain()),
        };
        let exit = if decision.is_permit() { Exit::Fine } else { Exit::Findings };
        Exit::of_report(self.write(&decision, &remedies).map(|()| exit))
    }

    fn write(&self, decision: &Decision<'_>, remedies: &[Remedy]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let effect = match decision.effect() {
            Some(Effect::Permit) => "permit",
            Some(Effect::Ask) => "ask",
            Some(Effect::Forbid) | None => "deny",
        };
        let rules: Vec<&str> = decision.rules().collect();
        if self.question.json {
            let told = object([
                ("decision", Value::from(effect)),
                ("rules", Value::List(rules.into_iter().map(Value::from).collect())),
                ("nearest", Value::List(remedies.iter().map(Remedy::to_value).collect())),
            ]);
            return writeln!(out, "{told}");
        }
        match rules.is_empty() {
            true => writeln!(out, "{effect}: no permit applies")?,
            false => writeln!(out, "{effect} by {}", rules.join(", "))?,
        }
        remedies.iter().try_for_each(|own| writeln!(out, "{own}"))
    }
}
