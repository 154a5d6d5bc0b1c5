//! Words that stand out, on a terminal.

use std::io::{self, IsTerminal};

/// Whether colours are written: only to a terminal, and not where `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style(bool);

impl Style {
    pub(super) fn of_output() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style(io::stdout().is_terminal() && !refused)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.coloured("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.coloured("1;31", text)
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        self.coloured("33", text)
    }

    fn coloured(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text of the log as a person may safely read it: nothing in it can end a line, hide, or turn around what
/// follows.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            ' '..='~' => shown.push(character),
            c if c.is_alphanumeric() => shown.push(c),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}
