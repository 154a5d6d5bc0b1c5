//! What a log is called in its checkpoints, so that no two logs are ever taken for each other.

use std::fmt::Write;

use crate::audit::{LogId, Origin};

/// Issuer, audience and the log's id, which no other log has. What can't stand in a name is written as `%XX`.
pub(in crate::audit) fn origin_of(log: &LogId, origin: &Origin<'_>) -> String {
    let mut name = String::new();
    for part in [origin.issuer(), origin.audience()] {
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    name.push(char::from(byte));
                }
                // Writing to a text does not fail.
                _ => drop(write!(name, "%{byte:02X}")),
            }
        }
        name.push('/');
    }
    name.push_str(&log.to_string());
    name
}
