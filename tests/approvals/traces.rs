//! The words of traces.

use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::testing::replay;

use crate::office::{four_eyes, payments, reviewers};

#[test]
fn a_trace_says_what_is_asked_answered_and_redeemed() {
    let answers = replay(
        &payments(four_eyes()),
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":"payer","purpose":"bills"}
{"op":"request","task":"t","as":"g","scope":[{"tool":"bank.pay","args":"any"}]}
{"op":"call","grant":"g","tool":"bank.pay","args":{"amount":98},"ask_as":"q1","expect":{"decision":"deny","code":"approval_required","reason":"approval_required","question":"q1"}}
{"op":"questions","who":{"id":"ada","kind":"human","groups":["finance"]},"expect":{"questions":["q1"]}}
{"op":"questions","who":{"id":"payer","kind":"human","groups":["finance"]},"expect":{"questions":[]}}
{"op":"redeem","question":"q1","expect":{"decision":"deny","reason":"approval_required"}}
{"op":"approve","question":"q1","who":{"id":"payer","kind":"human","groups":["finance"]},"expect":{"decision":"deny","reason":"not_eligible"}}
{"op":"approve","question":"q1","who":{"id":"ada","kind":"human","groups":["finance"]},"shown":"stale","expect":{"decision":"deny","reason":"stale_view"}}
{"op":"approve","question":"q1","who":{"id":"ada","kind":"human","groups":["finance"]},"width":"call","expect":{"state":"approved","have":1,"need":1}}
{"op":"redeem","question":"q1","as":"p1","expect":{"decision":"permit","permit":"p1"}}
{"op":"drop","permit":"p1"}
{"op":"redeem","question":"q1","grant":"g","expect":{"decision":"permit","outcome":"ok"}}
{"op":"redeem","question":"q1","expect":{"decision":"deny","reason":"approval_spent"}}
{"op":"call","grant":"g","tool":"bank.pay","args":{"amount":5},"ask_as":"q2","expect":{"question":"q2"}}
{"op":"reject","question":"q2","who":{"id":"ada","kind":"human","groups":["finance"]},"reason":"no","expect":{"state":"denied"}}
{"op":"approve","question":"q2","who":{"id":"bob","kind":"human","groups":["finance"]},"expect":{"decision":"deny","reason":"not_waiting"}}
{"op":"redeem","question":"q2","expect":{"decision":"deny","reason":"approval_void"}}
{"op":"authorize","grant":"g","tool":"bank.pay","args":{"amount":6},"as":"p2","ask_as":"q3","material":{"script":"one"},"expect":{"question":"q3"}}
{"op":"approve","question":"q3","who":{"id":"ada","kind":"human","groups":["finance"]},"expect":{"state":"approved"}}
{"op":"redeem","question":"q3","material":{"script":"two"},"expect":{"reason":"approval_stale"}}
{"op":"redeem","question":"q3","material":{"script":"one"},"expect":{"decision":"permit"}}
{"op":"call","grant":"g","tool":"bank.pay","args":{"amount":7},"ask_as":"q4","expect":{"question":"q4"}}
{"op":"cancel","question":"q4","expect":{"state":"cancelled"}}
{"op":"end","task":"t"}
{"op":"standing","expect":{"tasks":[],"grants":[]}}
"#,
    );
    assert_eq!(answers.lines().count(), 26);
}

#[test]
fn a_trace_chooses_a_width_by_its_name() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let terms = terms.offer([Width::calls(2), Width::task()]).vary(["amount"]);
    replay(
        &payments(Rule::ask("four-eyes").approval(terms)),
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":"payer","purpose":"bills"}
{"op":"request","task":"t","as":"g","scope":[{"tool":"bank.pay","args":"any"}]}
{"op":"call","grant":"g","tool":"bank.pay","args":{"to":"CH93","amount":98},"ask_as":"q1","expect":{"question":"q1"}}
{"op":"approve","question":"q1","who":{"id":"ada","kind":"human","groups":["finance"]},"expect":{"decision":"deny","reason":"not_offered"}}
{"op":"approve","question":"q1","who":{"id":"ada","kind":"human","groups":["finance"]},"width":"calls:3","expect":{"decision":"deny","reason":"not_offered"}}
{"op":"approve","question":"q1","who":{"id":"ada","kind":"human","groups":["finance"]},"width":"calls:2","expect":{"state":"approved","have":1,"need":1}}
{"op":"call","grant":"g","tool":"bank.pay","args":{"to":"CH93","amount":5},"expect":{"decision":"permit"}}
{"op":"call","grant":"g","tool":"bank.pay","args":{"to":"XX66","amount":5},"expect":{"decision":"deny","reason":"approval_required"}}
{"op":"redeem","question":"q1","expect":{"decision":"permit"}}
{"op":"redeem","question":"q1","expect":{"decision":"deny","reason":"approval_spent"}}
{"op":"end","task":"t"}
"#,
    );
}

