//! Texts that are read as something: paths, addresses, instants, URLs.

use serde_json::{Value, json};

use crate::situation::{Situation, forbids, permits};

/// Rows of: a text, whether a permit that says `x` covers it, whether a forbid that says it lets it pass.
fn check(x: &str, rows: &[(&str, bool, bool)]) {
    let values: Vec<Value> = rows.iter().map(|(text, ..)| json!(text)).collect();
    let covered = Situation::new(&permits(x)).passes(&values);
    let let_pass = Situation::new(&forbids(x)).passes(&values);
    for (((text, permit, forbid), covered), let_pass) in rows.iter().zip(covered).zip(let_pass) {
        assert_eq!(covered, *permit, "{x} permits {text:?}");
        assert_eq!(let_pass, *forbid, "{x} lets {text:?} pass");
    }
}

/// Where a relative path leads depends on where the tool stands, which no rule knows.
#[test]
fn a_relative_path_is_not_told_apart_from_a_folder_of_the_root() {
    check(
        r#"{ under = "/repo/secrets" }"#,
        &[
            ("/repo/secrets/key", true, false),
            ("/repo/readme", false, true),
            ("/repo/secrets-not", false, true),
            ("secrets/key", false, false),
            ("./secrets/key", false, false),
            ("key", false, false),
            (".", false, false),
        ],
    );
    check(
        r#"{ under = "secrets" }"#,
        &[
            ("secrets/key", true, false),
            ("readme", false, true),
            ("/repo/secrets/key", false, false),
            ("/", false, false),
        ],
    );
    check(r#"{ under = "/" }"#, &[("/etc", true, false), ("etc", false, false)]);
    check(r#"{ under = "." }"#, &[("etc", true, false), ("/etc", false, false)]);
    check(
        r#"{ not = { under = "/repo/secrets" } }"#,
        &[("/repo/readme", true, false), ("secrets/key", false, false), ("readme", false, false)],
    );
}

/// A pattern of paths knows nothing of a path that leads elsewhere than it says.
#[test]
fn a_path_that_climbs_is_in_no_pattern() {
    for pattern in
        [r#"{ glob = "/data/**" }"#, r#"{ prefix = "/data/" }"#, r#"{ glob = "/data/*/*" }"#]
    {
        check(
            pattern,
            &[
                ("/data/a/b", true, false),
                ("/data/../etc/passwd", false, false),
                ("/data/x/../../etc/shadow", false, false),
                ("/data/..", false, false),
                ("/etc/./passwd", false, false),
                ("/etc/passwd", false, true),
            ],
        );
    }
}

/// An address that stands for another is asked of both.
#[test]
fn an_inner_address_is_not_passed_in_another_form() {
    check(
        r#"{ cidr = ["169.254.0.0/16", "10.0.0.0/8"] }"#,
        &[
            ("192.0.2.7", false, true),
            ("10.1.2.3", true, false),
            ("::ffff:10.1.2.3", true, false),
            ("64:ff9b::a9fe:a9fe", false, false),
            ("2002:a9fe:a9fe::1", false, false),
            ("::10.1.2.3", false, false),
            ("::ffff:0:a01:203", false, false),
            ("2001::f5fe:fdfc", false, false),
            ("64:ff9b:1::1", false, false),
            ("64:ff9b::c000:207", false, true),
            ("2002:c000:207::1", false, true),
            ("2606:4700::1111", false, true),
            ("::1", false, true),
        ],
    );
    check(
        r#"{ cidr = "::/0" }"#,
        &[
            ("2606:4700::1111", true, false),
            ("2002:a9fe:a9fe::1", false, false),
            ("10.0.0.1", false, true),
        ],
    );
}

/// What is not RFC 3339 is unknown in a call, and does not load in a policy.
#[test]
fn what_only_looks_like_a_time_is_none() {
    let december = r#"{ after = "2026-12-01T00:00:00Z", before = "2027-01-01T00:00:00Z" }"#;
    check(
        december,
        &[
            ("2026-12-24T10:00:00Z", true, false),
            ("2026-12-24t10:00:00z", true, false),
            ("2026-12-24 10:00:00+01:00", true, false),
            ("2026-11-24T10:00:00Z", false, true),
            ("2026-12-24X10:00:00Z", false, false),
            ("2026-12-24_10:00:00Z", false, false),
            ("2026-11-24/10:00:00Z", false, false),
            ("2026-12-24T10:00Z", false, false),
            ("2026-12-24T24:00:00Z", false, false),
            ("2026-12-24", false, false),
        ],
    );
    for written in [
        r#"what = { tool = "t", args = { x = { after = "2026-12-24X00:00:00Z" } } }"#,
        "what = { tool = \"t\" }\nvalid = { from = \"2026-12-20_00:00:00Z\" }",
        "what = { tool = \"t\" }\nreview_by = \"2026-12-20\"",
    ] {
        let policy = format!("version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\n{written}\n");
        let error = hallpass::policy::Policy::from_toml(&policy).unwrap_err().to_string();
        assert!(error.contains("RFC 3339"), "{error}");
    }
}
