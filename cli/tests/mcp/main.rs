//! `hallpass mcp` between a client and a server that do what they like.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod calls;
mod ends;
mod frames;
mod http;
mod http_client;
mod http_server;
mod lists;
mod other_methods;
mod pin;
mod pin_url;
mod remote;
mod remote_ends;
mod remote_tls;
mod server_asks;
mod starting;
mod stateless;

/// Reading what is not in `/data/private`, in any words.
const READING: &str = r#"
    version = 1
    tool = [
        { name = "fs.read", args = { path = "path" } }, { name = "fs.note" }, { name = "fs.erase" },
        { name = "mcp:sampling" }, { name = "mcp:resources/read" }, { name = "mcp:prompts/get" },
    ]
    [[rule]]
    id = "read"
    effect = "permit"
    who = { kind = "agent", id = "agent-7" }
    what = { tool = "fs.read", args = { path = { under = "/data" } } }
    why = { purpose = "errand" }
    [[rule]]
    id = "private"
    effect = "forbid"
    what = { tool = "fs.read", args = { path = { under = "/data/private" } } }
    [[rule]]
    id = "note"
    effect = "permit"
    what = { tool = "fs.note", args = "any" }
"#;
