//! The first character of a secret, written in every way that a reading of two escapes knows.

use super::scrubbed;

/// attack 128
#[test]
fn a_secret_is_found_however_its_first_character_is_escaped() {
    for first in [
        "p",
        "%70",
        "%2570",
        "%%37%30",
        "%\\u00370",
        "%7\\u0030",
        "\\u0070",
        "\\\\u0070",
        "\\u005cu0070",
        "\\%750070",
        "%5cu0070",
        "%5c%750070",
        "\\u002570",
    ] {
        let text = format!("={first}a/ss\"word-of-orders=");
        assert_eq!(scrubbed(&text), "=[redacted]=", "{first}");
    }
}
