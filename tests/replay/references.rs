//! Traces of policies that compare with parts of the question.

use std::fs;

use crate::driver::{folder, replay_files};

const POLICY: &str = r#"
version = 1

[[tool]]
name = "file.read"
args = { path = "path" }

[[tool]]
name = "invoice.approve"

[[tool]]
name = "repo.pull"

[[rule]]
id     = "below-the-own-folder"
effect = "permit"
what   = { tool = "file.read", args = { path = { under = { join = ["/home", { ref = "who.attrs.user" }] } } } }

[[rule]]
id     = "up-to-the-own-limit"
effect = "permit"
what   = { tool = "invoice.approve", args = { amount = { min = 0, max = { ref = "who.attrs.limit" } } } }

[[rule]]
id     = "readers-pull"
effect = "permit"
who    = { groups = { some = { same_as = "resource.attrs.readers" } } }
what   = { tool = "repo.pull", resource = { type = "repo", id = "any", attrs = { readers = "any" } } }
"#;

const TRACE: &str = r#"
{"op": "trace", "version": 1, "start": "2026-11-28T09:00:00Z"}
{"op": "open", "task": "dora", "who": {"id": "dora", "groups": ["ink"], "attrs": {"user": "dora", "limit": 40}}, "purpose": "errand", "expect": {"decision": "permit"}}
{"op": "request", "task": "dora", "as": "files", "scope": [{"tool": "file.read", "args": {"path": {"under": "/home/dora/in"}}}], "expect": {"decision": "permit"}}
{"op": "call", "grant": "files", "tool": "file.read", "args": {"path": "/home/dora/in/./a"}, "expect": {"decision": "permit"}}
{"op": "request", "task": "dora", "as": "x", "scope": [{"tool": "file.read", "args": {"path": {"under": "/home"}}}], "expect": {"decision": "deny"}}
{"op": "request", "task": "dora", "as": "x", "scope": [{"tool": "file.read", "args": {"path": {"under": "/home/doran"}}}], "expect": {"decision": "deny"}}
{"op": "request", "task": "dora", "as": "sums", "scope": [{"tool": "invoice.approve", "args": {"amount": {"min": 0, "max": 40}}}], "expect": {"decision": "permit"}}
{"op": "call", "grant": "sums", "tool": "invoice.approve", "args": {"amount": 40}, "expect": {"decision": "permit"}}
{"op": "call", "grant": "sums", "tool": "invoice.approve", "args": {"amount": 41}, "expect": {"decision": "deny", "reason": "out_of_scope"}}
{"op": "request", "task": "dora", "as": "x", "scope": [{"tool": "invoice.approve", "args": {"amount": {"min": 0, "max": 41}}}], "expect": {"decision": "deny"}}
{"op": "request", "task": "dora", "as": "pull", "scope": [{"tool": "repo.pull", "resource": {"type": "repo", "id": "ink", "attrs": {"readers": "ink"}}}], "expect": {"decision": "permit"}}
{"op": "call", "grant": "pull", "tool": "repo.pull", "resource": {"type": "repo", "id": "ink", "attrs": {"readers": "ink"}}, "expect": {"decision": "permit"}}
{"op": "request", "task": "dora", "as": "x", "scope": [{"tool": "repo.pull", "resource": {"type": "repo", "id": "ink", "attrs": {"readers": "lead"}}}], "expect": {"decision": "deny"}}
{"op": "open", "task": "odd", "who": {"id": "odd", "attrs": {"user": "..", "limit": "40"}}, "purpose": "errand", "expect": {"decision": "permit"}}
{"op": "request", "task": "odd", "as": "x", "scope": [{"tool": "file.read", "args": {"path": "/etc/passwd"}}], "note": "an attested name that leads elsewhere", "expect": {"decision": "deny"}}
{"op": "request", "task": "odd", "as": "x", "scope": [{"tool": "invoice.approve", "args": {"amount": 1}}], "note": "a limit that is not a number", "expect": {"decision": "deny"}}
{"op": "open", "task": "none", "who": "eli", "purpose": "errand", "expect": {"decision": "permit"}}
{"op": "request", "task": "none", "as": "x", "scope": [{"tool": "invoice.approve", "args": {"amount": 0}}], "note": "none stated is none allowed", "expect": {"decision": "deny"}}
"#;

#[test]
fn a_trace_of_own_folders_limits_and_groups_goes_as_its_author_expects() {
    let folder = folder("references");
    fs::write(folder.join("policy.toml"), POLICY).unwrap();
    fs::write(folder.join("trace.jsonl"), TRACE.trim_start()).unwrap();
    let told = replay_files(&folder.join("policy.toml"), &folder.join("trace.jsonl"));
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    let answers = told.answers.lines().filter(|line| line.contains("\"decision\"")).count();
    assert!(answers >= 17, "{answers} answers");
}
