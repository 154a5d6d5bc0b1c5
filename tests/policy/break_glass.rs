//! What a rule says of breaking the glass: what loads, what is refused and where, and that text and Rust say the
//! same.

use std::time::Duration;

use hallpass::policy::{
    ApprovalTerms, BreakGlassTerms, Moment, Per, Policy, PolicyError, Reviewers, Rule,
};
use hallpass::scope::{eq, has_any};

fn loaded(rule: &str) -> Result<Policy, PolicyError> {
    Policy::from_toml(&format!("version = 1\n[[rule]]\nid = \"r\"\n{rule}\n"))
}

fn permit(rest: &str) -> Result<Policy, PolicyError> {
    loaded(&format!(
        "effect = \"permit\"\non = [\"break_glass\"]\nwhat = {{ tool = \"t\", args = \"any\" }}\n{rest}"
    ))
}

const LIMITS: &str = r#"grant = { ttl = "15m", uses = 5 }"#;
const LINE: &str = r#"{ groups = { has_any = ["security"] } }"#;

#[test]
fn text_and_rust_say_the_same() {
    let rule = |terms| {
        let rule = Rule::permit("r").on([Moment::BreakGlass]).tool("t").any_args();
        let rule = rule.ttl(Duration::from_secs(900)).uses(5).break_glass(terms);
        Policy::builder().rule(rule).build().unwrap()
    };
    let terms = || BreakGlassTerms::reviewed_by(Reviewers::in_groups(has_any(["security"])));
    let minute = Duration::from_secs(60);
    let all = [
        ("", terms()),
        (r#", due = "24h""#, terms()),
        (r#", due = "1m""#, terms().due(minute)),
        (r#", alert = "required""#, terms()),
        (r#", alert = "best_effort""#, terms().alert_best_effort()),
        (r#", while_open = "refuse""#, terms().refuse_while_open()),
    ];
    let mut digests = std::collections::BTreeSet::new();
    for (more, terms) in all {
        for review in [LINE.to_owned(), format!("[{LINE}]")] {
            let table = format!("{LIMITS}\nbreak_glass = {{ review = {review}{more} }}");
            assert_eq!(permit(&table).unwrap().digest(), rule(terms.clone()).digest(), "{more}");
        }
        digests.insert(rule(terms).digest().to_string());
    }
    assert_eq!(digests.len(), 4, "all that is said is in the digest");
    let either = Reviewers::any([Reviewers::with_id(eq("a")), Reviewers::with_id(eq("b"))]);
    let table = r#"break_glass = { review = { any = [{ id = "a" }, { id = "b" }] } }"#;
    let text = permit(&format!("{LIMITS}\n{table}")).unwrap();
    assert_eq!(text.digest(), rule(BreakGlassTerms::reviewed_by(either)).digest());
}

/// A rule that names people among those whom it is for breaks the glass for people.
#[test]
fn a_rule_that_leaves_a_human_loads() {
    for kind in [r#""human""#, r#"{ one_of = ["human", "agent"] }"#, r#"{ not = "agent" }"#] {
        let table =
            format!("{LIMITS}\nwho = {{ kind = {kind} }}\nbreak_glass = {{ review = {LINE} }}");
        assert!(permit(&table).is_ok(), "{kind}: {:?}", permit(&table).unwrap_err());
    }
}

#[test]
fn what_can_not_be_meant_is_refused_where_it_stands() {
    let terms = format!("break_glass = {{ review = {LINE} }}");
    let with = |more: &str| format!("{LIMITS}\nbreak_glass = {{ {more} }}");
    let mut wrong = Vec::new();
    for (rest, at, part) in [
        (LIMITS.to_owned(), "break_glass", "who reviews"),
        (format!("grant = {{ uses = 5 }}\n{terms}"), "grant.ttl", "for how long"),
        (format!("grant = {{ ttl = \"1m\" }}\n{terms}"), "grant.uses", "how many calls"),
        (terms.clone(), "grant.ttl", "for how long"),
        (
            format!("grant = {{ ttl = \"1m\", uses = 1, depth = 1 }}\n{terms}"),
            "grant.depth",
            "not delegated",
        ),
        (format!("who = {{ kind = \"agent\" }}\n{LIMITS}\n{terms}"), "who.kind", "people alone"),
        (with("due = \"1h\""), "break_glass", "who looks at it afterwards"),
        (with("review = []"), "break_glass.review", "never means all"),
        (
            with(r#"review = [{ groups = { has_any = ["g"] }, count = 2 }]"#),
            "break_glass.review",
            "asks for 2",
        ),
        (
            with(r#"review = [{ groups = { has_any = ["g"] }, count = 0 }]"#),
            "break_glass.review[0].count",
            "ask no one",
        ),
        (with(r#"review = [{ id = "a" }, { id = "b" }]"#), "break_glass.review", "asks for 2"),
        (
            with(&format!("review = {LINE}, due = \"0s\"")),
            "break_glass.due",
            "never means unlimited",
        ),
        (with(&format!("review = {LINE}, due = 5")), "break_glass.due", "needs a unit"),
        (with(&format!("review = {LINE}, alert = \"never\"")), "break_glass.alert", "best_effort"),
        (with(&format!("review = {LINE}, alert = false")), "break_glass.alert", "best_effort"),
        (
            with(&format!("review = {LINE}, while_open = \"permit\"")),
            "break_glass.while_open",
            "refuse",
        ),
        (with(&format!("review = {LINE}, confirm = true")), "break_glass", "confirm"),
    ] {
        match permit(&rest) {
            Ok(_) => wrong.push(format!("loaded: {rest}")),
            Err(error) => {
                let told = error.to_string();
                if error.at() != at || !told.contains(part) {
                    wrong.push(format!("{rest}\n  {}: {told}", error.at()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_a_permit_for_emergencies_has_terms_for_them() {
    let terms = format!("break_glass = {{ review = {LINE} }}");
    for effect in ["permit", "forbid"] {
        let args = if effect == "permit" { ", args = \"any\"" } else { "" };
        let rest = format!("effect = \"{effect}\"\nwhat = {{ tool = \"t\"{args} }}\n{terms}");
        let error = loaded(&rest).unwrap_err();
        assert_eq!(error.at(), "break_glass", "{error}");
    }
    let forbid = Rule::forbid("f").on([Moment::BreakGlass]).tool("t");
    assert!(Policy::builder().rule(forbid.clone()).build().is_ok());
    let own = BreakGlassTerms::reviewed_by(Reviewers::with_id(eq("eve")));
    assert!(Policy::builder().rule(forbid.break_glass(own.clone())).build().is_err());
    let line = Reviewers::with_id(eq("eve"));
    let ask = Rule::ask("a").on([Moment::BreakGlass]).tool("t");
    let ask = ask.approval(ApprovalTerms::per(Per::Call).review(line));
    assert!(Policy::builder().rule(ask.clone()).build().is_ok());
    assert!(Policy::builder().rule(ask.break_glass(own)).build().is_err());
}
