//! The words of traces: an incident.

use hallpass::testing::replay;

use crate::ward::{incident, owners_agree, policy};

#[test]
fn a_trace_tells_of_an_incident() {
    let rules = [incident(), owners_agree(hallpass::policy::Per::Call)];
    let answers = replay(
        &policy(rules),
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":{"id":"ada","kind":"human","groups":["sre"],"aliases":["a.smith"]},"purpose":"incident"}
{"op":"request","task":"t","as":"r","scope":[{"tool":"db.admin","args":"any"}],"expect":{"decision":"deny","reason":"not_covered"}}
{"op":"break_glass","task":"t","as":"g","scope":[{"tool":"db.admin","args":"any"}],"justification":" ","expect":{"decision":"deny","code":"bad_request","reason":"no_justification"}}
{"op":"break_glass","task":"t","as":"g","scope":[{"tool":"db.admin","args":"any"}],"justification":"orders are down","expect":{"decision":"permit","rules":["incident"]}}
{"op":"call","grant":"g","tool":"db.admin","args":{"what":"restart"},"expect":{"decision":"permit","outcome":"ok"}}
{"op":"debts","expect":{"debts":[{"grant":"g","task":"t","who":"ada","due":"2026-01-02T00:00:00Z","overdue":false}]}}
{"op":"close_debt","grant":"g","who":{"id":"A.Smith","kind":"human","groups":["security"]},"verdict":"justified","note":"fine","expect":{"decision":"deny","reason":"not_eligible"}}
{"op":"end","task":"t"}
{"op":"clock","advance":"24h"}
{"op":"open","task":"u","who":{"id":"ada","kind":"human","groups":["sre"]},"purpose":"incident"}
{"op":"break_glass","task":"u","as":"h","scope":[{"tool":"db.admin","args":"any"}],"justification":"again","expect":{"decision":"deny","code":"not_permitted","reason":"review_owed"}}
{"op":"close_debt","grant":"g","who":{"id":"eve","kind":"human","groups":["security"]},"verdict":"justified","expect":{"decision":"deny","reason":"unsaid"}}
{"op":"close_debt","grant":"g","who":{"id":"eve","kind":"human","groups":["security"]},"verdict":"justified","note":"one restart","expect":{"state":"closed"}}
{"op":"close_debt","grant":"g","who":{"id":"eve","kind":"human","groups":["security"]},"verdict":"justified","note":"one restart","expect":{"decision":"deny","reason":"not_owed"}}
{"op":"debts","expect":{"debts":[]}}
{"op":"break_glass","task":"u","as":"h","scope":[{"tool":"db.admin","args":"any"}],"justification":"again","context":{},"expect":{"decision":"permit"}}
{"op":"renew","grant":"h","expect":{"decision":"deny","reason":"not_covered"}}
{"op":"open","task":"v","who":"agent-7","purpose":"incident"}
{"op":"break_glass","task":"v","as":"i","scope":[{"tool":"db.admin","args":"any"}],"justification":"down","expect":{"decision":"deny","reason":"not_one_human"}}
"#,
    );
    assert_eq!(answers.lines().count(), 20);
}
