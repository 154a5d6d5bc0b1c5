use proptest::prelude::*;

use super::*;
use crate::scope::{
    after, any_of, cidr, contains, each, fields, glob, json, len, max, not, prefix, regex, suffix,
    under,
};

fn is_of(language: &Language, text: &str) -> bool {
    language.accepts(language.after_text(language.start(), text))
}

/// Pieces of which paths that go wrong are made.
const PIECES: &[&str] = &["/", ".", "..", "~", "a", "b", "\\", "%", "é", "\u{200b}", "//"];

proptest! {
    #[test]
    fn a_path_is_of_the_language_just_where_it_is_its_own_spelling(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..6),
    ) {
        let text = pieces.concat();
        let own = matches!(crate::scope::canonical_path(&text), Ok(Cow::Borrowed(_)));
        prop_assert_eq!(is_of(&PATHS, &text), own, "{}", text);
    }

    /// What the automaton says of a pattern against every short path: never too little, and of paths,
    /// whose language is exact, never too much either.
    #[test]
    fn a_pattern_is_matched_just_where_a_path_matches_it(
        text in "[/.~ab]{1,4}", kind in 0..5_usize,
    ) {
        let constraint = match kind {
            0 => prefix(&text),
            1 => suffix(&text),
            2 => contains(&text),
            3 => glob(&text.replace('b', "*")),
            _ => regex(&text.replace('.', "[.]").replace('b', ".*")),
        };
        prop_assume!(constraint.check().is_ok());
        let fits = |path: &str| match &constraint.0 {
            Node::Prefix(own) => path.starts_with(&**own),
            Node::Suffix(own) => path.ends_with(&**own),
            Node::Contains(own) => path.contains(&**own),
            Node::Glob(own) => own.matches(path),
            Node::Regex(own) => own.matches(path),
            _ => unreachable!(),
        };
        // A witness needs no more than a letter before and behind each piece of the pattern.
        let padding = ["", "a", "/a", "a/", "/a/", "/"];
        let inner = text.replace('b', if kind > 2 { "" } else { "b" });
        let mut paths: Vec<String> = Vec::new();
        for before in padding {
            for behind in padding {
                for star in ["", "a", "b", "a/a", "/a", "a/", ".a", "aa"] {
                    let middle = if kind > 2 { text.replace('b', star) } else { inner.clone() };
                    paths.push(format!("{before}{middle}{behind}"));
                }
            }
        }
        let found = paths.iter().any(|path| {
            matches!(crate::scope::canonical_path(path), Ok(Cow::Borrowed(_))) && fits(path)
        });
        if found {
            prop_assert!(ArgType::Path.unmatched(&constraint).is_none(), "{}", constraint);
        } else if !text.contains("**") && !text.contains("bb") {
            prop_assert!(ArgType::Path.unmatched(&constraint).is_some(), "{}", constraint);
        }
    }
}

#[cfg(feature = "url")]
proptest! {
    /// If it did not hold, a rule would be refused although some call fits it.
    #[test]
    fn every_url_in_its_one_spelling_is_of_the_language(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "http", "https", "file", "foo", "ws", "wss", "ftp", "htt", ":", "/", "//", "\\", "a", "A.b", ".", "..",
            "%2e", "%", "@", "?", "#", " ", "\t", "[::1]", "[::ffff:7f00:1]", "127.1", "0x7f", "ü", "ß", "。", ":80",
            "xn--", "C|", "-", "\u{ad}", "\"", "<", "'", "{}", "`", "^", "_", "~", "\u{7f}", "!$&'()*+,;=",
        ]), 0..12),
        start in proptest::sample::select(vec!["", "https://", "http://h", "foo:", "foo://", "file:///", "data:text,"]),
    ) {
        let text = format!("{start}{}", parts.concat());
        if let Ok(one) = canonical_url(&text) {
            prop_assert!(is_of(&URLS, &one), "{}", one);
            for cut in (0..=one.len()).filter(|at| one.is_char_boundary(*at)) {
                let (before, behind) = one.split_at(cut);
                for constraint in [prefix(before), suffix(behind), contains(before), contains(behind)] {
                    if constraint.check().is_ok() {
                        prop_assert!(ArgType::Url.unmatched(&constraint).is_none(), "{} {}", one, constraint);
                    }
                }
            }
        }
    }
}

