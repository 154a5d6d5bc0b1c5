//! Who holds what and who waits for whom, as a table that a person reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hallpass::audit::{Watched, WatchedGrant, WatchedQuestion, WatchedTask};
use hallpass::clock::Timestamp;
use serde_json::{Value, json};

use crate::log::style::{Style, plain};

/// The widest cell: a name can have any length, and a table has to stay one.
const WIDEST: usize = 48;

/// What a table needs in addition to how it stands.
pub(super) struct Board {
    /// Of the log.
    name: String,
    /// Whether records have verified.
    verified: bool,
    /// By ask, in words.
    approvers: BTreeMap<String, String>,
    style: Style,
}

/// A part of the table. The last cell of a row may be of any length.
struct Part {
    title: &'static str,
    rows: Vec<Vec<String>>,
}

impl Board {
    pub(super) fn new(
        name: String,
        verified: bool,
        approvers: BTreeMap<String, String>,
        style: Style,
    ) -> Self {
        Board { name, verified, approvers, style }
    }

    /// The table, with at most so many rows of each part.
    pub(super) fn text(&self, watched: &Watched, most: usize) -> String {
        let state = match self.verified {
            true => self.style.good("each record as it was written"),
            false => self.style.doubtful("NOT VERIFIED: no key was given (--key-file)"),
        };
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{}  {} records, {}", watched.at, watched.through, self.name);
        let _ = writeln!(text, "{state}");
        let parts = self.parts(watched);
        let parts = parts.iter().filter(|part| !part.rows.is_empty());
        if parts.clone().next().is_none() {
            text.push_str("\nno task is open, and nothing is held or owed\n");
        }
        parts.for_each(|part| part.tell(&mut text, most));
        text
    }

    /// The same for a program, with who may answer where the policy was given.
    pub(super) fn object(&self, watched: &Watched) -> Value {
        let mut object = serde_json::to_value(watched).unwrap_or_default();
        let questions = object.get_mut("questions").and_then(Value::as_array_mut);
        for (own, told) in watched.questions.iter().zip(questions.into_iter().flatten()) {
            let of_rule =
                |rule: &String| Some((rule.clone(), self.approvers.get(rule)?.as_str().into()));
            let may: serde_json::Map<_, Value> = own.rules.iter().filter_map(of_rule).collect();
            if let (Value::Object(members), false) = (told, may.is_empty()) {
                members.insert("may_answer".to_owned(), Value::Object(may));
            }
        }
        let Value::Object(members) = &mut object else { return object };
        members.insert("verified".to_owned(), json!(self.verified));
        object
    }

    fn parts(&self, watched: &Watched) -> [Part; 8] {
        let now = watched.at;
        let (waiting, agreed): (Vec<_>, Vec<_>) =
            watched.questions.iter().partition(|own| own.state != "approved");
        let calls = watched.calls.iter().map(|own| {
            let over = if own.task_over { ", after its task had ended" } else { "" };
            let on = own.resource.as_ref();
            let on =
                on.map_or(String::new(), |(kind, id)| format!(" on {} {}", cell(kind), cell(id)));
            let since = span(now.since(own.since));
            vec![
                cell(&own.task),
                cell(&own.who),
                format!("{}{on}", cell(&own.tool)),
                format!("#{}, for {since}{over}", own.seq),
            ]
        });
        let halts = watched.halts.iter();
        let halts = halts.map(|own| {
            let until = own.until.map(|until| left(Some(until), now));
            vec![cell(&own.what), until.unwrap_or("until it is lifted".to_owned())]
        });
        let debts = watched.debts.iter().map(|own| {
            let due = match own.due > now {
                true => format!("due in {}", span(own.due.since(now))),
                false => "OVERDUE".to_owned(),
            };
            vec![cell(&own.task), cell(&own.who), due, quoted(&own.justification)]
        });
        let credentials = watched.credentials.iter().map(|own| {
            let what = format!("{} by {}", cell(&own.credential), cell(&own.provider));
            vec![
                cell(&own.task),
                what,
                own.state.clone(),
                format!("{}, {}", cell(&own.name), left(Some(own.expires), now)),
            ]
        });
        [
            Part { title: "halted", rows: halts.collect() },
            Part {
                title: "open tasks",
                rows: watched.tasks.iter().map(|own| task(own, now)).collect(),
            },
            Part {
                title: "live grants",
                rows: watched.grants.iter().map(|own| grant(own, now)).collect(),
            },
            Part { title: "calls without an outcome", rows: calls.collect() },
            Part {
                title: "waiting for people",
                rows: waiting.iter().map(|own| self.question(own, now)).collect(),
            },
            Part {
                title: "agreed to, and not used",
                rows: agreed.iter().map(|own| self.question(own, now)).collect(),
            },
            Part { title: "reviews owed for a broken glass", rows: debts.collect() },
            Part { title: "credentials out", rows: credentials.collect() },
        ]
    }

