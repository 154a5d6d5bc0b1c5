//! How a log lies on file: the names of its files, what the first line of each says, and what each line
//! after it is made of. `docs/log-format.md` says it for readers in other languages.

use serde::{Deserialize, Serialize};

use crate::audit::ChainTag;

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// What stands between a record and its tag, and after that.
const BEFORE_TAG: &str = r#","tag":""#;
const AFTER_TAG: &str = r#""}"#;

/// The name of the log's file of this number, counted from 1.
pub(super) fn name_of(file: u64) -> String {
    format!("log-{file:010}.jsonl")
}

/// The number of a file of this name.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let file = name.strip_prefix("log-")?.strip_suffix(".jsonl")?.parse().ok()?;
    (file > 0 && name_of(file) == name).then_some(file)
}

/// The first line of a file. Nothing that it says is believed: the chain shows where the file belongs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The format.
    hallpass_log: u32,
    /// Which of the log's files it is.
    pub(super) file: u64,
    /// The first number of its first record.
    pub(super) first: u64,
    /// The tag of the record before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<ChainTag>,
}

impl Head {
    pub(super) fn new(file: u64, first: u64, before: Option<ChainTag>) -> Self {
        Head { hallpass_log: FORMAT, file, first, before }
    }

    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        // Numbers and digits always have a JSON form.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// What the line says, in words if it is not a head of this format.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let head: Head = serde_json::from_str(line)
            .map_err(|_| "is not the first line of a log file".to_owned())?;
        match head.hallpass_log {
            FORMAT => Ok(head),
            other => Err(format!("has format {other}, expected {FORMAT}")),
        }
    }
}

/// Writes a record's line after what `text` holds, with its tag as the last member.
pub(super) fn push_line(text: &mut Vec<u8>, line: &str, tag: &ChainTag) {
    let mut digits = [0; 64];
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(tag.as_bytes()) {
        *pair = [byte >> 4, byte & 0xf].map(|half| half + if half < 10 { b'0' } else { b'a' - 10 });
    }
    text.extend_from_slice(line.strip_suffix('}').unwrap_or(line).as_bytes());
    text.extend_from_slice(BEFORE_TAG.as_bytes());
    text.extend_from_slice(&digits);
    text.extend_from_slice(AFTER_TAG.as_bytes());
    text.push(b'\n');
}

/// Takes a line of the file, without its end, apart: puts the record's line into `record`, and returns
/// its tag.
pub(super) fn split_line(line: &str, record: &mut String) -> Option<ChainTag> {
    let rest = line.strip_suffix(AFTER_TAG)?;
    let at = rest.len().checked_sub(64)?;
    let (before, tag) = rest.split_at_checked(at)?;
    let text = before.strip_suffix(BEFORE_TAG)?;
    record.clear();
    record.push_str(text);
    record.push('}');
    tag.parse().ok()
}

/// How many bytes a record's line takes in a file, with its tag and its end.
pub(super) fn length_in_file(line: &str) -> u64 {
    (line.len() + BEFORE_TAG.len() + 64 + AFTER_TAG.len()) as u64
}

/// The time of a record, in milliseconds since the Unix epoch: each says it right after its number.
pub(super) fn time_of(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(r#","at":"#)?;
    rest.split([',', '}']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_record_with_its_tag_as_the_last_member() {
        let tag = ChainTag::from_bytes([0xa5; 32]);
        let line = r#"{"seq":3,"at":17,"kind":"halted","what":"\",\"tag\":\""}"#;
        let mut text = Vec::new();
        push_line(&mut text, line, &tag);
        let text = String::from_utf8(text).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["tag"], tag.to_string());
        let mut record = String::new();
        assert_eq!(split_line(text.trim_end(), &mut record), Some(tag));
        assert_eq!(record, line);
        assert_eq!(text.len() as u64, length_in_file(line));
        assert_eq!(time_of(line), Some(17));
        let every_digit = ChainTag::from_bytes(std::array::from_fn(|at| (at * 73) as u8));
        let mut other = Vec::new();
        push_line(&mut other, line, &every_digit);
        assert!(String::from_utf8(other).unwrap().contains(&every_digit.to_string()));
        for broken in ["", "{}", line, &text[1..40], &text.trim_end().replace("a5", "A5")] {
            assert_eq!(split_line(broken, &mut record), None, "{broken}");
        }
    }

    #[test]
    fn a_file_has_one_name_and_a_head_one_format() {
        assert_eq!(name_of(7), "log-0000000007.jsonl");
        assert_eq!(number_of(&name_of(7)), Some(7));
        for other in ["log-7.jsonl", "log-0000000000.jsonl", "log-+000000007.jsonl", "lock"] {
            assert_eq!(number_of(other), None, "{other}");
        }
        let head = Head::new(2, 9, Some(ChainTag::from_bytes([1; 32])));
        assert_eq!(Head::read(head.line().trim_end()), Ok(head));
        let other = Head::read(r#"{"hallpass_log":2,"file":1,"first":1}"#).unwrap_err();
        assert_eq!(other, "has format 2, expected 1");
        assert!(Head::read(r#"{"seq":1}"#).is_err());
    }
}
