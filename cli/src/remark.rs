//! What is said on standard error while something runs.

use std::io::{self, Write};

/// Says something on standard error.
pub(crate) fn remark(text: &str) {
    // If standard error is gone, there is no other place to say it.
    let _ = writeln!(io::stderr(), "hallpass: {text}");
}

/// What a client or a server wrote, so that it can't forge a line.
pub(crate) fn shown(text: &str) -> String {
    let (short, cut) = match text.char_indices().nth(128) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), "…"),
        None => (text, ""),
    };
    format!("`{}{cut}`", short.escape_debug())
}
