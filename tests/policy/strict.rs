//! Loading where a warning is an error.

use hallpass::clock::Timestamp;
use hallpass::policy::Policy;

fn july() -> Timestamp {
    Timestamp::parse_rfc3339("2026-07-01T00:00:00Z").unwrap()
}

#[test]
fn what_has_no_warning_is_what_loads_otherwise() {
    let text = "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args.a = 1 }";
    let strict = Policy::strict_from_toml(text, july()).unwrap();
    assert_eq!(strict.digest(), Policy::from_toml(text).unwrap().digest());
    let json =
        r#"{"version":1,"rule":[{"id":"p","effect":"permit","what":{"tool":"t","args":{"a":1}}}]}"#;
    assert_eq!(Policy::strict_from_json(json, july()).unwrap().digest(), strict.digest());
}

#[test]
fn the_first_warning_is_an_error_where_it_stands() {
    // By the order of ids it is the rule `a`, whose text comes second.
    let text = r#"
version = 1
[[rule]]
id     = "b"
effect = "permit"
what   = { tool = "t", args.n = { max = 5 } }
[[rule]]
id     = "a"
effect = "permit"
what   = { tool = "t", args = { n = "any", m = { max = 5 } } }
"#;
    let error = Policy::strict_from_toml(text, july()).unwrap_err();
    assert_eq!(error.position(), Some((10, 48)));
    assert_eq!((error.rule(), error.at()), (Some("a"), "what.args.m"));
    assert!(
        error.problem().ends_with("as in `min = 0` (open_below); and one more warning"),
        "{error}"
    );
    let three = text.replace("n = \"any\"", "n = { max = 1 }");
    let error = Policy::strict_from_toml(&three, july()).unwrap_err();
    assert!(error.problem().ends_with("; and 2 more warnings"), "{error}");

    let json =
        r#"{"version":1,"rule":[{"id":"p","effect":"permit","what":{"tool":"any","args":"any"}}]}"#;
    let error = Policy::strict_from_json(json, july()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 57: rule `p`: `what`: it permits every tool with any arguments (permits_everything)"
    );
    // What concerns the rule as a whole is shown at the rule.
    let ended = r#"{"version":1,"rule":[{"id":"p","effect":"permit","what":{"tool":"t"},"valid":{"until":"2026-01-01T00:00:00Z"}}]}"#;
    let error = Policy::strict_from_json(ended, july()).unwrap_err();
    assert_eq!(error.position(), Some((1, 87)));
    assert!(Policy::strict_from_json(ended, Timestamp::MIN).is_ok(), "not yet");
}

#[test]
fn what_does_not_load_is_refused_as_otherwise() {
    for text in ["", "version = 2", "version = 1\nrules = []"] {
        let strict = Policy::strict_from_toml(text, july()).unwrap_err();
        assert_eq!(strict, Policy::from_toml(text).unwrap_err());
        assert!(Policy::strict_from_json(text, july()).is_err());
    }
}