/// attack 197
#[test]
fn patterns_that_no_spelling_of_a_path_fits_are_found() {
    for constraint in [
        prefix("./src"),
        prefix("/data//x"),
        prefix("/data/./x"),
        prefix("/data/../x"),
        prefix("~/.ssh"),
        prefix("C:\\data"),
        suffix("x/"),
        suffix("/./a"),
        suffix("/.."),
        contains("//"),
        contains("/../"),
        contains("%2e"),
        contains("\\"),
        glob("/data/*/"),
        glob("./**"),
        glob("/a/../*"),
        glob("a/**//x"),
        regex("/data/.*/"),
        regex(r"\.\./.*"),
        regex(r"[A-Z]:\\.*"),
        max(5),
        fields([("a", prefix("/"))]),
        not(contains("//")),
        each(suffix("x/")),
        any_of([prefix("/data"), contains("//")]),
    ] {
        assert!(ArgType::Path.unmatched(&constraint).is_some(), "{constraint}");
    }
    for constraint in [
        prefix("/"),
        prefix("."),
        prefix(".."),
        prefix("/data/"),
        prefix("/data/.."),
        suffix("/"),
        suffix("."),
        suffix(".."),
        suffix("~"),
        contains("/~"),
        contains("/."),
        glob("/data/**"),
        glob("**"),
        glob("?"),
        regex(".*"),
        regex("[/]"),
        under("/data"),
        under("/"),
        under("."),
        len(5..=9),
        cidr(["10.0.0.1"]),
        json(max(5)),
        after(crate::clock::Timestamp::MIN),
        not(prefix("-")),
    ] {
        assert!(ArgType::Path.unmatched(&constraint).is_none(), "{constraint}");
    }
}

/// attack 197
#[cfg(feature = "url")]
#[test]
fn patterns_that_no_spelling_of_a_url_fits_are_found() {
    use crate::scope::{UrlPattern, url, weekly};
    for constraint in [
        prefix("https://Evil.test/"),
        prefix("https://Evil"),
        prefix("HTTPS://evil.test"),
        prefix("https://evil.test:443/"),
        prefix("http://evil.test./"),
        prefix("http://0x7f.1/"),
        prefix("http://127.1/"),
        prefix("https://user@evil.test/"),
        prefix("https://evil.test\\x"),
        prefix("https:/evil.test"),
        prefix("https:evil.test"),
        prefix("//evil.test"),
        prefix("/v1"),
        prefix("https://bücher.test/"),
        prefix("https://a.test/../"),
        prefix("https://a.test/a b"),
        suffix("/.."),
        contains("ü"),
        glob("https://*.Acme.test/**"),
        glob("HTTPS://**"),
        glob("/v1/**"),
        glob("https://a.test/./*"),
        regex("https://[A-Z]+/.*"),
        regex("/v1/.*"),
        under("/v1"),
        max(5),
        cidr(["10.0.0.0/8"]),
        json(max(5)),
        after(crate::clock::Timestamp::MIN),
        weekly(&["mon"], "00:00", "24:00", "+00:00"),
        not(each(prefix("//evil.test"))),
    ] {
        // A dot segment that ends the path ends a query as well.
        let ends_queries = constraint == suffix("/..");
        assert_eq!(ArgType::Url.unmatched(&constraint).is_some(), !ends_queries, "{constraint}");
    }
    for constraint in [
        prefix("h"),
        prefix("https://evil.test/"),
        prefix("https://evil.test:8443/"),
        prefix("https://evil.test"),
        prefix("https://[::1]/"),
        prefix("mailto:"),
        prefix("foo://Evil/"),
        suffix(".PDF"),
        suffix("/"),
        contains("//"),
        contains("A B"),
        contains("?q="),
        contains("%2F"),
        glob("https://*.acme.test/**"),
        glob("*"),
        regex("https?://[a-z.]+/.*"),
        len(5..=9),
        url(UrlPattern::any_host()),
    ] {
        assert!(ArgType::Url.unmatched(&constraint).is_none(), "{constraint}");
    }
    assert!(ArgType::Path.unmatched(&url(UrlPattern::any_host())).is_some());
}