/// A plan of five deployments, one of which is refused.
#[test]
fn a_trace_takes_four_of_five_deployments() {
    let ask = ApprovalTerms::per(Per::Task).review(reviewers("ops"));
    let rules = [
        Rule::permit("deployers").tool("deploy").any_args(),
        Rule::ask("releases").tool("deploy").approval(ask),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    replay(
        &policy,
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"release","who":"deployer","purpose":{"name":"release","ticket":"R-7"}}
{"op":"request","task":"release","as":"all","ask_as":"plan","scope":[{"tool":"deploy","args":{"service":"api"}},{"tool":"deploy","args":{"service":"web"}},{"tool":"deploy","args":{"service":"mail"}},{"tool":"deploy","args":{"service":"db"}},{"tool":"deploy","args":{"service":"cdn"}}],"expect":{"decision":"deny","code":"approval_required","question":"plan"}}
{"op":"questions","who":{"id":"ada","kind":"human","groups":["ops"]},"expect":{"questions":["plan"]}}
{"op":"take","question":"plan","as":"early","expect":{"decision":"deny","reason":"approval_required"}}
{"op":"approve","question":"plan","who":{"id":"ada","kind":"human","groups":["ops"]},"items":[9],"expect":{"decision":"deny","reason":"no_such_item"}}
{"op":"approve","question":"plan","who":{"id":"ada","kind":"human","groups":["ops"]},"shown":"stale","items":[1],"expect":{"decision":"deny","reason":"stale_view"}}
{"op":"approve","question":"plan","who":{"id":"ada","kind":"human","groups":["ops"]},"width":"call","items":[1,2,3,5],"expect":{"state":"partial","have":1,"need":1}}
{"op":"reject","question":"plan","who":{"id":"bob","kind":"human","groups":["ops"]},"items":[4],"reason":"the migration is not done","expect":{"state":"partial"}}
{"op":"take","question":"plan","as":"whole","expect":{"decision":"deny","reason":"approval_void"}}
{"op":"take","question":"plan","as":"four","part":true,"expect":{"decision":"permit","grant":"four","rules":["deployers"]}}
{"op":"call","grant":"four","tool":"deploy","args":{"service":"api"},"expect":{"decision":"permit"}}
{"op":"call","grant":"four","tool":"deploy","args":{"service":"cdn"},"expect":{"decision":"permit"}}
{"op":"call","grant":"four","tool":"deploy","args":{"service":"db"},"expect":{"decision":"deny","reason":"out_of_scope"}}
{"op":"request","task":"release","as":"again","scope":[{"tool":"deploy","args":{"service":"web"}}],"expect":{"decision":"permit"}}
{"op":"request","task":"release","as":"db","ask_as":"second","scope":[{"tool":"deploy","args":{"service":"db"}}],"expect":{"decision":"deny","question":"second"}}
{"op":"approve","question":"second","who":{"id":"ada","kind":"human","groups":["ops"]},"expect":{"state":"approved"}}
{"op":"redeem","question":"second","grant":"four","expect":{"decision":"deny","reason":"approval_void"}}
{"op":"take","question":"second","as":"db2","expect":{"decision":"permit","grant":"db2"}}
{"op":"take","question":"second","as":"db3","expect":{"decision":"deny","reason":"approval_spent"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","ask_as":"longer","expect":{"decision":"deny","reason":"approval_required","question":"longer"}}
{"op":"approve","question":"longer","who":{"id":"ada","kind":"human","groups":["ops"]},"expect":{"state":"approved"}}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"renew","grant":"four","expect":{"decision":"permit"}}
{"op":"clock","advance":"4m"}
{"op":"checkpoint","grant":"four","ask_as":"still","expect":{"decision":"deny","reason":"approval_required","question":"still"}}
{"op":"trim","task":"release","as":"more","ask_as":"trimmed","scope":[{"tool":"deploy","args":{"service":"api"}}],"expect":{"decision":"deny","reason":"approval_required"}}
{"op":"take","question":"trimmed","as":"none","expect":{"decision":"deny","reason":"approval_required"}}
{"op":"end","task":"release"}
{"op":"take","question":"longer","as":"late","expect":{"decision":"deny","reason":"task_over"}}
{"op":"standing","expect":{"tasks":[],"grants":[]}}
"#,
    );
}

/// attack 160
#[test]
fn a_trace_amends_a_call_that_waits() {
    replay(
        &payments(four_eyes()),
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":"payer","purpose":"bills"}
{"op":"request","task":"t","as":"g","scope":[{"tool":"bank.pay","args":"any"}]}
{"op":"call","grant":"g","tool":"bank.pay","args":{"to":"CH93","amount":98},"ask_as":"q1","expect":{"question":"q1"}}
{"op":"amend","question":"q1","as":"q2","who":{"id":"payer","kind":"human","groups":["finance"]},"args":{"to":"CH93","amount":50},"expect":{"decision":"deny","reason":"not_eligible"}}
{"op":"amend","question":"q1","as":"q3","who":{"id":"ada","kind":"human","groups":["finance"]},"shown":"stale","args":{"to":"CH93","amount":50},"expect":{"decision":"deny","reason":"stale_view"}}
{"op":"amend","question":"q1","as":"q4","who":{"id":"ada","kind":"human","groups":["finance"]},"tool":"bank.close","expect":{"decision":"deny","reason":"not_permitted"}}
{"op":"amend","question":"q1","as":"q5","who":{"id":"ada","kind":"human","groups":["finance"]},"args":{"to":"CH93","amount":50},"expect":{"state":"waiting","have":0,"need":1,"question":"q5"}}
{"op":"approve","question":"q1","who":{"id":"bob","kind":"human","groups":["finance"]},"expect":{"decision":"deny","reason":"not_waiting"}}
{"op":"approve","question":"q5","who":{"id":"ada","kind":"human","groups":["finance"]},"expect":{"decision":"deny","reason":"not_eligible"}}
{"op":"approve","question":"q5","who":{"id":"bob","kind":"human","groups":["finance"]},"expect":{"state":"approved"}}
{"op":"redeem","question":"q1","expect":{"decision":"deny","reason":"approval_void"}}
{"op":"redeem","question":"q5","expect":{"decision":"permit"}}
{"op":"end","task":"t"}
"#,
    );
}
