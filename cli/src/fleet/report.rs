//! What an operator is shown of a fleet.

use std::io::{self, Write};

use hallpass::fleet::{FleetView, NodeView};
use serde_json::{Value, json};

use crate::exit::Exit;

/// Shows a fleet, for people or as one JSON object.
pub(super) fn show(out: &mut impl Write, view: &FleetView, as_json: bool) -> io::Result<Exit> {
    if as_json {
        writeln!(out, "{}", object(view))?;
        return Ok(Exit::Fine);
    }
    writeln!(out, "mark     {}", view.mark)?;
    match view.epoch {
        0 => writeln!(out, "epoch    0: each node has the policy that it was started with")?,
        epoch => writeln!(out, "epoch    {epoch}")?,
    }
    for halt in &view.halts {
        writeln!(out, "halted   {}", halt.escape_debug())?;
    }
    for node in &view.nodes {
        let NodeView { name, state, said, .. } = node;
        write!(out, "node     {name}: {}", state.as_str())?;
        match said {
            None => writeln!(out, ", and no member wrote its row")?,
            Some(said) => {
                match view.mark.number.checked_sub(said.applied.number) {
                    Some(0) => write!(out, ", has applied all")?,
                    Some(behind) => write!(out, ", {behind} acts behind")?,
                    None => write!(out, ", has applied what this store does not have")?,
                }
                match &*said.address {
                    "" => writeln!(out)?,
                    address => writeln!(out, ", answers at {}", address.escape_debug())?,
                }
            }
        }
    }
    if view.nodes.is_empty() {
        writeln!(out, "node     none")?;
    }
    Ok(Exit::Fine)
}

fn object(view: &FleetView) -> Value {
    let node = |node: &NodeView| {
        json!({
            "name": node.name,
            "state": node.state.as_str(),
            "counter": node.counter,
            "applied": node.said.as_ref().map(|said| said.applied.number),
            "answers_at": node.said.as_ref().map(|said| &said.address),
        })
    };
    json!({
        "mark": view.mark.to_string(),
        "epoch": view.epoch,
        "halts": view.halts,
        "nodes": view.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}
