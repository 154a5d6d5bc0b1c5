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
