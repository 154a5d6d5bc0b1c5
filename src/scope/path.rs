//! Paths, by their spelling alone.

use std::borrow::Cow;

use super::truth::Truth;
use crate::visible::is_hidden;
use crate::word::Word;

/// Why text is not a path that can be judged by its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathFault {
    #[error("the path is empty")]
    Empty,
    /// Also where it would stay inside: behind a link, `link/..` is not what its spelling says.
    #[error("the path has a segment `..`")]
    Parent,
    #[error("the path has a backslash, which some tools take for a separator")]
    Backslash,
    #[error("the path has a `%`, which some tools decode")]
    Percent,
    #[error("the path begins with `~`, which some tools expand")]
    Home,
    #[error("the path has the hidden character `{}`", .0.escape_unicode())]
    Hidden(char),
}

/// The one spelling of a path: no empty segment, no `.`, no `/` at the end. The current folder is `.`.
///
/// Nothing is looked up and nothing decoded: links, case and Unicode forms are the file system's, so
/// `é` composed and decomposed are two paths. What another reader may take for something else is
/// refused instead of repaired.
pub(crate) fn canonical_path(path: &str) -> Result<Cow<'_, str>, PathFault> {
    // Nearly all paths are plain and spelled so: looked over once, as bytes.
    if is_plainly_canonical(path) { Ok(Cow::Borrowed(path)) } else { respelled(path) }
}

fn respelled(path: &str) -> Result<Cow<'_, str>, PathFault> {
    if path.is_empty() {
        return Err(PathFault::Empty);
    }
    for c in path.chars() {
        match c {
            '\\' => return Err(PathFault::Backslash),
            '%' => return Err(PathFault::Percent),
            c if is_hidden(c) => return Err(PathFault::Hidden(c)),
            _ => {}
        }
    }
    if path.starts_with('~') {
        return Err(PathFault::Home);
    }
    let (absolute, rest) = match path.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, path),
    };
    let mut canonical = true;
    for segment in rest.split('/') {
        match segment {
            ".." => return Err(PathFault::Parent),
            "" | "." => canonical = false,
            _ => {}
        }
    }
    if canonical || path == "/" || path == "." {
        return Ok(Cow::Borrowed(path));
    }
    let mut out = String::with_capacity(path.len());
    for segment in rest.split('/').filter(|segment| !matches!(*segment, "" | ".")) {
        if absolute || !out.is_empty() {
            out.push('/');
        }
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push(if absolute { '/' } else { '.' });
    }
    // `./~x` is a file of that name; without the `./` it would be taken for a home folder.
    if out.starts_with('~') {
        return Err(PathFault::Home);
    }
    Ok(Cow::Owned(out))
}

/// Whether a path is in its one spelling, of printable ASCII, and without anything to be looked at more
/// closely; what is not may still be canonical.
fn is_plainly_canonical(path: &str) -> bool {
    let bytes = path.as_bytes();
    let (Some((first, rest)), Some(last)) = (bytes.split_first(), bytes.last()) else {
        return false;
    };
    if matches!(first, b'~' | b'.') || *last == b'/' {
        return false;
    }
    let Some(end) = bytes.last_chunk() else {
        let turns = bytes.iter().zip(rest).any(|(byte, next)| *byte == b'/' && is_turn(*next));
        return !turns && bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && !is_odd(*byte));
    };
    let (words, _) = bytes.as_chunks();
    // What is left of the words is in the last eight bytes, which overlap with the words, so that no two
    // neighbours are in different words only.
    let mut slash_before = 0;
    words.iter().all(|word| are_plain(Word::of(*word), &mut slash_before))
        && are_plain(Word::of(*end), &mut 0)
}

/// Whether eight bytes of a path are plain, and none of them turns after a slash.
#[inline]
fn are_plain(word: Word, slash_before: &mut u64) -> bool {
    if !word.is_printable() {
        return false;
    }
    let slashes = word.places_of(b'/');
    let turns = slashes | word.places_of(b'.');
    let after_a_slash = slashes << 8 | *slash_before;
    *slash_before = slashes >> 56;
    after_a_slash & turns | word.places_of(b'\\') | word.places_of(b'%') == 0
}

fn is_turn(byte: u8) -> bool {
    matches!(byte, b'/' | b'.')
}

fn is_odd(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%')
}

