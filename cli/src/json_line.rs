//! One line of JSON, as programs read it and a terminal may show it.

use std::io::{self, Write};

use serde::Serialize;

/// Writes it as one line.
pub(crate) fn write_json(out: &mut impl Write, told: &impl Serialize) -> io::Result<()> {
    writeln!(out, "{}", visible(&serde_json::to_string(told)?))
}

/// A JSON text without invisible characters, and without those that a terminal obeys: what is neither ASCII nor a letter
/// or digit is escaped, and reads back as what it was.
fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\x7f'.. if !character.is_alphanumeric() => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                shown.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_hides_is_escaped_and_reads_back_as_what_it_was() {
        let told = serde_json::json!({ "é": "a\u{202e}\u{200b}\u{9b}\u{e0041}\u{1f600}\nb\"" });
        let mut out = Vec::new();
        write_json(&mut out, &told).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), told);
        let hides = |c: char| !c.is_ascii() && !c.is_alphanumeric();
        assert!(!line.contains(hides) && line.starts_with("{\"é\":\"a\\u202e\\u200b"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
