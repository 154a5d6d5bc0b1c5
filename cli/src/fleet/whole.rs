//! What an operator is shown of all nodes at once.

use std::io::{self, Write};

use hallpass::fleet::FleetWide;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::json_line::write_json;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Standing,
    Reviews,
    Obligations,
}

/// Shows what nodes have answered, for people a line for each, or as one JSON object. What is partial is said, and is a finding.
pub(super) fn show(
    out: &mut impl Write,
    seen: &FleetWide<impl Serialize>,
    what: Wide,
    as_json: bool,
) -> Result<Exit, String> {
    let nodes: Result<Map<String, Value>, _> = seen
        .nodes
        .iter()
        .map(|(name, own)| Ok((name.to_string(), serde_json::to_value(own)?)))
        .collect();
    let nodes = nodes.map_err(|error: serde_json::Error| error.to_string())?;
    let written = match as_json {
        true => write_json(out, &json!({ "nodes": nodes, "not_heard": seen.not_heard })),
        false => lines(out, &nodes, &seen.not_heard, what),
    };
    let exit = if seen.not_heard.is_empty() { Exit::Fine } else { Exit::Findings };
    Ok(Exit::of_report(written.map(|()| exit)))
}

fn lines(
    out: &mut impl Write,
    nodes: &Map<String, Value>,
    not_heard: &[Box<str>],
    what: Wide,
) -> io::Result<()> {
    let parts: &[(&str, &[&str])] = match what {
        Wide::Standing => &[
            ("tasks", &["name", "requester", "ceiling"]),
            ("grants", &["id", "task", "holder", "expires"]),
            ("downstream", &["name", "credential", "task", "until"]),
        ],
        Wide::Reviews => &[("questions", &["id", "task", "holder", "tools", "expires"])],
        Wide::Obligations => {
            &[("obligations", &["credential", "debt", "since", "attempts", "last_error"])]
        }
    };
    for (name, own) in nodes {
        let mut is_empty = true;
        for (part, members) in parts {
            for item in own.get(part).and_then(Value::as_array).into_iter().flatten() {
                is_empty = false;
                let told = members.iter().filter_map(|member| item.get(member)).map(word);
                let told = told.collect::<Vec<_>>().join("  ");
                writeln!(out, "{name}: {}  {told}", part.trim_end_matches('s'))?;
            }
        }
        if is_empty {
            writeln!(out, "{name}: nothing")?;
        }
        if let Some(left_out) = own.get("left_out").and_then(Value::as_u64).filter(|more| *more > 0)
        {
            writeln!(out, "{name}: {left_out} more")?;
        }
    }
    for name in not_heard {
        // Anyone who can write the store could have put any name there.
        writeln!(out, "{}: not heard", name.escape_debug())?;
    }
    Ok(())
}

/// A value as a word of a line: what agents and servers have said writes no line of its own.
fn word(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(word).collect::<Vec<_>>().join(","),
        Value::Object(members) => members.get("name").map(word).unwrap_or_default(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use hallpass::fleet::{Fleet, MemoryStore, Operator};
    use hallpass::key::SecretKey;
    use hallpass::prelude::*;

    use super::*;

    #[test]
    fn what_no_node_answered_is_said_and_is_a_finding() {
        let (secret, store) = (SecretKey::generate().unwrap(), MemoryStore::new());
        let rule = Rule::permit("all").any_tool().any_args();
        let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
        let fleet = Fleet::builder("acme", "n1").join(&broker, &secret, store.clone()).unwrap();
        while fleet.status().lease.is_none() {
            fleet.tend();
        }
        let agent = broker.assert_identity("agent-7").unwrap();
        let _task = broker.open(&agent, Purpose::new("report")).unwrap();
        let shown = |seen: &FleetWide<_>, as_json| {
            let mut out = Vec::new();
            let exit = show(&mut out, seen, Wide::Standing, as_json).unwrap();
            (exit, String::from_utf8(out).unwrap())
        };
        let (exit, told) = shown(&fleet.standing().unwrap(), false);
        assert_eq!((exit, told.starts_with("n1: task  ")), (Exit::Fine, true), "{told}");
        // An operator that reaches no node hears none.
        let mut operator = Operator::new("acme", &secret, store).unwrap();
        let (exit, told) = shown(&operator.standing().unwrap(), false);
        assert_eq!((exit, &*told), (Exit::Findings, "n1: not heard\n"));
        let (_, told) = shown(&operator.standing().unwrap(), true);
        assert_eq!(told, "{\"nodes\":{},\"not_heard\":[\"n1\"]}\n");
    }
}
