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
        ['\\', escaped, rest @ ..] => match text {
            [first, others @ ..] => first == escaped && naive(rest, others, false),
            [] => false,
        },
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
        pattern in r"([ab/*?é]|\\[*?!]){1,9}",
        text in "[ab/é*!]{0,8}",
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

/// attacks 1, 2, 3, as text: a star stays within its segment, and a folder's name is not a prefix.
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
        (r"C:\x", '\\', "for a backslash write two"),
        (r"a\", '\\', "for a backslash write two"),
        (r"\\[", '[', "`regex`"),
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

/// attack 197
#[test]
fn what_other_patterns_mean_is_refused_and_has_an_escape() {
    for (pattern, found, instead) in [
        ("!src/**", "!", "write `not = { glob = .. }`"),
        ("~/.ssh/**", "~/", "write the path from `/` on"),
        ("~root/**", "~root/", "write the path from `/` on"),
        ("$HOME/.ssh/**", "$HOME", "by `same_as`"),
        ("/srv/$tenant_1/*", "$tenant_1", "by `same_as`"),
        ("/home/${who.id}/**", "${", "by `same_as`"),
        ("@(a|b)/*", "@(", "`any = ["),
        ("x+(a)", "+(", "`any = ["),
        ("x?(a)", "?(", "`any = ["),
        ("x!(a|b)", "!(", "`any = ["),
        ("*(a|b).txt", "*(", "`any = ["),
        ("f.txt::$DATA", "$DATA", "by `same_as`"),
    ] {
        let error = Glob::new(pattern).unwrap_err();
        let GlobError::Foreign { found: own, .. } = &error else { panic!("{error}") };
        assert_eq!(own, found, "{pattern}");
        assert!(error.to_string().contains(instead), "{error}");
        let escaped = pattern.replacen(
            &pattern[pattern.find(found).unwrap()..][..1],
            &format!("\\{}", &found[..1]),
            1,
        );
        let escaped = escaped.replace('{', r"\{").replace('}', r"\}");
        let glob = Glob::new(&escaped).unwrap();
        let text = pattern.replace("**", "a/b").replace("/*", "/c");
        // A wildcard that is escaped is that character, and matches no other.
        assert!(glob.matches(&text), "{escaped} {text}");
        assert!(!glob.matches(&text.replacen(&found[..1], "z", 1)), "{escaped}");
    }
    for plain in [
        "a!",
        "a~/b",
        "~",
        "~$*",
        "report (1).pdf",
        "*(1).pdf",
        "a@b",
        "1+1",
        "US$5",
        "$",
        "$5",
        "a?",
        "(a|b)",
    ] {
        assert!(Glob::new(plain).is_ok(), "{plain}");
    }
}

#[test]
fn what_every_match_begins_with_has_no_escapes() {
    let glob = Glob::new(r"\!\[a\]\\/b*").unwrap();
    assert_eq!(glob.beginning(), r"![a]\/b");
    assert!(glob.matches(r"![a]\/bc") && !glob.matches(r"\!\[a\]\\/bc"));
    assert_eq!(glob.as_str(), r"\!\[a\]\\/b*");
}
