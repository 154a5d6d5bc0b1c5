//! `hallpass log timeline`: a task drawn.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use hallpass::audit::{ExplainedCall, Explanation, Outcome};
use hallpass::clock::Timestamp;

use super::source::{Source, Which};
use super::style::plain;
use crate::exit::Exit;

/// Which task is drawn.
#[derive(Debug, Args)]
pub(super) struct Timeline {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    which: Which,
    /// Write the page to this file, instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// More lines than a page can show are cut, and said.
const MOST: usize = 2_000;

impl Timeline {
    pub(super) fn run(self) -> Exit {
        let (stories, read) = match self.source.stories(&self.which) {
            Ok(told) => told,
            Err(problem) => return Exit::unable(problem),
        };
        if stories.is_empty() {
            return self.source.warn(&read, Exit::unable(self.which.missing()));
        }
        let page = page(&stories);
        let written = match &self.out {
            Some(file) => std::fs::write(file, page),
            None => io::stdout().lock().write_all(page.as_bytes()),
        };
        self.source.warn(&read, Exit::of_report(written.map(|()| Exit::Fine)))
    }
}

/// The page: no script, and nothing from elsewhere.
fn page(stories: &[Explanation]) -> String {
    let name = stories.first().map(|story| text(&story.task)).unwrap_or_default();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{name}</title>\n<style>{STYLE}</style></head>\n<body>\n"
    );
    for story in stories {
        // Writing to a `String` does not fail.
        let _ = tell(&mut page, story);
    }
    page.push_str("</body></html>\n");
    page
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em;max-width:75em;color:#222}\
svg{width:100%;height:auto;font-size:11px}table{border-collapse:collapse}td{padding:.1em .8em .1em 0;vertical-align:top}\
td:first-child,td:nth-child(2){white-space:nowrap;color:#666}.grant{fill:#9ecae1}.ok{fill:#31a354}.bad{fill:#de2d26}\
.open{fill:#999}.task{fill:#ddd}.mark{fill:#756bb1}.axis{stroke:#bbb}.axis+text,.when{fill:#666}";

fn tell(page: &mut String, story: &Explanation) -> fmt::Result {
    writeln!(page, "<h1>{}</h1>", text(&story.task))?;
    let whom = story.acts_for.iter().map(|name| text(name)).collect::<Vec<_>>().join(", for ");
    let whom = if whom.is_empty() { whom } else { format!(", for {whom}") };
    write!(
        page,
        "<p>{} {}{whom}; purpose {}",
        text(&story.who_kind),
        text(&story.who),
        text(&story.purpose)
    )?;
    if let Some(ticket) = &story.ticket {
        write!(page, ", ticket {}", text(ticket))?;
    }
    if let Some(intent) = &story.intent {
        write!(page, "; {}", text(intent))?;
    }
    let ended = match &story.ended {
        Some(end) => format!("{} at {}", end.how.as_str(), end.at),
        None => "not ended".to_owned(),
    };
    let (grants, calls, denied) = (story.grants.len(), story.calls.len(), story.denied);
    writeln!(
        page,
        ".<br>Opened {}, {ended}. {grants} grants, {calls} calls, {denied} denied.</p>",
        story.opened
    )?;
    draw(page, story)?;
    writeln!(page, "<table>")?;
    for own in story.sentences.iter().take(MOST) {
        writeln!(
            page,
            "<tr><td>{}</td><td>#{}</td><td>{}</td></tr>",
            own.at,
            own.seq,
            escape(&own.text)
        )?;
    }
    writeln!(page, "</table>")?;
    match story.sentences.len() > MOST {
        true => {
            writeln!(page, "<p>{} more records are not shown.</p>", story.sentences.len() - MOST)
        }
        false => Ok(()),
    }
}

const LEFT: f64 = 220.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 18.0;

/// Where times stand on the page.
struct Scale {
    from: Timestamp,
    millis: f64,
}

impl Scale {
    fn of(story: &Explanation) -> Self {
        let told = story.sentences.iter().map(|own| own.at);
        let ends = story.grants.iter().filter_map(|own| own.ended.as_ref()).map(|end| end.at);
        let to = told.chain(ends).max().unwrap_or(story.opened);
        Scale { from: story.opened, millis: to.since(story.opened).as_millis().max(1) as f64 }
    }

    fn x(&self, at: Timestamp) -> f64 {
        LEFT + (at.since(self.from).as_millis() as f64 / self.millis).min(1.0) * WIDTH
    }

    /// From a time to another, or to the end of the picture.
    fn bar(&self, from: Timestamp, to: Option<Timestamp>) -> (f64, f64) {
        let (x, end) = (self.x(from), to.map_or(LEFT + WIDTH, |to| self.x(to)));
        (x, (end - x).max(2.0))
    }
}

/// The task, and below it each grant, with its calls on it.
fn draw(page: &mut String, story: &Explanation) -> fmt::Result {
    let scale = Scale::of(story);
    let grants: Vec<_> = story.grants.iter().take(MOST).collect();
    let height = ROW * (grants.len() as f64 + 4.0);
    let full = LEFT + WIDTH + 10.0;
    writeln!(
        page,
        "<svg viewBox=\"0 0 {full} {height}\" role=\"img\" aria-label=\"what access was live when\">"
    )?;
    for part in 0..=4_u32 {
        let at = scale.from.checked_add(std::time::Duration::from_millis(
            (scale.millis * f64::from(part) / 4.0) as u64,
        ));
        let at = at.unwrap_or(scale.from);
        let x = scale.x(at);
        writeln!(
            page,
            "<line class=\"axis\" x1=\"{x:.1}\" y1=\"{ROW}\" x2=\"{x:.1}\" y2=\"{height}\"/>"
        )?;
        let anchor = if part == 4 { "end" } else { "start" };
        writeln!(
            page,
            "<text class=\"when\" x=\"{x:.1}\" y=\"12\" text-anchor=\"{anchor}\">{at}</text>"
        )?;
    }
    let y = ROW * 1.3;
    let (x, width) = scale.bar(story.opened, story.ended.as_ref().map(|end| end.at));
    label(page, y, "task", &format!("until {} at the latest", story.ceiling))?;
    bar(page, "task", (x, y, width), &story.task)?;
    for (row, grant) in grants.iter().enumerate() {
        let y = ROW * (row as f64 + 2.3);
        let (x, width) = scale.bar(grant.at, grant.ended.as_ref().map(|end| end.at));
        let end = grant
            .ended
            .as_ref()
            .map_or("stands".to_owned(), |end| format!("{} at {}", end.why, end.at));
        let told = format!("{}, by {}; {end}", grant.id, grant.rules.join(", "));
        label(page, y, &grant.holder, &told)?;
        bar(page, "grant", (x, y, width), &told)?;
        let own = story.calls.iter().filter(|call| call.chain.first() == Some(&grant.id));
        for call in own.take(MOST) {
            let (x, width) = scale.bar(call.at, call.ended.as_ref().map(|end| end.at));
            bar(page, kind_of(call), (x, y + 4.0, width), &of_call(call))?;
        }
    }
    let y = ROW * (grants.len() as f64 + 2.3);
    label(page, y, "records", "all that the log says of this task")?;
    for own in story.sentences.iter().take(MOST) {
        let x = scale.x(own.at);
        let told = format!("#{} {}", own.seq, own.text);
        writeln!(
            page,
            "<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"2.5\"><title>{}</title></circle>",
            y + 6.0,
            escape(&told)
        )?;
    }
    writeln!(page, "</svg>")
}

fn kind_of(call: &ExplainedCall) -> &'static str {
    match call.ended.as_ref().map(|end| end.outcome) {
        Some(Outcome::Ok) => "ok",
        Some(Outcome::Abandoned) | None => "open",
        Some(_) => "bad",
    }
}

fn of_call(call: &ExplainedCall) -> String {
    let outcome = call.ended.as_ref().map_or("no outcome", |end| end.outcome.as_str());
    let agreed: Vec<_> = call.agreements.iter().flat_map(|own| own.agreed()).collect();
    let agreed = if agreed.is_empty() {
        String::new()
    } else {
        format!(", agreed by {}", agreed.join(", "))
    };
    format!("#{} {}, by {}{agreed}: {outcome}", call.seq, call.tool, call.rules.join(", "))
}

fn label(page: &mut String, y: f64, name: &str, title: &str) -> fmt::Result {
    let short: String = name.chars().take(32).collect();
    let y = y + 10.0;
    writeln!(
        page,
        "<text x=\"0\" y=\"{y:.1}\">{}<title>{}</title></text>",
        text(&short),
        text(title)
    )
}

fn bar(page: &mut String, class: &str, (x, y, width): (f64, f64, f64), title: &str) -> fmt::Result {
    let height = if class == "grant" || class == "task" { 12.0 } else { 5.0 };
    writeln!(
        page,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\"><title>{}</title></rect>",
        text(title)
    )
}

/// Text of the log in a page.
fn text(text: &str) -> String {
    escape(&plain(text))
}

/// What a sentence says is plain already.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
