//! The rooms as text: each on the storey above everything it imports.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::rooms::{Graph, reached};

/// Rooms without `mod`, which at the top is `lib.rs`: it imports what it re-exports.
pub(crate) fn draw(graph: &Graph) -> String {
    let mut storeys: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let rooms = graph.keys().filter(|name| *name != "mod");
    for room in rooms.clone() {
        storeys.entry(storey(graph, room)).or_default().push(room);
    }
    let width = rooms.map(String::len).max().unwrap_or(0);
    let mut drawn = "```text\n".to_owned();
    for (_, rooms) in storeys.into_iter().rev() {
        for room in rooms {
            let nearest = nearest(graph, room);
            match nearest[..] {
                [] => writeln!(drawn, "{room}").unwrap(),
                _ => writeln!(drawn, "{room:width$} -> {}", nearest.join(", ")).unwrap(),
            }
        }
        drawn.push('\n');
    }
    drawn.pop();
    drawn.push_str("```\n");
    drawn
}

/// How many imports one after the other lead from a room to one that imports nothing.
fn storey(graph: &Graph, room: &str) -> usize {
    let below = graph[room].iter().filter(|below| *below != "mod");
    below.map(|below| storey(graph, below) + 1).max().unwrap_or(0)
}

/// What a room imports, without what is reached by one of its other imports, too.
fn nearest<'g>(graph: &'g Graph, room: &str) -> Vec<&'g str> {
    let all: Vec<&str> = graph[room].iter().map(String::as_str).collect();
    let by_another =
        |own: &str| all.iter().any(|other| *other != own && reached(graph, other).contains(own));
    all.iter().copied().filter(|own| *own != "mod" && !by_another(own)).collect()
}
