//! `hallpass policy who-can`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use hallpass::policy::{Accesses, Effect};
use hallpass::testing::PolicyQuestion;
use hallpass::value::Value;

use super::file::{named, text_of};
use super::question::Question;
use super::report::object;
use crate::exit::Exit;

/// What is asked about, among whom, and for whom the answer is written.
#[derive(Debug, Args)]
pub(super) struct WhoCan {
    #[command(flatten)]
    question: Question,
    /// The identities that are looked at, one JSON object a line, as `who` in a question
    #[arg(long, value_name = "FILE")]
    among: PathBuf,
}

/// One of those who can.
struct Found<'i> {
    who: &'i str,
    how: String,
    value: Vec<(&'static str, Value)>,
    is_all: bool,
}

impl WhoCan {
    /// Fine where it can be told of each.
    pub(super) fn run(self) -> Exit {
        let (policy, question, at) = match self.question.read() {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let Some(tool) = question.tool() else {
            return Exit::unable("the question has no `tool`: say what is to be called");
        };
        if question.who().is_some() {
            return Exit::unable("who can is the answer: leave `who` out of the question");
        }
        let name = named(&self.among);
        let among = match text_of(&self.among) {
            Ok(text) => PolicyQuestion::identities(&policy, &text),
            Err(error) => return Exit::unable(format_args!("{name}: can't be read: {error}")),
        };
        let among = match among {
            Ok(among) => among,
            Err(error) => return Exit::unable(format_args!("{name}: {error}")),
        };
        let search = policy.search(question.purpose(), question.context(), at);
        let found: Result<Vec<Found<'_>>, _> = match question.call() {
            Some(call) => search.who_can(call, &among).map(|found| {
                let found = found.into_iter();
                found
                    .map(|(who, own)| of_call(who.subject().as_str(), own.effect(), own.rules()))
                    .collect()
            }),
            None => search.who_can_use(tool, &among).map(|found| {
                found.iter().map(|(who, own)| of_tool(who.subject().as_str(), own)).collect()
            }),
        };
        let found = match found {
            Ok(found) => found,
            Err(denial) => return Exit::unable(denial.explain()),
        };
        let exit = match found.iter().all(|own| own.is_all) {
            true => Exit::Fine,
            false => Exit::Findings,
        };
        Exit::of_report(self.write(&found, among.len()).map(|()| exit))
    }

    fn write(&self, found: &[Found<'_>], among: usize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.question.json {
            let all = found.iter().map(|own| {
                let who = ("who", Value::from(own.who));
                object([who].into_iter().chain(own.value.iter().cloned()))
            });
            let among = ("among", Value::from(among as u64));
            return writeln!(out, "{}", object([("found", Value::List(all.collect())), among]));
        }
        for own in found {
            writeln!(out, "{}: {}", own.who, own.how)?;
        }
        writeln!(out, "{} of {among}", found.len())
    }
}

fn of_call<'i, 'r>(
    who: &'i str,
    effect: Option<Effect>,
    rules: impl Iterator<Item = &'r str>,
) -> Found<'i> {
    let rules: Vec<&str> = rules.collect();
    let effect = effect.map_or("deny", Effect::as_str);
    Found {
        who,
        how: format!("{effect} by {}", rules.join(", ")),
        value: vec![
            ("effect", Value::from(effect)),
            ("rules", Value::List(rules.into_iter().map(Value::from).collect())),
        ],
        is_all: true,
    }
}

fn of_tool<'i>(who: &'i str, own: &Accesses) -> Found<'i> {
    let told: Vec<String> = own.to_string().lines().map(str::to_owned).collect();
    Found {
        who,
        how: told.join("\n  "),
        value: vec![("can", own.to_value())],
        is_all: own.is_all(),
    }
}
