use proptest::prelude::*;
use serde_json::json;

use super::super::pin::Part;
use super::*;
use crate::resource::Resource;

fn call(args: serde_json::Value) -> Call {
    Call::new("web.get", args).unwrap()
}

fn variation(vary: &[&str], same: &[(&str, Part)]) -> Variation {
    Variation {
        vary: vary.iter().map(|name| (*name).into()).collect(),
        same: same.iter().map(|(arg, part)| Pin { arg: (*arg).into(), part: *part }).collect(),
    }
}

#[test]
fn a_width_is_written_as_it_is_read() {
    for (text, width) in [
        ("call", Width::CALL),
        ("calls:5", Width::calls(5)),
        ("calls:1000", Width::calls(1000)),
        ("task", Width::task()),
        ("task:50", Width::task().with_uses(50)),
        ("10m", Width::lasting(Duration::from_secs(600))),
        ("1500ms:3", Width::lasting(Duration::from_millis(1500)).with_uses(3)),
    ] {
        assert_eq!(text.parse(), Ok(width), "{text}");
        assert_eq!(width.to_string(), text);
        assert_eq!(width.fault(), None);
    }
    assert_eq!("calls:1".parse(), Ok(Width::CALL));
}

/// attack 111: of nothing, and without an end
#[test]
fn what_has_no_end_or_no_use_is_no_width() {
    for (text, part) in [
        ("always", "has no end"),
        ("forever:5", "has no end"),
        ("calls", "has no end"),
        ("calls:0", "never means unlimited"),
        ("task:0", "never means unlimited"),
        ("10m:0", "never means unlimited"),
        ("0m", "zero"),
        ("0s", "zero"),
        ("400d", "too long"),
        ("calls:1001", "more than 1000"),
        ("calls:99999999999999999999", "more than 1000"),
        ("calls:-1", "number of uses"),
        ("calls:+1", "number of uses"),
        ("calls:05", "number of uses"),
        ("calls:", "number of uses"),
        ("calls: 5", "number of uses"),
        ("call:1", "calls:5"),
        ("task:5:5", "number of uses"),
        ("", "not a width"),
        ("Task", "not a width"),
        ("10", "10"),
        ("everything", "not a width"),
    ] {
        let error = text.parse::<Width>().unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    assert!(Width::calls(0).fault().unwrap().contains("never means unlimited"));
    assert!(Width::calls(1001).fault().unwrap().contains("more than 1000"));
    assert!(Width::lasting(Duration::ZERO).fault().is_some());
    assert!(Width::lasting(Duration::from_secs(400 * 86_400)).fault().is_some());
    assert!(Width::lasting(Duration::from_nanos(1_500_000)).fault().is_some());
}

#[test]
fn a_width_ends_with_its_time_and_never_after_the_task() {
    let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
    let good_for = Duration::from_millis(50);
    let end = |width: Width, ceiling| width.end(at(100), good_for, at(ceiling)).unix_millis();
    assert_eq!(end(Width::CALL, 1_000), 150);
    assert_eq!(end(Width::calls(5), 1_000), 150);
    assert_eq!(end(Width::calls(5), 120), 120);
    assert_eq!(end(Width::task(), 1_000), 1_000);
    assert_eq!(end(Width::lasting(Duration::from_millis(300)), 1_000), 400);
    assert_eq!(end(Width::lasting(Duration::from_millis(300)), 350), 350);
    let late = Width::CALL.end(Timestamp::MAX, good_for, Timestamp::MAX);
    assert_eq!(late, Timestamp::MAX);
}

/// attacks 109 and 110
#[test]
fn all_that_is_not_named_stays_equal() {
    let shown = call(json!({ "link": "https://acme.test/a", "body": "x" }))
        .on(Resource::new("site", "acme").attr("owner", "a"));
    let with = |args| call(args).on(Resource::new("site", "acme").attr("owner", "a"));
    let varied = with(json!({ "link": "https://acme.test/b", "body": "x" }));
    let own = variation(&["link"], &[]);
    assert!(Variation::default().covers(&shown, &shown));
    assert!(!Variation::default().covers(&shown, &varied));
    assert!(own.covers(&shown, &varied) && own.covers(&shown, &shown));
    for other in [
        with(json!({ "link": "https://acme.test/b", "body": "y" })),
        with(json!({ "link": "https://acme.test/b" })),
        with(json!({ "link": "https://acme.test/b", "body": "x", "more": 1 })),
        with(json!({ "link": ["https://acme.test/b"], "body": "x" })),
        with(json!({ "link": null, "body": "x" })),
        call(json!({ "link": "https://acme.test/b", "body": "x" })),
        call(json!({ "link": "https://acme.test/b", "body": "x" }))
            .on(Resource::new("site", "acme")),
        call(json!({ "link": "https://acme.test/b", "body": "x" }))
            .on(Resource::new("site", "other").attr("owner", "a")),
        Call::new("web.post", json!({ "link": "https://acme.test/b", "body": "x" }))
            .unwrap()
            .on(Resource::new("site", "acme").attr("owner", "a")),
    ] {
        assert!(!own.covers(&shown, &other), "{other:?}");
    }
    // What may vary is neither left out nor added.
    let without = with(json!({ "body": "x" }));
    assert!(!own.covers(&shown, &without) && !own.covers(&without, &shown));
    let pinned = variation(&["link"], &[("link", Part::Folder)]);
    assert!(!pinned.covers(&shown, &without) && !pinned.covers(&without, &shown));
}

/// attack 169, for paths
#[test]
fn a_pinned_folder_stays_in_its_one_spelling() {
    let own = variation(&["path"], &[("path", Part::Folder)]);
    let at = |path: &str| call(json!({ "path": path }));
    let shown = at("/data/q3/a.csv");
    assert!(own.covers(&shown, &at("/data/q3/b.csv")));
    for other in [
        "/data/q3/sub/b.csv",
        "/data/q3",
        "/data/q4/b.csv",
        "/data/q3/../q4/b.csv",
        "/data/q3//b.csv",
        "/data/q3/./b.csv",
        "data/q3/b.csv",
        "/data/q3/b%2fc",
    ] {
        assert!(!own.covers(&shown, &at(other)), "{other}");
    }
}

/// attack 169: another origin in another spelling, a redirect in another argument; within the query only if
/// it is pinned
#[cfg(feature = "url")]
#[test]
fn a_pinned_origin_stays_in_its_one_spelling() {
    let own = variation(&["link"], &[("link", Part::Origin)]);
    let to = |link: &str| call(json!({ "link": link, "redirect": "https://acme.test/" }));
    let shown = to("https://acme.test/a?x=1");
    for link in ["https://acme.test/b", "https://acme.test/?next=https://evil.test/"] {
        assert!(own.covers(&shown, &to(link)), "{link}");
    }
    for link in [
        "https://evil.test/a",
        "https://acme.test.evil.test/a",
        "https://acme.test@evil.test/",
        "https://acme.test:8443/a",
        "http://acme.test/a",
        "HTTPS://ACME.TEST/a",
        "https://acme.test./a",
        "https:\\\\acme.test\\a",
        "//acme.test/a",
        "https://\u{430}cme.test/",
    ] {
        assert!(!own.covers(&shown, &to(link)), "{link}");
    }
    let redirected =
        call(json!({ "link": "https://acme.test/b", "redirect": "https://evil.test/" }));
    assert!(!own.covers(&shown, &redirected));
    let query = variation(&["link"], &[("link", Part::Origin), ("link", Part::Query)]);
    assert!(query.covers(&shown, &to("https://acme.test/b?x=1")));
    assert!(!query.covers(&shown, &to("https://acme.test/a?x=2")));
    assert!(!query.covers(&shown, &to("https://acme.test/a")));
}

#[test]
fn what_several_asks_offer_is_what_all_of_them_let_vary() {
    let one = variation(&["a", "b"], &[("a", Part::Folder)]);
    let two = variation(&["b", "a", "c"], &[("b", Part::Folder), ("a", Part::Folder)]);
    let both = one.meet(&two);
    assert_eq!(both, variation(&["a", "b"], &[("a", Part::Folder), ("b", Part::Folder)]));
    assert_eq!(one.meet(&Variation::default()).vary, Vec::<Box<str>>::new());
}

#[test]
fn a_variation_that_says_nothing_or_contradicts_itself_is_refused() {
    let wide = [Width::CALL, Width::calls(5)];
    let fault = |own: &Variation, offers: &[Width]| own.fault(offers).map(|(at, _)| at);
    assert_eq!(fault(&variation(&["a"], &[("a", Part::Folder)]), &wide), None);
    assert_eq!(fault(&Variation::default(), &[]), None);
    for (own, offers, at) in [
        (variation(&["a"], &[]), &[][..], "vary"),
        (variation(&["a"], &[]), &[Width::CALL][..], "vary"),
        (variation(&["a", "a"], &[]), &wide[..], "vary"),
        (variation(&[""], &[]), &wide[..], "vary"),
        (variation(&["a\u{200b}"], &[]), &wide[..], "vary"),
        (variation(&["a"], &[("b", Part::Folder)]), &wide[..], "same"),
        (variation(&["a"], &[("a", Part::Folder), ("a", Part::Folder)]), &wide[..], "same"),
    ] {
        assert_eq!(fault(&own, offers), Some(at), "{own:?}");
    }
}

fn args() -> impl Strategy<Value = serde_json::Value> {
    let value = prop_oneof![
        Just(json!(1)),
        Just(json!("/d/a")),
        Just(json!("/d/b")),
        Just(json!("/e/a")),
        Just(json!("/d//a")),
        Just(json!(["/d/a"])),
    ];
    proptest::collection::btree_map("[abc]", value, 0..4).prop_map(|args| json!(args))
}

proptest! {
    /// Compared with the words of the page, argument by argument.
    #[test]
    fn a_call_is_covered_just_where_each_argument_may_be_what_it_is(
        before in args(),
        after in args(),
        vary in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        pinned in proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3),
    ) {
        let pins: Vec<(&str, Part)> = pinned.iter().map(|name| (*name, Part::Folder)).collect();
        let own = variation(&vary, &pins);
        let folder = |value: Option<&serde_json::Value>| match value?.as_str()? {
            "/d/a" | "/d/b" => Some('d'),
            "/e/a" => Some('e'),
            _ => None,
        };
        let allowed = ["a", "b", "c"].iter().all(|name| {
            let (one, two) = (before.get(name), after.get(name));
            let kind = |own: Option<&serde_json::Value>| own.map(|own| (own.is_string(), own.is_array()));
            let kinds_differ = kind(one) != kind(two);
            let pin = pinned.contains(name);
            one == two
                || vary.contains(name)
                    && !kinds_differ
                    && (!pin || folder(one).is_some() && folder(one) == folder(two))
        });
        prop_assert_eq!(own.covers(&call(before), &call(after)), allowed);
    }

    #[test]
    fn whatever_is_read_as_a_width_has_uses_an_end_and_one_text(text in "(call|calls|task|[0-9]{1,3}(ms|s|m|h|d)|[a-z]{1,5})(:[0-9]{0,4})?") {
        if let Ok(width) = text.parse::<Width>() {
            prop_assert!((1..=MOST_USES).contains(&width.uses()));
            prop_assert_eq!(width.fault(), None);
            prop_assert_eq!(width.to_string().parse(), Ok(width));
        }
    }
}
