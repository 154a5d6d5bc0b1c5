//! `hallpass log replay`: recorded decisions, decided again.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use hallpass::audit::{Replay, ReplayVerdict, Replayer};
use serde::Serialize;

use super::source::Source;
use super::style::plain;
use super::values::read_with_values;
use crate::exit::Exit;
use crate::json_line::write_json;
use crate::policy;

/// Which log is replayed, and under what.
#[derive(Debug, Args)]
pub(super) struct ReplayCommand {
    #[command(flatten)]
    source: Source,
    /// A policy that decisions were made under; again for each there was
    #[arg(long, value_name = "FILE", required_unless_present = "under")]
    policy: Vec<PathBuf>,
    /// Say what this policy would have decided otherwise, instead
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    under: Option<PathBuf>,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Told<'r> {
    verdict: ReplayVerdict,
    #[serde(flatten)]
    replay: &'r Replay,
}

impl ReplayCommand {
    pub(super) fn run(self) -> Exit {
        let mut policies = Vec::new();
        for file in self.policy.iter().chain(&self.under) {
            match policy::load(file) {
                Ok(policy) => policies.push(policy),
                Err(problem) => return Exit::unable(format_args!("{}: {problem}", file.display())),
            }
        }
        let mut replayer = match (&self.under, policies.pop()) {
            (Some(_), Some(policy)) => Replayer::under(policy),
            (_, last) => Replayer::own(policies.into_iter().chain(last)),
        };
        let read = read_with_values(&self.source, &mut replayer, Replayer::decides, Replayer::note);
        let read = match read {
            Ok(read) => read,
            Err(problem) => return Exit::unable(problem),
        };
        let replay = replayer.finish();
        let mut out = io::stdout().lock();
        let said = match self.json {
            true => {
                let told = Told { verdict: replay.verdict(), replay: &replay };
                write_json(&mut out, &told)
            }
            false => tell(&mut out, &replay),
        };
        // What another policy would change is what was asked for, and no finding.
        let exit = match replay.verdict() {
            ReplayVerdict::Differs if self.under.is_none() => Exit::Findings,
            // What was asked for could not be done, and nothing is known.
            ReplayVerdict::NothingReplayed => Exit::Unable,
            _ => Exit::Fine,
        };
        self.source.warn(&read, Exit::of_report(said.map(|()| exit)))
    }
}

fn tell(out: &mut impl Write, replay: &Replay) -> io::Result<()> {
    let Replay { decisions, requests, replayed, differing, .. } = replay;
    let calls = decisions.saturating_sub(*requests);
    writeln!(
        out,
        "{replayed} of {decisions} decisions of rules were decided again ({calls} about calls, {requests} about what \
         grants give)"
    )?;
    match replay.verdict() {
        ReplayVerdict::NothingReplayed => {
            writeln!(out, "nothing could be decided again, so nothing is known of them")?
        }
        _ => writeln!(out, "{differing} came out otherwise")?,
    }
    for own in &replay.differences {
        let tools = own.tools.join(", ");
        let (who, tools, task) = (plain(&own.who), plain(&tools), plain(&own.task));
        let (recorded, replayed) = (own.recorded.to_string(), own.replayed.to_string());
        let (recorded, replayed) = (plain(&recorded), plain(&replayed));
        writeln!(
            out,
            "  record {}: {} of {tools} by {who} in {task}: {recorded}, now {replayed}",
            own.seq,
            own.about.as_str()
        )?;
    }
    if *differing > replay.differences.len() as u64 {
        writeln!(out, "  and more, which are counted and not named")?;
    }
    for (why, count) in &replay.not_replayable {
        writeln!(out, "{count} were not decided again: {why}")?;
    }
    Ok(())
}