/// Whether `path` is `folder` or lies in it, both in their one spelling.
pub(crate) fn is_under(path: &str, folder: &str) -> bool {
    match folder {
        "/" => path.starts_with('/'),
        "." => !path.starts_with('/'),
        folder => {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}

/// `under`, of a text.
pub(super) fn lies_under(text: &str, folder: &str) -> Truth {
    match canonical_path(text) {
        // Where a relative path leads depends on where the tool stands.
        Ok(Cow::Borrowed(path)) if path.starts_with('/') != folder.starts_with('/') => {
            Truth::Unknown
        }
        Ok(Cow::Borrowed(path)) => Truth::of(is_under(path, folder)),
        // Another spelling: the tool might get somewhere else than was judged.
        _ => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// attack 7
    #[test]
    fn other_spellings_of_a_path_become_the_one() {
        for (path, one) in [
            ("/data/./a", "/data/a"),
            ("/data/a/", "/data/a"),
            ("//data///a", "/data/a"),
            ("./a", "a"),
            ("a/.", "a"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            (".", "."),
            ("./", "."),
            ("/data/..a/b..", "/data/..a/b.."),
            ("/data/...", "/data/..."),
            ("/ü/x y", "/ü/x y"),
        ] {
            assert_eq!(canonical_path(path).as_deref(), Ok(one), "{path}");
        }
    }

    /// attacks 1, 2, 4, 5, 6
    #[test]
    fn what_others_may_read_otherwise_is_refused() {
        for (path, fault) in [
            ("", PathFault::Empty),
            ("/data/../etc/passwd", PathFault::Parent),
            ("..", PathFault::Parent),
            ("/data/a/../../etc/shadow", PathFault::Parent),
            ("/data//../x", PathFault::Parent),
            ("/data/./../x", PathFault::Parent),
            ("/data/a/..", PathFault::Parent),
            (r"/tmp/evil\..\..\data/s", PathFault::Backslash),
            ("/data/%2e%2e/etc", PathFault::Percent),
            ("/data/a\0.txt", PathFault::Hidden('\0')),
            ("/data/a\n", PathFault::Hidden('\n')),
            ("/data/a\r", PathFault::Hidden('\r')),
            ("/data/\u{1b}", PathFault::Hidden('\u{1b}')),
            ("/data/\u{202e}x", PathFault::Hidden('\u{202e}')),
            ("~/x", PathFault::Home),
            ("~root/x", PathFault::Home),
            ("./~root", PathFault::Home),
        ] {
            assert_eq!(canonical_path(path), Err(fault), "{path:?}");
        }
    }

    /// attacks 3, 9, 10
    #[test]
    fn only_what_lies_in_the_folder_is_under_it() {
        for (path, folder, under) in [
            ("/home/u/project/k", "/home/u/project", true),
            ("/home/u/project", "/home/u/project", true),
            ("/home/u/project-secrets/k", "/home/u/project", false),
            ("/home/u", "/home/u/project", false),
            ("/DATA/x", "/data", false),
            ("/cafe\u{301}/x", "/caf\u{e9}", false),
            ("/x", "/", true),
            ("x", "/", false),
            ("x", ".", true),
            ("/x", ".", false),
            ("data/x", "/data", false),
            ("/data/x", "data", false),
        ] {
            assert_eq!(is_under(path, folder), under, "{path} {folder}");
        }
    }

    proptest! {
        #[test]
        fn a_look_at_the_bytes_says_what_a_look_at_the_characters_says(
            path in "[ab./~%\\\\\n\u{7f} é]{0,10}|(/[a.]{0,3}){0,4}|(/?[ab]){0,14}|(/?[ab]){0,14}[./%é](/?[ab]){0,14}",
        ) {
            prop_assert_eq!(canonical_path(&path), respelled(&path));
            if is_plainly_canonical(&path) {
                prop_assert!(matches!(respelled(&path), Ok(Cow::Borrowed(_))));
            }
        }

        #[test]
        fn what_is_odd_is_seen_wherever_it_stands(before in "(/?[ab]){1,14}", after in "[ab](/?[ab]){0,14}") {
            let path = |between: &str| [&before, between, &after].concat();
            prop_assert!(is_plainly_canonical(&path("/")));
            for odd in ["//", "/.", "/../", "\\", "%", "\n", "\u{7f}", "é", "/~/./"] {
                prop_assert!(!is_plainly_canonical(&path(odd)), "{}", path(odd));
            }
        }

        #[test]
        fn the_one_spelling_is_its_own(path in "[ab./~]{0,10}") {
            if let Ok(one) = canonical_path(&path) {
                prop_assert!(matches!(canonical_path(&one), Ok(Cow::Borrowed(same)) if same == one));
                prop_assert_eq!(one.starts_with('/'), path.starts_with('/'));
                let segments = |p: &str| p.split('/').filter(|s| !matches!(*s, "" | ".")).map(str::to_owned).collect::<Vec<_>>();
                prop_assert_eq!(segments(&one), segments(&path));
            }
        }
    }
}
