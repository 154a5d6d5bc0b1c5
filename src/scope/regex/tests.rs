use super::*;
use proptest::prelude::*;

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().matches(text)
}

/// attack 18
#[test]
fn the_whole_text_is_matched() {
    let rule = Regex::new("prod-[a-z]+").unwrap();
    assert!(rule.matches("prod-eu"));
    for text in ["x; rm prod-a; y", "prod-a\n", "\nprod-a", "prod-", "prod-aé", "Prod-a", ""] {
        assert!(!rule.matches(text), "{text}");
    }
}

#[test]
fn expressions_mean_what_they_mean_elsewhere() {
    for (pattern, yes, no) in [
        ("a|bc", &["a", "bc"][..], &["ac", "abc", "b"][..]),
        ("(a|b)c", &["ac", "bc"], &["a", "abc"]),
        ("a{2}", &["aa"], &["a", "aaa"]),
        ("a{2,}", &["aa", "aaaa"], &["a"]),
        ("a{0,2}", &["", "a", "aa"], &["aaa"]),
        ("(ab)+", &["ab", "abab"], &["", "aba"]),
        ("[a-c]?x", &["x", "bx"], &["dx"]),
        ("[^a-c]", &["d", "é", "\n"], &["a", "c", ""]),
        ("[-a]", &["-", "a"], &["b"]),
        ("[a-]", &["-", "a"], &["b"]),
        (r"[\]\d_]+", &["]1_"], &["a"]),
        (r"\d+\.\d\d", &["10.50"], &["10x50", "١٠.٥٠"]),
        (r"\w\s\W", &["a !"], &["a b"]),
        (".*", &["", "any é"], &["two\nlines"]),
        (r"a\*b\\", &["a*b\\"], &["aab"]),
        ("(a*)*", &["", "aaa"], &["b"]),
    ] {
        for text in yes {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for text in no {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}

/// attacks 19, 31
#[test]
fn what_is_too_large_or_means_something_else_is_refused() {
    let long = "a".repeat(MAX_REGEX + 1);
    let megabyte = "a".repeat(1 << 20);
    let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    for (pattern, fault) in [
        ("", RegexFault::Empty),
        ("a|", RegexFault::Empty),
        ("()", RegexFault::Empty),
        (&long, RegexFault::TooLong),
        (&megabyte, RegexFault::TooLong),
        (&deep, RegexFault::TooDeep),
        ("((a{100}){100}){100}", RegexFault::TooLarge),
        ("(a{1000}){1000}", RegexFault::TooLarge),
        ("^a", RegexFault::Anchor),
        ("a$", RegexFault::Anchor),
        ("(?i)a", RegexFault::Extension),
        ("(?=a)b", RegexFault::Extension),
        ("*a", RegexFault::NothingToRepeat),
        ("a**", RegexFault::Repeated),
        ("a*?", RegexFault::Repeated),
        ("a{2}{3}", RegexFault::Repeated),
        ("a{", RegexFault::Repetition),
        ("a{3,2}", RegexFault::Repetition),
        ("a{1001}", RegexFault::Repetition),
        ("a{0}", RegexFault::Repetition),
        (r"\1", RegexFault::Escape),
        (r"\b", RegexFault::Escape),
        (r"a\", RegexFault::Escape),
        ("[]", RegexFault::Class),
        ("[z-a]", RegexFault::Class),
        ("[a", RegexFault::Class),
        ("[[:alpha:]]", RegexFault::Class),
        ("(a", RegexFault::Unbalanced),
        ("a)", RegexFault::Unbalanced),
        ("a]", RegexFault::Unbalanced),
    ] {
        let error = Regex::new(pattern).unwrap_err();
        assert_eq!(error.fault, fault, "{pattern}");
        assert!(error.to_string().len() < 300);
    }
}

/// attack 19: exponential for a backtracking matcher.
#[test]
fn a_pattern_made_to_backtrack_is_matched_at_once() {
    let text = "a".repeat(5_000);
    for pattern in ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){20}b"] {
        assert!(!matches(pattern, &text), "{pattern}");
    }
}

#[test]
fn an_error_says_where() {
    let error = Regex::new("ab[z-a]").unwrap_err();
    assert!(error.to_string().contains("at character 7"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(pattern in "[ab(|)*+?{}1,.\\[\\]^\\\\d-]{0,12}", text in "[ab1]{0,6}") {
        if let Ok(regex) = Regex::new(&pattern) {
            let _ = regex.matches(&text);
        }
    }

    #[test]
    fn escaped_text_matches_itself_alone(text in "[ -~]{1,8}", other in "[ -~]{1,8}") {
        let escaped: String = text.chars().flat_map(|c| {
            c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])
        }).collect();
        let regex = Regex::new(&escaped).unwrap();
        prop_assert!(regex.matches(&text));
        prop_assert_eq!(regex.matches(&other), text == other);
    }
}
