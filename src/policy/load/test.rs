//! One `[[test]]` table. What it asks is read when it is run; that it can be one is checked whenever the policy is read, so
//! that no test is left out by a slip.

use crate::document::{Misfit, Table, Written, choice};
use crate::value::SpannedNode;

/// The keys of a test that stands with a policy.
pub(crate) const KEYS: &[&str] = &[
    "name", "who", "purpose", "tool", "args", "resource", "context", "seen", "notes", "at",
    "expect", "rules",
];

/// Words of other systems, and of rules, for what a question is made of.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["when", "env", "environment"], "`context = { NAME = … }`"),
    (&["why", "ticket"], "`purpose = \"…\"`, or `purpose = { name = \"…\", ticket = \"…\" }`"),
    (&["now", "time", "date"], "`at = \"2026-01-01T12:00:00Z\"`"),
    (&["user", "agent", "principal", "subject", "as", "identity"], "`who = \"…\"`"),
    (&["what", "action", "call"], "`tool = \"…\"` and `args = { … }`"),
    (&["rule"], "`rules = [ … ]`, the ids of those that decide"),
    (&["result", "effect", "decision", "expected", "outcome", "expects"], "`expect`"),
    (&["input", "params", "arguments"], "`args = { … }`"),
    (&["id", "title", "description"], "`name`"),
    (
        &["on", "moment", "break_glass", "delegate", "grant", "uses", "budget", "rate", "ttl"],
        "it in a trace: what spans several questions is told by `replay`",
    ),
];

pub(super) fn check(written: &Written) -> Result<(), Misfit> {
    let example = "a list of tables, as `[[test]]` makes";
    let table = Table::read_translated(written, KEYS, FOREIGN, example)?;
    table.require("who", "an id, or a table such as `{ id = \"…\" }`", |_| Ok(()))?;
    table.require("tool", "the name of the tool that is called", |_| Ok(()))?;
    table.require("expect", "\"permit\", \"ask\" or \"deny\"", expected)
}

fn expected(written: &Written) -> Result<(), Misfit> {
    let meant = match &written.node {
        SpannedNode::Text(word) => match &**word {
            "allow" | "allowed" | "accept" => Some("permit"),
            "forbid" | "denied" | "refuse" | "block" => Some("deny"),
            "approval" | "review" | "approve" => Some("ask"),
            _ => None,
        },
        _ => None,
    };
    match meant {
        Some(meant) => {
            Err(Misfit::new(written.span.start, format!("the word here is \"{meant}\"")))
        }
        None => choice(written, &[("permit", ()), ("ask", ()), ("deny", ())]),
    }
}
