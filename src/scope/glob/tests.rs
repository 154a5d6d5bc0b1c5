use super::*;
use proptest::prelude::*;

fn matches(pattern: &str, text: &str) -> bool {
    Glob::new(pattern).unwrap().matches(text)
}

/// The meaning again, as plainly as it can be said and as slow as that is.
fn naive(pattern: &[char], text: &[char], segment_start: bool) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*'] if segment_start => true,
        ['*', '*', '/', rest @ ..] if segment_start => {
            naive(rest, text, true)
                || (0..text.len()).any(|at| text[at] == '/' && naive(rest, &text[at + 1..], true))
        }
        ['*', rest @ ..] => {
            let rest: Vec<char> = rest.iter().copied().skip_while(|c| *c == '*').collect();
            (0..=text.len())
                .take_while(|at| *at == 0 || text[at - 1] != '/')
                .any(|at| naive(&rest, &text[at..], false))
        }
        ['?', rest @ ..] => match text {
            [first, others @ ..] => *first != '/' && naive(rest, others, false),
            [] => false,
        },
        [literal, rest @ ..] => match text {
            [first, others @ ..] => first == literal && naive(rest, others, *literal == '/'),
            [] => false,
        },
    }
}

proptest! {
    #[test]
    fn agrees_with_a_naive_matcher(
        pattern in "[ab/*?é]{1,9}",
        text in "[ab/é]{0,8}",
    ) {
        let naive = naive(
            &pattern.chars().collect::<Vec<_>>(),
            &text.chars().collect::<Vec<_>>(),
            true,
        );
        let glob = Glob::new(&pattern).unwrap();
        prop_assert_eq!(glob.matches(&text), naive);
        prop_assert_eq!(glob.automaton().unwrap().matches(&text, &mut |_| true), Some(naive));
    }

    #[test]
    fn a_pattern_without_wildcards_matches_itself_alone(
        pattern in "[a-c/é]{1,6}",
        text in "[a-c/é]{0,6}",
    ) {
        prop_assert!(matches(&pattern, &pattern));
        prop_assert_eq!(matches(&pattern, &text), pattern == text);
    }
}

/// attacks 9, 10, 13: nothing is folded.
#[test]
fn case_and_spelling_count() {
    assert!(!matches("/data/*", "/DATA/x"));
    assert!(!matches("shell:*", "Shell:rm"));
    assert!(!matches("caf\u{e9}*", "cafe\u{301}"));
    assert!(!matches("ſ*", "s") && !matches("K", "k"));
}

/// attacks 1, 2, 3, as text: a star stays within its segment, and a folder's name is no prefix.
#[test]
fn a_star_does_not_leave_its_segment() {
    for (pattern, text) in [
        ("/data/*", "/data/../etc/passwd"),
        ("/data/*", "/data/a/../../etc/shadow"),
        ("/data/*", "/data//../x"),
        ("/data/*", "/data/./../x"),
        ("/home/u/project/*", "/home/u/project-secrets/k"),
        ("/home/u/project/**", "/home/u/project-secrets/k"),
    ] {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}

/// attack 31
#[test]
fn an_empty_pattern_is_refused() {
    assert_eq!(Glob::new(""), Err(GlobError::Empty));
}

/// attack 50: a class is never read as text, nor text as a class.
#[test]
fn classes_alternatives_and_escapes_are_refused_with_what_to_use_instead() {
    for (pattern, found, instead) in [
        ("*[ab]", '[', "`regex`"),
        ("*b]", ']', "`regex`"),
        ("{a,b}", '{', "`any"),
        ("a}", '}', "`any"),
        (r"C:\x", '\\', "no escapes"),
    ] {
        let error = Glob::new(pattern).unwrap_err();
        assert!(matches!(&error, GlobError::Syntax { found: f, .. } if *f == found));
        assert!(error.to_string().contains(instead), "{error}");
    }
}

/// attacks 5, 12
#[test]
fn hidden_characters_are_refused() {
    for found in ['\0', '\n', '\r', '\u{1b}', '\u{200b}', '\u{202e}'] {
        let error = Glob::new(&format!("/a{found}/*")).unwrap_err();
        assert!(matches!(error, GlobError::Hidden { found: f, .. } if f == found));
        assert!(!error.to_string().contains(found), "{error}");
    }
}

/// attack 19
#[test]
fn size_and_wildcards_are_bounded() {
    assert!(Glob::new(&"a".repeat(MAX_GLOB)).is_ok());
    assert_eq!(Glob::new(&"a".repeat(MAX_GLOB + 1)), Err(GlobError::TooLong(MAX_GLOB + 1)));
    assert!(Glob::new(&"*a".repeat(MAX_WILDCARDS)).is_ok());
    assert_eq!(
        Glob::new(&"*a".repeat(MAX_WILDCARDS + 1)),
        Err(GlobError::TooManyWildcards(MAX_WILDCARDS + 1))
    );
    let longest = format!("{}{}", "*a".repeat(MAX_WILDCARDS), "b".repeat(MAX_GLOB - 64));
    assert!(Glob::new(&longest).is_ok_and(|glob| !glob.matches(&"ab".repeat(500))));
}

/// attack 19: exponential for a backtracking matcher.
#[test]
fn a_pattern_made_to_backtrack_is_matched_at_once() {
    let pattern = format!("{}b", "a*".repeat(MAX_WILDCARDS));
    assert!(!matches(&pattern, &"a".repeat(10_000)));
    let pattern = format!("{}b", "**/*a/".repeat(MAX_WILDCARDS / 2));
    assert!(!matches(&pattern, &"a/".repeat(5_000)));
}
