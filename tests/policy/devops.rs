//! A policy as a team writes it, `examples/data/devops.toml`, with tests of its own.

use hallpass::clock::Timestamp;
use hallpass::testing::PolicyTests;

const TEXT: &str = include_str!("../../examples/data/devops.toml");

#[test]
fn its_tests_pass_and_notice_each_change() {
    let report = PolicyTests::from_toml(TEXT).unwrap().run();
    assert!(report.passes(), "{report}");
    assert_eq!(report.unnoticed().len(), 0, "{report}");
}

#[test]
fn it_says_nothing_that_was_not_meant() {
    let now = Timestamp::parse_rfc3339("2026-11-30T12:00:00Z").unwrap();
    let tests = PolicyTests::from_toml(TEXT).unwrap();
    assert_eq!(tests.policy().len(), 31);
    assert!(tests.policy().lint(now).is_empty(), "{:?}", tests.policy().lint(now));
}

/// What was written first: any argument that may be left out as `"any"`.
#[test]
fn lint_names_an_argument_that_need_not_be_there() {
    let open = "{ any = [{ present = false }, \"any\"] }";
    let first = TEXT.replace(open, "\"any\"");
    assert_ne!(first, TEXT);
    let tests = PolicyTests::from_toml(&first).unwrap();
    assert!(!tests.run().passes());
    let told = tests.policy().lint(Timestamp::MIN);
    let named = told.iter().filter(|own| own.code().as_str() == "optional_named").count();
    assert_eq!(named, TEXT.matches(open).count(), "{told:?}");
}
