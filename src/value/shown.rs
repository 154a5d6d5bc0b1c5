//! Untrusted text, made safe to show to people.

use std::fmt::{self, Write as _};

/// The most characters of untrusted text a message repeats: enough to recognise a name, too little to
/// bury the message.
const MOST_SHOWN: usize = 64;

/// Text in backticks with everything invisible, reordering or line-breaking escaped, cut short, so that
/// what an agent wrote cannot forge or hide a message (`attack 118`, `attack 134`).
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(MOST_SHOWN) {
            if is_hidden(c) || c == '`' || c == '\\' {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.next().is_some() {
            f.write_str("...")?;
        }
        f.write_char('`')
    }
}

/// Whether a reader of text cannot see that this character is there, or sees others in another order
/// because of it: controls, line separators, zero-width and bidirectional marks, fillers, variation
/// selectors, tags.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_and_reordering_characters_are_spelled_out() {
        let shown = Shown("a\n\u{200b}b\u{202e}c`\\").to_string();
        assert_eq!(shown, r"`a\u{a}\u{200b}b\u{202e}c\u{60}\u{5c}`");
    }

    #[test]
    fn letters_of_any_script_are_shown_as_they_are() {
        assert_eq!(Shown("zürich 東京 🙂").to_string(), "`zürich 東京 🙂`");
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        assert_eq!(Shown(&"é".repeat(64)).to_string(), format!("`{}`", "é".repeat(64)));
        assert_eq!(Shown(&"é".repeat(65)).to_string(), format!("`{}...`", "é".repeat(64)));
    }
}
