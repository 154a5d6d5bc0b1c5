//! The policies that the documentation shows, and its messages.

use hallpass::clock::Timestamp;
use hallpass::policy::Policy;
use hallpass::scope::Scope;

const PAGE: &str = include_str!("../../docs/policy.md");

/// The fenced blocks of the page: what kind they say they are, and their text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let fences: Vec<_> = PAGE.split("```").collect();
    assert_eq!(fences.len() % 2, 1, "a fence is left open");
    let block = |text: &'static str| text.split_once('\n').unwrap();
    fences.into_iter().skip(1).step_by(2).map(block).collect()
}

#[test]
fn what_the_page_shows_loads_or_is_refused_with_the_message_it_shows() {
    let blocks = blocks();
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let mut loaded = 0;
    let mut refused = 0;
    for (at, (kind, text)) in blocks.iter().enumerate() {
        match *kind {
            "toml" => {
                let policy = match Policy::from_toml(text) {
                    Ok(policy) => policy,
                    Err(error) => panic!("{error}\n{text}"),
                };
                for warning in policy.lint(now) {
                    // Some blocks show a guard alone, and one a freeze to come.
                    let alone =
                        matches!(warning.code().as_str(), "nothing_withheld" | "not_yet_valid");
                    assert!(alone, "{warning}\n{text}");
                }
                loaded += 1;
            }
            "toml url" => takes("url", cfg!(feature = "url"), text),
            "toml zones" => takes("zones", cfg!(feature = "zones"), text),
            "toml refused" => {
                let message = blocks.get(at + 1).filter(|(kind, _)| *kind == "text").unwrap().1;
                let error = Policy::from_toml(text).expect_err(text);
                assert_eq!(error.to_string(), message.trim_end(), "{text}");
                refused += 1;
            }
            "json" => assert!(Scope::from_json(text).is_ok(), "{text}"),
            "text" => {}
            other => panic!("a block of unknown kind `{other}`"),
        }
    }
    assert!(loaded >= 10 && refused >= 4, "{loaded} loaded, {refused} refused");
}

/// Shown for a feature: loaded with it, and refused without it for just that.
fn takes(feature: &str, has: bool, text: &str) {
    match (Policy::from_toml(text), has) {
        (Ok(_), true) => {}
        (Ok(_), false) => panic!("it loads without the feature: {text}"),
        (Err(error), true) => panic!("{error}\n{text}"),
        (Err(error), false) => {
            assert!(error.problem().contains(&format!("the feature `{feature}`")), "{error}");
        }
    }
}

/// The first policy that anybody reads is one that nothing is to be said against.
#[test]
fn the_policy_of_the_readme_has_no_warning() {
    let readme = include_str!("../../README.md");
    let text = readme.split("r#\"").nth(1).unwrap().split("\"#").next().unwrap();
    let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    assert!(Policy::strict_from_toml(text, now).is_ok());
    let open = text.replace("above = 0, ", "");
    let error = Policy::strict_from_toml(&open, now).unwrap_err();
    assert!(error.problem().ends_with("(open_below)"), "{error}");
}
