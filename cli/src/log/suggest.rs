//! `hallpass log review --suggest`: a tighter policy, from what was used, checked by replay.

use std::io::{self, Write};
use std::path::Path;

use hallpass::audit::{Replay, Replayer, Ruled, Suggester};
use hallpass::policy::Policy;
use serde_json::json;

use super::source::Source;
use super::style::plain;
use super::values::read_with_values;
use crate::exit::Exit;
use crate::json_line::write_json;
use crate::policy;

/// Writes the policy in this file, tightened to what the log shows that it gave.
pub(super) fn suggest(source: &Source, file: &Path, is_json: bool) -> Exit {
    let text = match policy::text_of(file) {
        Ok(text) => text,
        Err(error) => return Exit::unable(format_args!("{}: {error}", file.display())),
    };
    let mut suggester = match Suggester::new(&text) {
        Ok(suggester) => suggester,
        Err(problem) => return Exit::unable(format_args!("{}: {problem}", file.display())),
    };
    let read = read_with_values(source, &mut suggester, Suggester::needs_line, Suggester::note);
    let read = match read {
        Ok(read) => read,
        Err(problem) => return Exit::unable(problem),
    };
    let suggestion = suggester.finish();
    // Read again under what is suggested: what it would have refused is said.
    let mut replayer = match Policy::from_toml(&suggestion.policy) {
        Ok(policy) => Replayer::under(policy),
        Err(problem) => {
            return Exit::unable(format_args!("the suggestion does not load: {problem}"));
        }
    };
    if let Err(problem) = read_with_values(source, &mut replayer, Replayer::decides, Replayer::note)
    {
        return Exit::unable(problem);
    }
    let replay = replayer.finish();
    let mut out = io::stdout().lock();
    let said = match is_json {
        true => write_json(&mut out, &json!({ "suggestion": suggestion, "replay": replay })),
        false => tell(&mut out, &replay).and_then(|()| write!(out, "{suggestion}")),
    };
    source.warn(&read, Exit::of_report(said.map(|()| Exit::Fine)))
}

/// As comments ahead of the policy.
fn tell(out: &mut impl Write, replay: &Replay) -> io::Result<()> {
    let Replay { decisions, replayed, .. } = replay;
    writeln!(out, "# {replayed} of {decisions} decisions were decided again under it.")?;
    for own in &replay.differences {
        if own.recorded.ruled == Ruled::Permitted {
            let now = own.replayed.to_string();
            let tools = own.tools.join(", ");
            let (who, tools, now) = (plain(&own.who), plain(&tools), plain(&now));
            writeln!(
                out,
                "# It would not have given record {}: {} of {tools} by {who}, now {now}.",
                own.seq,
                own.about.as_str()
            )?;
        }
    }
    Ok(())
}
