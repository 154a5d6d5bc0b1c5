//! `hallpass acp` between an editor and an agent that do what they like.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod calls;
mod ends;
mod frames;
mod handshake;
mod permission;
mod played;
mod starting;
mod terminals;
mod turns;

/// Reading notes, writing drafts, and running tests.
const CODING: &str = r#"
    version = 1
    tool = [
        { name = "acp:fs/read_text_file", args = { path = "path" } },
        { name = "acp:fs/write_text_file", args = { path = "path" } },
        { name = "acp:terminal/create" }, { name = "acp:permission" }, { name = "acp:elicitation" },
    ]
    [[rule]]
    id = "read"
    effect = "permit"
    who = { kind = "agent", id = "agent-7" }
    what = { tool = "acp:fs/read_text_file", args = { path = { under = "/src" } }, other_args = "any" }
    why = { purpose = "errand" }
    [[rule]]
    id = "write"
    effect = "permit"
    what = { tool = "acp:fs/write_text_file", args = { path = { under = "/src/drafts" }, content = "any" } }
    [[rule]]
    id = "test"
    effect = "permit"
    [rule.what]
    tool = "acp:terminal/create"
    [rule.what.args]
    command = "cargo"
    args = { items = ["test"] }
    cwd = { any = [{ present = false }, { eq = "/src" }] }
    [[rule]]
    id = "stories"
    effect = "permit"
    what = { tool = "acp:permission", args = { kind = { one_of = ["read", "edit"] } }, other_args = "any" }
    [[rule]]
    id = "no-keys"
    effect = "forbid"
    what = { tool = "acp:fs/read_text_file", args = { path = { under = "/src/keys" } } }
"#;
