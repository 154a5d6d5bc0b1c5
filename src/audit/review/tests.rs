use super::*;
use crate::audit::explain::tests::records;

fn granted(generation: u64, grant: &str, parent: &str, tool: &str, expires: u64) -> String {
    let parent = match parent {
        "" => String::new(),
        parent => format!(r#""parent":"{parent}","#),
    };
    format!(
        r#""kind":"granted","task":"t","generation":{generation},"grant":"{grant}","serial":1,{parent}"requester":"a","holder":"a","scope":[{{"tool":"{tool}","args":{{}}}}],"rules":["r"],"epoch":1,"policy":"p","expires":{expires}"#
    )
}

fn permitted(tool: &str) -> String {
    format!(
        r#""kind":"permitted","task":"t","generation":1,"grant":"g","serial":1,"who":"a","tool":"{tool}","args":"d","rules":["s"],"epoch":1"#
    )
}

fn denied(args: &str) -> String {
    format!(
        r#""kind":"denied","stage":"call","who":"a","tool":"x","args":"{args}","code":"c","reason":"no_permit""#
    )
}

fn outcome(of: u64, outcome: &str) -> String {
    format!(r#""kind":"outcome","task":"t","generation":1,"of":{of},"outcome":"{outcome}""#)
}

const ENDED: &str = r#""kind":"ended","task":"t","generation":1,"how":"completed""#;

fn review_of(lines: &[String]) -> Review {
    review(&records(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn row<'r>(review: &'r Review, tool: &str) -> &'r ToolReview {
    review.tools.iter().find(|row| row.tool == tool).unwrap()
}

#[test]
fn what_was_granted_is_set_against_what_was_called() {
    let review = review_of(&[
        granted(1, "g", "", "pay", 90_000),
        granted(1, "h", "", "read", 90_000),
        permitted("pay"),
        outcome(3, "ok"),
        permitted("pay"),
        outcome(5, "abandoned"),
        permitted("pay"),
        outcome(7, "unknown"),
        ENDED.into(),
    ]);
    let pay = row(&review, "pay");
    assert_eq!((pay.grants, pay.calls, pay.abandoned, pay.failed), (1, 3, 1, 1));
    assert_eq!((pay.first_granted, pay.last_used.unwrap().unix_millis()), (Some(1), 7000));
    assert_eq!(pay.in_use_millis, 2000, "what never started was not in use");
    assert_eq!(pay.live_millis, 8000);
    let unused: Vec<_> = review.never_used().map(|row| &*row.tool).collect();
    assert_eq!(unused, ["read"]);
    let rules: Vec<_> =
        review.rules.iter().map(|own| (&*own.rule, own.grants, own.calls)).collect();
    assert_eq!(rules, [("r", 2, 0), ("s", 0, 3)]);
}

#[test]
fn a_grant_is_live_until_it_ends_with_what_it_hangs_from_or_its_time() {
    let ended = |grant: &str| {
        format!(
            r#""kind":"grant_ended","task":"t","generation":1,"grant":"{grant}","why":"revoked""#
        )
    };
    // Each line is a second.
    let review = review_of(&[
        granted(1, "g", "", "own", 90_000),
        granted(1, "h", "g", "below", 90_000),
        granted(1, "i", "h", "far-below", 90_000),
        granted(1, "j", "", "short", 6_000),
        ended("g"),
        permitted("x"),
        permitted("x"),
        ENDED.into(),
    ]);
    let live = |tool| row(&review, tool).live_millis;
    assert_eq!(
        [live("own"), live("below"), live("far-below"), live("short")],
        [4000, 3000, 2000, 2000]
    );

    let renewed =
        [granted(1, "g", "", "own", 3_000), granted(1, "g", "", "own", 90_000), permitted("x")];
    let review = review_of(&renewed);
    assert_eq!((row(&review, "own").live_millis, row(&review, "own").grants), (2000, 2));
}

#[test]
fn denials_are_told_in_clusters_with_how_many_different_arguments_were_tried() {
    let lines: Vec<String> = (0..300).map(|n| denied(&format!("{:08}", n % 290))).collect();
    let review = review_of(&lines);
    let [cluster] = &review.denials[..] else { panic!("{review:?}") };
    assert_eq!((cluster.count, cluster.different_args, cluster.first), (300, 256, 1));
    assert_eq!((cluster.since.unix_millis(), cluster.last.unix_millis()), (1000, 300_000));
    let again = r#""kind":"denied_again","from":301,"count":50,"since":7,"stage":"call","who":"a","tool":"x","args":"00000001","code":"c","reason":"no_permit","rules":["r"]"#;
    let review = review_of(&[lines, vec![again.into()]].concat());
    let [cluster] = &review.denials[..] else { panic!("{review:?}") };
    assert_eq!((cluster.count, cluster.different_args, cluster.first), (350, 256, 1));
    assert_eq!((cluster.since.unix_millis(), cluster.last.unix_millis()), (7, 301_000));
    assert_eq!((review.rules[0].denials, review.denials_summed), (50, 0));
    let first = &review_of(&[again.into()]).denials[0];
    assert_eq!((first.first, first.since.unix_millis(), first.different_args), (301, 7, 1));
    let summed = r#""kind":"denials","from":1,"since":1,"reasons":{"no_permit":5,"expired":2}"#;
    assert_eq!(review_of(&[summed.into()]).denials_summed, 7);
}

#[test]
fn questions_are_counted_under_each_rule_that_asked_with_what_became_of_them() {
    let asked = |question: &str, rules: &str| {
        format!(
            r#""kind":"asked","task":"t","generation":1,"question":"{question}","who":"a","tool":"x","args":"d","rules":[{rules}],"expires":9000,"epoch":1"#
        )
    };
    let answered = |question: &str, answer: &str, more: &str| {
        format!(
            r#""kind":"answered","task":"t","generation":1,"question":"{question}","who":"b","answer":"{answer}",{more}"state":"s""#
        )
    };
    let voided =
        r#""kind":"voided","task":"t","generation":1,"question":"q2","state":"s","why":"time""#;
    let review = review_of(&[
        asked("q1", r#""one","two""#),
        answered("q1", "approve", ""),
        answered("q1", "approve", r#""refused":"stale_view","#),
        asked("q2", r#""one""#),
        voided.into(),
        asked("q3", r#""one""#),
        answered("q3", "deny", ""),
        asked("q4", r#""one""#),
        answered("q4", "cancel", ""),
        ENDED.into(),
        answered("q4", "deny", ""),
    ]);
    let told: Vec<_> = review
        .asks
        .iter()
        .map(|own| {
            (&*own.rule, own.asked, own.yes, own.no, own.refused, own.taken_back, own.voided)
        })
        .collect();
    assert_eq!(told, [("one", 4, 1, 1, 1, 1, 1), ("two", 1, 1, 0, 1, 0, 0)]);
}

/// A log may be longer than memory, with a tool of its own in each record.
#[test]
fn a_review_holds_a_bounded_number_of_rows_and_says_what_it_left_out() {
    let mut reviewer = Reviewer::holding(10);
    let lines: Vec<String> = (0..1000)
        .flat_map(|n| {
            [granted(n, &format!("g{n}"), "", &format!("tool-{n}"), 1 << 40), permitted("x")]
        })
        .collect();
    for record in records(&lines.iter().map(String::as_str).collect::<Vec<_>>()) {
        reviewer.note(&record);
    }
    let review = reviewer.finish();
    assert_eq!(review.tools.len(), 10);
    // The grants and calls that it could not follow, the rows that it had no room for, and one of those once more
    // as its grant ends.
    assert_eq!(review.left_out, 990 + 990 + 991 + 1);
}

#[test]
fn the_rules_that_decided_nothing_are_named() {
    use crate::policy::{Policy, Rule};
    let rule = |id: &str| Rule::permit(id).any_tool().any_args();
    let policy = Policy::builder().rules(["r", "s", "u"].map(rule)).build().unwrap();
    let review = review_of(&[granted(1, "g", "", "x", 9), permitted("x")]);
    assert_eq!(review.never_fired(&policy), ["u"]);
}

#[test]
fn the_tools_of_a_scope_are_told_of_one_that_is_digested_too() {
    use crate::scope::{Scope, eq};
    let tools = |json: &str| tools_of(&Value::from_json(json).unwrap());
    let scope = Scope::tool("b").arg("x", eq("y")).and_tool("a").and_tool("a").to_value();
    assert_eq!(tools_of(&scope), ["a", "b"]);
    assert_eq!(tools(r#"{"digest":"d","tools":["b","a","a"]}"#), ["a", "b"]);
    assert_eq!(tools(r#"{"digest":"d","bytes":20000}"#), [""; 0]);
    assert_eq!(tools(r#"["a"]"#), [""; 0]);
}
