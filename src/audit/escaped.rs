//! JSON in which nothing hidden stands as itself.

use std::fmt::Write as _;

use crate::visible::is_hidden;

/// Writes JSON after what `text` holds; what is hidden stands only within its texts, and is escaped there.
pub(super) fn push_escaped(text: &mut String, json: &str) {
    // Most text is printable ASCII, which is seen without a branch for each byte, many at a time.
    if json.bytes().fold(true, |plain, byte| plain & (0x20..0x7f).contains(&byte)) {
        text.push_str(json);
        return;
    }
    for character in json.chars() {
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
}
