//! What texts have in them that tools may act on: segments that lead elsewhere, and controls.

use super::truth::Truth;

/// Whether some segment, between `/` or the ends, is `.` or `..`: to a reader of the text as a path it
/// leads somewhere else than it says.
pub(super) fn has_dot_segment(text: &str) -> bool {
    // Nearly no text has a dot that begins a segment.
    let mut rest = text.as_bytes();
    loop {
        if let [b'.', behind @ ..] = rest {
            let behind = behind.strip_prefix(b".").unwrap_or(behind);
            if matches!(behind.first(), None | Some(b'/')) {
                return true;
            }
        }
        match rest.iter().position(|byte| *byte == b'/') {
            Some(at) => rest = rest.get(at + 1..).unwrap_or_default(),
            None => return false,
        }
    }
}

/// Whether there is a control character other than tab and line feed, which texts of several lines have.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(is_control)
}

pub(super) fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n')
}

/// Whether a beginning is one of paths, so that segments `.` and `..` behind it matter: it has a `/`, and
/// does not itself speak of them.
pub(super) fn is_of_paths(start: &str) -> bool {
    start.contains('/') && !has_dot_segment(start)
}

/// `prefix`, of a text.
pub(super) fn begins_with(text: &str, start: &str) -> Truth {
    if is_of_paths(start) && has_dot_segment(text) {
        return Truth::Unknown;
    }
    Truth::of(text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attacks 1, 2
    #[test]
    fn a_segment_of_one_or_two_dots_is_found_wherever_it_stands() {
        for (text, found) in [
            (".", true),
            ("..", true),
            ("./a", true),
            ("../a", true),
            ("a/.", true),
            ("a/..", true),
            ("a/./b", true),
            ("a/../b", true),
            ("/..", true),
            ("//../x", true),
            ("https://acme.test/../x", true),
            ("", false),
            ("...", false),
            ("a/...", false),
            ("a/.b/c", false),
            ("a/..b/c", false),
            ("a./b../c", false),
            ("/.hidden", false),
            ("1.5/2.5", false),
        ] {
            assert_eq!(has_dot_segment(text), found, "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not_told_by_its_beginning() {
        for (text, start, truth) in [
            ("/data/a", "/data/", Truth::True),
            ("/etc/passwd", "/data/", Truth::False),
            ("/data/../etc/passwd", "/data/", Truth::Unknown),
            ("/etc/../data/a", "/data/", Truth::Unknown),
            ("../data/a", "../data/", Truth::True),
            ("report/..", "report", Truth::True),
        ] {
            assert_eq!(begins_with(text, start), truth, "{text} {start}");
        }
    }
}
