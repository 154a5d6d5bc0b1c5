//! Traces of commands given as lists, and of arguments that are left out by `null`.

use std::fs;

use crate::driver::{folder, replay_files};

const POLICY: &str = r#"
version = 1

[[tool]]
name = "run"

[[tool]]
name = "note.send"
args = { file = "path?" }

[[rule]]
id     = "list-and-show"
effect = "permit"
what   = { tool = "run", args = { argv = { items = ["kubectl", { one_of = ["get", "describe"] }, { one_of = ["pods", "nodes"] }], rest = { one_of = ["-o", "wide"] } } } }

[[rule]]
id     = "notes"
effect = "permit"
what   = { tool = "note.send", args = { to = "any", file = { any = [{ present = false }, { under = "/notes" }] } } }
"#;

const TRACE: &str = r#"
{"op": "trace", "version": 1, "start": "2026-11-28T09:00:00Z"}
{"op": "open", "task": "t", "who": "agent-3", "purpose": "errand", "expect": {"decision": "permit"}}
{"op": "request", "task": "t", "as": "g", "scope": [{"tool": "run", "args": {"argv": {"items": ["kubectl", "get", "pods"], "rest": {"one_of": ["-o", "wide"]}}}}], "expect": {"decision": "permit"}}
{"op": "call", "grant": "g", "tool": "run", "args": {"argv": ["kubectl", "get", "pods", "-o", "wide"]}, "expect": {"decision": "permit"}}
{"op": "call", "grant": "g", "tool": "run", "args": {"argv": ["kubectl", "get", "pods", "--kubeconfig=/x"]}, "expect": {"decision": "deny", "reason": "out_of_scope"}}
{"op": "call", "grant": "g", "tool": "run", "args": {"argv": ["kubectl", "get"]}, "expect": {"decision": "deny", "reason": "out_of_scope"}}
{"op": "request", "task": "t", "as": "x", "scope": [{"tool": "run", "args": {"argv": {"eq": ["get", "kubectl", "pods"]}}}], "expect": {"decision": "deny"}}
{"op": "request", "task": "t", "as": "x", "scope": [{"tool": "run", "args": {"argv": {"items": ["kubectl", "delete", "pods"]}}}], "expect": {"decision": "deny"}}
{"op": "request", "task": "t", "as": "n", "scope": [{"tool": "note.send", "args": {"to": "any", "file": {"any": [{"present": false}, {"under": "/notes"}]}}}], "expect": {"decision": "permit"}}
{"op": "call", "grant": "n", "tool": "note.send", "args": {"to": "bea", "file": null}, "note": "every argument named, as strict function calling does", "expect": {"decision": "permit"}}
{"op": "call", "grant": "n", "tool": "note.send", "args": {"to": "bea", "file": [null]}, "expect": {"decision": "deny"}}
{"op": "call", "grant": "n", "tool": "note.send", "args": {"to": "bea", "file": "/etc/passwd"}, "expect": {"decision": "deny"}}
"#;

#[test]
fn a_trace_of_commands_and_of_what_is_left_out_goes_as_its_author_expects() {
    let folder = folder("words");
    fs::write(folder.join("policy.toml"), POLICY).unwrap();
    fs::write(folder.join("trace.jsonl"), TRACE.trim_start()).unwrap();
    let told = replay_files(&folder.join("policy.toml"), &folder.join("trace.jsonl"));
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    let answers = told.answers.lines().filter(|line| line.contains("\"decision\"")).count();
    assert!(answers >= 11, "{answers} answers");
}
