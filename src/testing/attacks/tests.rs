use super::*;
use crate::policy::{ArgType, Rule, Tool};
use crate::scope::{Constraint, any, eq, glob, has_any, max, min, one_of, prefix, suffix, under};

fn with(constraint: Constraint) -> Policy {
    let rule = Rule::permit("p").tool("t").arg("a", constraint);
    Policy::builder().rule(rule).build().unwrap()
}

fn kinds(policy: &Policy) -> Vec<&'static str> {
    let report = attacks(policy);
    assert!(report.tried() > 0);
    let mut kinds: Vec<_> = report.passing().map(PassingAttack::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Each kind of variant passes some rule that is too wide for it, and none passes a rule that is not.
#[test]
fn each_kind_passes_what_is_too_wide_and_not_what_is_narrow() {
    let rows: Vec<(Constraint, &[&str])> = vec![
        (prefix("/data"), &["confusable", "injection", "path"]),
        (under("/data"), &[]),
        (glob("/data/*.csv"), &[]),
        (prefix("https://acme.test"), &["confusable", "injection", "url"]),
        (suffix("@acme.test"), &["confusable"]),
        (eq("a"), &[]),
        (one_of(["a", "b"]), &[]),
        (max(500), &["number"]),
        (min(0).and(max(500)), &["number"]),
        (min(1).and(max(500)), &[]),
        (has_any(["a"]), &["list"]),
    ];
    for (constraint, expected) in rows {
        let shown = constraint.to_string();
        let found = kinds(&with(constraint));
        let unexpected: Vec<_> = found.iter().filter(|own| !expected.contains(own)).collect();
        let missing: Vec<_> = expected.iter().filter(|own| !found.contains(own)).collect();
        assert!(
            unexpected.is_empty() && missing.is_empty(),
            "{shown}: {found:?}, expected {expected:?}"
        );
    }
}

#[test]
fn what_is_permitted_on_purpose_is_not_an_attack() {
    let open = Rule::permit("p").tool("t").arg("a", any());
    let own = Policy::builder().rule(open.clone()).build().unwrap();
    // But for the argument that it does not name, which is refused.
    assert_eq!((attacks(&own).tried(), attacks(&own).passing().count()), (1, 0));
    let others = Policy::builder().rule(open.other_args()).build().unwrap();
    assert_eq!(attacks(&others).tried(), 0);
}

#[test]
fn a_typed_path_is_one_spelling() {
    let rule = Rule::permit("p").tool("t").arg("a", prefix("/data/"));
    let tool = Tool::new("t").arg("a", ArgType::Path);
    let own = Policy::builder().tools([tool]).rule(rule).build().unwrap();
    let report = attacks(&own);
    let paths: Vec<String> =
        report.passing().filter(|own| own.kind() == "path").map(ToString::to_string).collect();
    assert!(paths.iter().all(|own| !own.contains("..")), "{paths:?}");
}

#[test]
fn a_report_says_which_permit_lets_what_pass() {
    let report = attacks(&with(max(500)));
    assert!(
        report.to_string().contains("number in `a`: `p` permits `t` with {\"a\":-1}\n"),
        "{report}"
    );
    let end = format!("{} of {} variants pass\n", report.passing().len(), report.tried());
    assert!(report.to_string().ends_with(&end), "{report}");
}
