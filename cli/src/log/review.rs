//! `hallpass log review`: the access review.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use hallpass::audit::{Review, Reviewer};
use serde_json::json;

use super::source::Source;
use super::style::plain;
use super::suggest::suggest;
use crate::exit::Exit;
use crate::json_line::write_json;
use crate::policy;

/// Which log is reviewed.
#[derive(Debug, Args)]
pub(super) struct ReviewCommand {
    #[command(flatten)]
    source: Source,
    /// Name the rules of this policy that decided nothing, too
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Write the policy tightened to what was used, with what each part comes from, instead
    #[arg(long, requires = "policy")]
    suggest: bool,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

impl ReviewCommand {
    pub(super) fn run(self) -> Exit {
        if let (true, Some(policy)) = (self.suggest, &self.policy) {
            return suggest(&self.source, policy, self.json);
        }
        let policy = match &self.policy {
            None => None,
            Some(file) => match policy::load(file) {
                Ok(policy) => Some(policy),
                Err(problem) => return Exit::unable(format_args!("{}: {problem}", file.display())),
            },
        };
        let mut reviewer = Reviewer::new();
        let read = match self.source.read(|record| reviewer.note(record)) {
            Ok(read) => read,
            Err(problem) => return Exit::unable(problem),
        };
        let review = reviewer.finish();
        let unfired = policy.map(|policy| review.never_fired(&policy));
        let mut out = io::stdout().lock();
        let said = match self.json {
            true => {
                let object = json!({ "review": review, "never_fired": unfired });
                write_json(&mut out, &object)
            }
            false => tell(&mut out, &review, unfired.as_deref()),
        };
        self.source.warn(&read, Exit::of_report(said.map(|()| Exit::Fine)))
    }
}

fn tell(out: &mut impl Write, review: &Review, unfired: Option<&[String]>) -> io::Result<()> {
    if let (Some(from), Some(to)) = (review.from, review.to) {
        writeln!(out, "from {from} to {to}\n")?;
    }
    writeln!(out, "granted and used, by identity and tool")?;
    let columns = ["grants", "calls", "approved", "failed", "unstarted", "live", "in use"];
    let heads = columns.map(|name| format!("{name:>10}")).concat();
    writeln!(out, "{heads}  last used             who, tool")?;
    for row in &review.tools {
        let counts = [row.grants, row.calls, row.approved, row.failed, row.abandoned];
        let counts = counts.map(|count| format!("{count:>10}")).concat();
        let times = [row.live_millis, row.in_use_millis].map(|own| format!("{:>10}", span(own)));
        let last = row.last_used.map_or("never".to_owned(), |at| at.to_string());
        let (who, tool) = (plain(&row.who), plain(&row.tool));
        writeln!(out, "{counts}{}  {last:<20}  {who}, {tool}", times.concat())?;
    }
    let unused: Vec<_> = review.never_used().collect();
    if !unused.is_empty() {
        writeln!(out, "\ngranted and never used")?;
        for row in unused {
            let first = row.first_granted.unwrap_or_default();
            writeln!(
                out,
                "  {}, {}: first granted in record {first}",
                plain(&row.who),
                plain(&row.tool)
            )?;
        }
    }
    writeln!(out, "\nrules that decided")?;
    for row in &review.rules {
        let last = row.last.map_or(String::new(), |at| format!(", last {at}"));
        let (grants, calls, denials) = (row.grants, row.calls, row.denials);
        writeln!(
            out,
            "  {}: {grants} grants, {calls} calls, {denials} denials{last}",
            plain(&row.rule)
        )?;
    }
    if let Some(unfired) = unfired.filter(|unfired| !unfired.is_empty()) {
        let names: Vec<_> = unfired.iter().map(|id| plain(id)).collect();
        writeln!(out, "\nrules that decided nothing\n  {}", names.join("\n  "))?;
    }
    if !review.asks.is_empty() {
        writeln!(out, "\nasked of people")?;
        for row in &review.asks {
            let (asked, yes, no, refused) = (row.asked, row.yes, row.no, row.refused);
            let more = format!("{} taken back, {} void", row.taken_back, row.voided);
            let rule = plain(&row.rule);
            writeln!(
                out,
                "  {rule}: {asked} questions, {yes} yes, {no} no, {refused} that did not count, {more}"
            )?;
        }
    }
    if !review.denials.is_empty() {
        writeln!(out, "\ndenials")?;
        for row in &review.denials {
            let who = if row.who.is_empty() { "unknown".to_owned() } else { plain(&row.who) };
            let tool =
                if row.tool.is_empty() { String::new() } else { format!(", {}", plain(&row.tool)) };
            let args = match row.different_args {
                0 | 1 => String::new(),
                count => format!(", with {count} different arguments"),
            };
            let (count, first, since, last) = (row.count, row.first, row.since, row.last);
            let reason = plain(&row.reason);
            writeln!(
                out,
                "  {count} {reason}: {who}{tool}{args}; {since} to {last}, first record {first}"
            )?;
        }
    }
    if review.denials_summed > 0 {
        writeln!(out, "  {} more, of which the log has the sum alone", review.denials_summed)?;
    }
    if review.left_out > 0 {
        writeln!(
            out,
            "\nnot complete: {} records were not counted, for want of room",
            review.left_out
        )?;
    }
    Ok(())
}

/// A length of time, to one digit after the point at most.
fn span(millis: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", millis / unit, millis % unit * 10 / unit);
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..60_000 => tenths(1_000) + "s",
        60_000..3_600_000 => tenths(60_000) + "m",
        _ => tenths(3_600_000) + "h",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_length_of_time_is_told_in_its_own_unit() {
        let told = [0, 999, 1_000, 59_999, 90_000, 5_400_000].map(super::span);
        assert_eq!(told, ["0ms", "999ms", "1.0s", "59.9s", "1.5m", "1.5h"]);
    }
}
