//! A line, and the number that it begins with.

/// The number that a record's line begins with, and the rest of it, which a record has before it has its
/// place; `None` unless it is spelled as the broker writes it.
pub(super) fn split(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.strip_prefix(r#"{"seq":"#)?.split_once(',')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let has_one_spelling = is_plain && (number == "0" || !number.starts_with('0'));
    let is_record = has_one_spelling && rest.starts_with('"');
    Some((number.parse().ok().filter(|_| is_record)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line, one number, one rest: the tag covers these.
    #[test]
    fn a_number_has_one_spelling() {
        for seq in [0, 7, 10, u64::MAX] {
            let line = format!(r#"{{"seq":{seq},"at":1,"kind":"void","from":2}}"#);
            assert_eq!(split(&line), Some((seq, r#""at":1,"kind":"void","from":2}"#)));
        }
        for number in ["07", "00", "+7", "-7", " 7", "7 ", "7.0", "7e0", "", "18446744073709551616"]
        {
            assert_eq!(split(&format!(r#"{{"seq":{number},"at":1}}"#)), None, "{number}");
        }
        for line in [
            r#"{"at":1,"seq":7,"x":1}"#,
            r#"{ "seq":7,"at":1}"#,
            r#"{"seq":7}"#,
            r#"{"seq":7, "at":1}"#,
            "",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
