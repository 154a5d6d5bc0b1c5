//! `hallpass serve`, asked over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod answers;
mod bounds;
mod corpora;
mod curl;
mod ends;
mod envoy;
mod envoy_page;
mod events;
mod server;
mod starting;
mod tls;
mod who_asks;

/// Ana and those who help her read orders of hers; no one touches what is sealed.
const ORDERS: &str = r#"
    version = 1
    [[rule]]
    id = "read"
    effect = "permit"
    who = { id = { one_of = ["ana", "helper"] } }
    what = { tool = "read", args = "any", resource = { type = "order", id = "any" } }
    why = { purpose = "orders" }
    [[rule]]
    id = "sealed"
    effect = "forbid"
    what = { tool = "any", resource = { type = "order", attrs = { sealed = true } } }
    [[rule]]
    id = "at-night"
    effect = "forbid"
    what = { tool = "any" }
    when = { night = true }
    [[rule]]
    id = "refund"
    effect = "permit"
    who = { kind = "human", attrs = { role = "clerk" } }
    what = { tool = "refund", args = { amount = { above = 0, max = 50 } }, resource = { type = "order", id = "any" } }
    [[rule]]
    id = "ask"
    effect = "ask"
    what = { tool = "refund", args = { amount = { above = 20 } } }
    approval = { per = "call", review = [{ groups = { has_any = ["leads"] } }] }
"#;
