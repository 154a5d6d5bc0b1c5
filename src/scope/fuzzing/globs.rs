//! Globs: whatever the pattern, it agrees with a matcher that tries everything.

use super::super::glob::Glob;
use super::two_texts;

/// The longest pattern and text the naive matcher is asked of: trying every segment takes exponential time.
const NAIVE: usize = 24;

/// A pattern and a text, apart at the first zero byte: the matcher agrees with a naive one.
pub fn globs(bytes: &[u8]) {
    let Some((pattern, text)) = two_texts(bytes) else { return };
    let Ok(glob) = Glob::new(pattern) else { return };
    assert_eq!(glob.as_str(), pattern);
    let matches = glob.matches(text);
    if pattern.len() <= NAIVE && text.len() <= NAIVE {
        assert_eq!(matches, naive(pattern, text), "`{pattern}` of `{text}`");
    }
    if !pattern.contains(['*', '?', '\\']) {
        assert_eq!(matches, pattern == text);
    }
}

/// By the table of [`glob`](crate::scope::glob()): one character or one segment at a time.
fn naive(pattern: &str, text: &str) -> bool {
    segments(&pattern.split('/').collect::<Vec<_>>(), &text.split('/').collect::<Vec<_>>())
}

fn segments(pattern: &[&str], text: &[&str]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([], _) => false,
        (["**"], _) => !text.is_empty() && !text.iter().any(|own| own.contains(is_odd_control)),
        (["**", rest @ ..], _) => (0..=text.len())
            .take_while(|skipped| !text[..*skipped].iter().any(|own| own.contains(is_odd_control)))
            .any(|skipped| segments(rest, &text[skipped..])),
        ([first, rest @ ..], [own, others @ ..]) => {
            let (first, own): (Vec<char>, Vec<char>) =
                (first.chars().collect(), own.chars().collect());
            characters(&first, &own) && segments(rest, others)
        }
        (_, []) => false,
    }
}

/// What no wildcard takes for a letter.
fn is_odd_control(c: char) -> bool {
    c.is_control() && c != '\t' && c != '\n'
}

fn characters(pattern: &[char], text: &[char]) -> bool {
    // Which beginnings of the text the pattern so far matches.
    let mut matched: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    let mut rest = pattern.iter();
    while let Some(own) = rest.next() {
        // Behind a `\`, a character is meant itself.
        let (own, is_itself) = match own {
            '\\' => (rest.next().unwrap_or(own), true),
            own => (own, false),
        };
        matched = (0..=text.len())
            .map(|length| match own {
                '*' if !is_itself => (0..=length)
                    .rev()
                    .take_while(|from| !text[*from..length].iter().any(|c| is_odd_control(*c)))
                    .any(|from| matched[from]),
                _ if length == 0 => false,
                '?' if !is_itself => matched[length - 1] && !is_odd_control(text[length - 1]),
                own => matched[length - 1] && *own == text[length - 1],
            })
            .collect();
    }
    matched[text.len()]
}
