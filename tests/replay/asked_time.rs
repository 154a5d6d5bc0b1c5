//! Time that a request asks for, in traces.

use std::fs;

use crate::driver::{folder, replay_files};

const POLICY: &str = r#"
version = 1

[[rule]]
id     = "migrate"
effect = "permit"
what   = { tool = "db.migrate", args = "any" }
grant  = { ttl = "30m" }
"#;

const TRACE: &str = r#"
{"op":"trace","version":1,"start":"2026-11-28T09:00:00Z"}
{"op":"open","task":"t","who":"agent-1","purpose":"errand","expect":{"decision":"permit"}}
{"op":"request","task":"t","as":"short","scope":[{"tool":"db.migrate","args":"any"}],"ttl":"2m","expect":{"decision":"permit","expires":"2026-11-28T09:02:00Z"}}
{"op":"request","task":"t","as":"long","scope":[{"tool":"db.migrate","args":"any"}],"ttl":"2h","expect":{"decision":"permit","expires":"2026-11-28T09:30:00Z"}}
{"op":"request","task":"t","as":"later","scope":[{"tool":"db.migrate","args":"any"}],"start":"2026-11-28T09:10:00Z","ttl":"5m","expect":{"decision":"permit","starts":"2026-11-28T09:10:00Z","expires":"2026-11-28T09:15:00Z"}}
{"op":"request","task":"t","as":"never","scope":[{"tool":"db.migrate","args":"any"}],"start":"2026-11-28T09:30:00Z","expect":{"decision":"deny","reason":"expired"}}
{"op":"call","grant":"later","tool":"db.migrate","expect":{"decision":"deny","reason":"not_yet","code":"limit_reached"}}
{"op":"clock","advance":"2m"}
{"op":"call","grant":"short","tool":"db.migrate","expect":{"decision":"deny","reason":"expired"}}
{"op":"renew","grant":"later","expect":{"decision":"deny","reason":"not_yet"}}
{"op":"clock","advance":"8m"}
{"op":"call","grant":"later","tool":"db.migrate","expect":{"decision":"permit"}}
{"op":"renew","grant":"later","expect":{"decision":"permit","expires":"2026-11-28T09:15:00Z"}}
{"op":"clock","advance":"5m"}
{"op":"call","grant":"later","tool":"db.migrate","expect":{"decision":"deny","reason":"expired"}}
{"op":"call","grant":"long","tool":"db.migrate","expect":{"decision":"permit"}}
"#;

#[test]
fn a_trace_asks_for_less_time_and_for_a_later_start() {
    let here = folder("asked-time");
    let (policy, trace) = (here.join("policy.toml"), here.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    fs::write(&trace, TRACE.trim_start()).unwrap();
    let told = replay_files(&policy, &trace);
    assert_eq!(told.code, 0, "{}\n{}", told.remarks, told.answers);
    assert!(told.remarks.contains(" 0 not\n"), "{}", told.remarks);
}

#[test]
fn a_time_that_is_none_is_an_error() {
    for (field, said) in
        [("\"ttl\":\"0s\"", "`ttl`"), ("\"start\":\"soon\"", "`start`"), ("\"ttl\":5", "`ttl`")]
    {
        let here = folder("asked-time-odd");
        let (policy, trace) = (here.join("policy.toml"), here.join("trace.jsonl"));
        fs::write(&policy, POLICY).unwrap();
        let text = TRACE.trim_start().replacen("\"ttl\":\"2m\"", field, 1);
        fs::write(&trace, text).unwrap();
        let told = replay_files(&policy, &trace);
        assert_eq!(told.code, 2, "{field}");
        assert!(told.remarks.contains(said), "{}", told.remarks);
    }
}