    fn question(&self, own: &WatchedQuestion, now: Timestamp) -> Vec<String> {
        let verb = if own.of_call { "to call" } else { "to hold" };
        let mut told = left(own.until, now);
        for rule in &own.rules {
            let _ = write!(told, "; {}", cell(rule));
            if let Some(who) = self.approvers.get(rule) {
                let _ = write!(told, ": {}", cell(who));
            }
        }
        if own.state != "approved" {
            let parties: Vec<_> =
                [&own.who].into_iter().chain(&own.parties).map(|own| cell(own)).collect();
            let _ = write!(told, "; not {}", parties.join(", "));
        }
        if !own.agreed.is_empty() {
            let agreed: Vec<_> = own.agreed.iter().map(|own| cell(own)).collect();
            let _ = write!(told, "; agreed: {}", agreed.join(", "));
        }
        vec![
            cell(&own.task),
            cell(&own.who),
            format!("{verb} {}", names(&own.tools)),
            cell(&own.id),
            told,
        ]
    }
}

fn task(own: &WatchedTask, now: Timestamp) -> Vec<String> {
    let mut why = cell(&own.purpose);
    if let Some(ticket) = &own.ticket {
        let _ = write!(why, ", {}", cell(ticket));
    }
    if let Some(intent) = &own.intent {
        let _ = write!(why, ", {}", quoted(intent));
    }
    let until = match own.dormant {
        true => "its process has ended".to_owned(),
        false => left(Some(own.ceiling), now),
    };
    vec![cell(&own.task), for_whom(&own.who, &own.acts_for), until, why]
}

fn grant(own: &WatchedGrant, now: Timestamp) -> Vec<String> {
    let until = match own.starts.filter(|starts| now < *starts) {
        Some(starts) => format!("from {starts}"),
        None => left(Some(own.expires), now),
    };
    let many = if own.calls == 1 { "call" } else { "calls" };
    let mut told = format!("{} {many}, by {}", own.calls, names(&own.rules));
    if own.parent.is_some() {
        told.push_str(", delegated");
    }
    if own.break_glass {
        told.push_str(", GLASS BROKEN");
    }
    vec![cell(&own.task), for_whom(&own.holder, &own.acts_for), names(&own.tools), until, told]
}

impl Part {
    fn tell(&self, text: &mut String, most: usize) {
        let _ = writeln!(text, "\n{} ({})", self.title, self.rows.len());
        let rows: Vec<Vec<String>> = self.rows.iter().take(most).map(|row| fitted(row)).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|at| {
                rows.iter().filter_map(|row| row.get(at)).map(|own| own.chars().count()).max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(own, width)| format!("  {own:width$}"));
            let line: String = cells.collect();
            let _ = writeln!(text, "{}", line.trim_end());
        }
        if self.rows.len() > rows.len() {
            let _ = writeln!(text, "  and {} more", self.rows.len() - rows.len());
        }
    }
}

/// The cells of a row, of which all but the last are cut.
fn fitted(row: &[String]) -> Vec<String> {
    let last = row.len().saturating_sub(1);
    let fit = |(at, own): (usize, &String)| {
        let most = if at == last { 4 * WIDEST } else { WIDEST };
        match own.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", own.get(..end).unwrap_or_default()),
            None => own.clone(),
        }
    };
    row.iter().enumerate().map(fit).collect()
}

/// A name of the log: none has two spaces in a row, which are between columns.
fn cell(text: &str) -> String {
    plain(text).replace("  ", " \\u{20}")
}

/// What people and agents wrote, of which no part can look like its end.
fn quoted(text: &str) -> String {
    format!("\"{}\"", cell(text).replace('"', "\\\""))
}

fn for_whom(who: &str, acts_for: &[String]) -> String {
    let names = [who].into_iter().chain(acts_for.iter().map(String::as_str)).map(cell);
    names.collect::<Vec<_>>().join(" for ")
}

fn names(names: &[String]) -> String {
    match names.is_empty() {
        true => "what is not in the log".to_owned(),
        false => names.iter().map(|own| cell(own)).collect::<Vec<_>>().join(", "),
    }
}

fn left(until: Option<Timestamp>, now: Timestamp) -> String {
    match until {
        None => "until its task ends".to_owned(),
        Some(until) if until > now => format!("{} left", span(until.since(now))),
        Some(_) => "its time is over".to_owned(),
    }
}

/// A length of time, in its two largest units.
fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}
