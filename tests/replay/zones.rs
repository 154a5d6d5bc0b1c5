//! A window of the week in a place that moves its clocks, over three changes.

use std::fs;

use crate::driver::{folder, replay_files};

const POLICY: &str = r#"
version = 1

[[rule]]
id       = "office"
effect   = "permit"
what     = { tool = "ledger.post", args = "any" }
when.now = { weekly = { days = ["mon", "tue", "wed", "thu", "fri"], from = "09:00", until = "17:00", zone = "Europe/Berlin" } }
"#;

/// An instant, and whether the office is open then: a task of its own asks at each.
const MOMENTS: &[(&str, bool)] = &[
    // The last Friday of winter, the first Monday of summer, and half past five that day.
    ("2027-03-26T07:59:59Z", false),
    ("2027-03-26T08:30:00Z", true),
    ("2027-03-28T08:30:00Z", false),
    ("2027-03-29T07:30:00Z", true),
    ("2027-03-29T15:30:00Z", false),
    // Friday before the clocks go back, and the next winter.
    ("2027-10-29T15:30:00Z", false),
    ("2027-11-02T09:30:00Z", true),
    ("2027-11-02T15:30:00Z", true),
    ("2027-11-02T16:00:00Z", false),
    ("2035-07-02T07:00:00Z", true),
];

#[test]
fn an_office_opens_and_closes_by_its_own_clocks_in_every_season() {
    let here = folder("zones");
    let (policy, trace) = (here.join("policy.toml"), here.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    let mut lines = vec![format!(r#"{{"op":"trace","version":1,"start":"{}"}}"#, MOMENTS[0].0)];
    for (at, (instant, open)) in MOMENTS.iter().enumerate() {
        let decision = if *open { "permit" } else { "deny" };
        lines.push(format!(r#"{{"op":"clock","set":"{instant}"}}"#));
        lines.push(format!(r#"{{"op":"open","task":"t{at}","who":"agent-1","purpose":"errand"}}"#));
        lines.push(format!(
            r#"{{"op":"request","task":"t{at}","as":"g{at}","scope":[{{"tool":"ledger.post","args":"any"}}],"expect":{{"decision":"{decision}"}}}}"#
        ));
    }
    fs::write(&trace, lines.join("\n")).unwrap();
    let told = replay_files(&policy, &trace);
    assert_eq!(told.code, 0, "{}\n{}", told.remarks, told.answers);
    assert!(told.remarks.contains(" 0 not\n"), "{}", told.remarks);
}

/// A grant that was given while the office was open is of no use once it is closed.
#[test]
fn a_call_is_refused_once_the_clocks_of_the_place_show_the_end() {
    let here = folder("zones-call");
    let (policy, trace) = (here.join("policy.toml"), here.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    let text = r#"{"op":"trace","version":1,"start":"2027-03-29T14:59:00Z"}
{"op":"open","task":"t","who":"agent-1","purpose":"errand"}
{"op":"request","task":"t","as":"g","scope":[{"tool":"ledger.post","args":"any"}],"expect":{"decision":"permit"}}
{"op":"call","grant":"g","tool":"ledger.post","args":{},"expect":{"decision":"permit"}}
{"op":"clock","advance":"1m"}
{"op":"call","grant":"g","tool":"ledger.post","args":{},"expect":{"decision":"deny"}}
"#;
    fs::write(&trace, text).unwrap();
    let told = replay_files(&policy, &trace);
    assert_eq!(told.code, 0, "{}\n{}", told.remarks, told.answers);
}
