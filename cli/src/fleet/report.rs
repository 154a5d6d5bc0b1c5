//! What an operator is shown of a fleet.

use std::io::{self, Write};

use hallpass::fleet::{FleetView, NodeView};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::json_line::write_json;

/// Shows a fleet, for people or as one JSON object.
pub(super) fn show(out: &mut impl Write, view: &FleetView, as_json: bool) -> io::Result<Exit> {
    if as_json {
        write_json(out, &object(view))?;
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
        write!(out, "node     {}: {}", name.escape_debug(), state.as_str())?;
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

#[cfg(test)]
mod tests {
    use hallpass::fleet::{MemoryStore, NodeRow, NodeState, Operator, Store};
    use hallpass::key::SecretKey;

    use super::*;

    /// Who can write the store could have put any name there.
    #[test]
    fn a_name_in_the_store_writes_no_line_of_its_own() {
        let store = MemoryStore::new();
        let row = NodeRow {
            name: "n1: live, has applied all\nnode     n2\u{1b}[8m".into(),
            incarnation: [1; 16],
            counter: 1,
            state: NodeState::Live,
            bytes: Box::default(),
        };
        assert!(store.write(&row, None, 0).unwrap().0);
        let mut operator =
            Operator::new("acme", &SecretKey::generate().unwrap(), store.clone()).unwrap();
        let mut shown = Vec::new();
        show(&mut shown, &operator.look().unwrap(), false).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(!shown.trim_end().contains(|own: char| own.is_control() && own != '\n'), "{shown}");
        // What waits for it says so, too.
        let act = operator.halt(&hallpass::Halt::Everything).unwrap();
        let waits = act.wait(std::time::Duration::ZERO).unwrap_err().to_string();
        assert!(!waits.contains(char::is_control), "{waits}");
    }
}
