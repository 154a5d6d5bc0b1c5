//! A line of a view: one fact, and what has to be said of how it is shown.

use std::fmt;

use super::shown::Shown;
use crate::value::{Digest, Value};

/// One fact of what people are asked about.
///
/// Printed, it is a line of the view: `LABEL: VALUE`, and in brackets behind it what is to be said of the value.
/// Values are JSON whose texts are in quotes, so that nothing in a value can look like what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewLine {
    label: Box<str>,
    value: Box<str>,
    notes: Box<str>,
    marks: Marks,
}

/// What has to be said of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    is_cut: bool,
    is_uninspectable: bool,
    is_untrusted: bool,
    is_material: bool,
}

impl ViewLine {
    /// A line of the crate's own words.
    pub(super) fn said(label: &str, value: impl fmt::Display) -> ViewLine {
        let (value, notes) = (value.to_string().into(), Box::default());
        ViewLine { label: label.into(), value, notes, marks: Marks::default() }
    }

    /// A line whose value somebody stated.
    pub(super) fn stated(label: &str, value: &Value) -> ViewLine {
        ViewLine::of(label, Shown::of(value), &|| (length(value), value.digest()))
    }

    /// A line with a text that somebody stated.
    pub(super) fn text(label: &str, text: &str) -> ViewLine {
        let whole = || (text.len(), Value::Text(text.into()).digest());
        ViewLine::of(label, Shown::of_text(text), &whole)
    }

    /// A line that stands for several that are left out.
    pub(super) fn left_out(label: &str, value: impl fmt::Display, digest: &Digest) -> ViewLine {
        let mut line = ViewLine::said(label, value);
        line.marks.is_cut = true;
        line.notes = format!(" [cut; sha-256 {digest}]").into();
        line
    }

    fn of(label: &str, shown: Shown, whole: &dyn Fn() -> (usize, Digest)) -> ViewLine {
        let marks = Marks {
            is_cut: shown.is_cut,
            is_uninspectable: shown.is_unreadable,
            is_untrusted: false,
            is_material: false,
        };
        let mut notes = String::new();
        if shown.is_cut || shown.is_unreadable {
            let word = if shown.is_cut { "cut" } else { "whole" };
            let (bytes, digest) = whole();
            notes += &format!(" [{word}; {bytes} bytes; sha-256 {digest}]");
        }
        if shown.is_unreadable {
            notes += " [uninspectable]";
        }
        if !shown.alike.is_empty() {
            let letters: Vec<String> =
                shown.alike.iter().map(|c| c.escape_unicode().to_string()).collect();
            notes += &format!(" [looks like other letters: {}]", letters.join(" "));
        }
        ViewLine { label: label.into(), value: shown.text.into(), notes: notes.into(), marks }
    }

    /// Says something in brackets behind the value.
    pub(super) fn note(mut self, note: &str) -> ViewLine {
        self.notes = format!("{} [{note}]", self.notes).into();
        self
    }

    /// What an argument refers to: its digest, which is what people can't look into.
    pub(super) fn material(label: &str, digest: &Digest) -> ViewLine {
        let mut line =
            ViewLine::said(label, format_args!("sha-256 {digest}")).note("uninspectable");
        (line.marks.is_uninspectable, line.marks.is_material) = (true, true);
        line
    }

    pub(super) fn is_material(&self) -> bool {
        self.marks.is_material
    }

    /// Says that the agent wrote it.
    pub(super) fn untrusted(mut self) -> ViewLine {
        self.marks.is_untrusted = true;
        self.note("untrusted")
    }

    /// Which fact it is: `tool`, `argument amount`, `purpose`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The fact, without what is said of it.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What is said of the value, in brackets; empty for most.
    pub fn notes(&self) -> &str {
        self.notes.trim_start()
    }

    /// Whether the middle of the value was left out. Its length and digest stand among the notes.
    pub fn is_cut(&self) -> bool {
        self.marks.is_cut
    }

    /// Whether the value is data that no one can read: encoded, binary, or a digest of something else.
    pub fn is_uninspectable(&self) -> bool {
        self.marks.is_uninspectable
    }

    /// Whether the agent wrote the value to explain itself: it is not part of what will run.
    pub fn is_untrusted(&self) -> bool {
        self.marks.is_untrusted
    }
}

/// Bytes of a text, or of anything else as JSON.
fn length(value: &Value) -> usize {
    value.as_text().map_or_else(|| value.to_json().len(), str::len)
}

impl fmt::Display for ViewLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ViewLine { label, value, notes, .. } = self;
        write!(f, "{label}: {value}{notes}")
    }
}
