//! How a log that is watched is told, each time it has grown.

use std::io::{self, IsTerminal, Write};

use hallpass::audit::{Record, Sentence, Watched};
use serde_json::Value;

use super::board::Board;
use crate::json_line::write_json;
use crate::log::style::plain;
use crate::remark::remark;

/// How many rows of each part of a table are drawn again and again.
const ROWS: usize = 8;

/// For whom it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// A person at a terminal: a table, drawn anew.
    Table,
    /// A file or a pipe: the table once, and then a line for each record.
    Lines,
    /// A program: how it stands, each time that is another.
    Json,
}

impl View {
    pub(super) fn of(json: bool, once: bool) -> Self {
        match (json, once) {
            (true, _) => View::Json,
            (false, false) if io::stdout().is_terminal() => View::Table,
            (false, _) => View::Lines,
        }
    }
}

/// Tells how a log stands.
pub(super) struct Teller {
    view: View,
    board: Board,
    /// The last record that was told of; nothing before the first time.
    told: Option<u64>,
    /// What records since then say.
    news: Vec<String>,
    /// What was told last.
    before: Option<Value>,
}

impl Teller {
    pub(super) fn new(view: View, board: Board) -> Self {
        Teller { view, board, told: None, news: Vec::new(), before: None }
    }

    /// The log is read from its beginning again, and told so: what was told of may be none of it any more.
    pub(super) fn begin_anew(&mut self) {
        (self.told, self.before) = (None, None);
        self.news.clear();
        if self.view != View::Table {
            remark(
                "records at the end of the log were taken back, as where a disk is full: it is read anew",
            );
        }
    }

    /// Takes a record.
    pub(super) fn note(&mut self, record: &Record) {
        if self.view == View::Lines && self.told.is_some_and(|told| record.seq > told) {
            self.news.extend(line_of(record));
        }
    }

    /// Tells how it stands now.
    ///
    /// # Errors
    /// What keeps it from being told.
    pub(super) fn tell(&mut self, watched: &Watched) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match (self.view, self.told) {
            (View::Table, told) => {
                let text = self.board.text(watched, ROWS).replace('\n', "\x1b[K\n");
                let clear = if told.is_none() { "\x1b[2J" } else { "" };
                write!(out, "{clear}\x1b[H{text}\x1b[J")?;
            }
            (View::Lines, None) => {
                out.write_all(self.board.text(watched, usize::MAX).as_bytes())?
            }
            (View::Lines, Some(_)) => {
                for line in self.news.drain(..) {
                    writeln!(out, "{line}")?;
                }
            }
            (View::Json, _) => {
                let object = self.board.object(watched);
                if self.before.as_ref().is_none_or(|before| !is_same(before, &object)) {
                    write_json(&mut out, &object)?;
                    self.before = Some(object);
                }
            }
        }
        self.told = Some(watched.through);
        out.flush()
    }
}

/// Whether two objects differ in nothing but the moment that they are of.
fn is_same(one: &Value, other: &Value) -> bool {
    let (Value::Object(one), Value::Object(other)) = (one, other) else { return false };
    let says = |(key, _): &(&String, &Value)| *key != "at" && *key != "through";
    one.iter().filter(says).eq(other.iter().filter(says))
}

/// What a record says, and of which task.
fn line_of(record: &Record) -> Option<String> {
    let sentence = Sentence::of(record)?;
    Some(match record.event.task() {
        Some(task) => {
            let Sentence { seq, at, text, .. } = sentence;
            format!("{at}  #{seq}  {}: {text}", plain(task))
        }
        None => sentence.to_string(),
    })
}
