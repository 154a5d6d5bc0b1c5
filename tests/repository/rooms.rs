//! The rooms of the crate, which are its folders, and the files of each: no two import each other,
//! neither directly nor around a corner.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{Crate, Module};
use crate::{files, picture};

/// What each of some neighbours imports.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Who imports whom among the files and folders directly in one folder. What the folder's own `mod.rs`
/// defines is called `mod`.
pub(crate) fn graph(imports: &BTreeSet<(Module, Module)>, folder: &[String]) -> Graph {
    let inside = |module: &Module| match module.strip_prefix(folder)? {
        [] => Some("mod".to_owned()),
        [own, ..] => Some(own.clone()),
    };
    let mut graph = Graph::new();
    for (from, to) in imports {
        if let (Some(from), Some(to)) = (inside(from), inside(to)) {
            graph.entry(to.clone()).or_default();
            let all = graph.entry(from.clone()).or_default();
            if from != to {
                all.insert(to);
            }
        }
    }
    graph
}

/// Everything that is reached from here by one import or more.
pub(crate) fn reached<'g>(graph: &'g Graph, from: &str) -> BTreeSet<&'g str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = graph[from].iter().map(String::as_str).collect();
    while let Some(name) = next.pop() {
        if reached.insert(name) {
            next.extend(graph[name].iter().map(String::as_str));
        }
    }
    reached
}

/// The names that reach themselves.
fn in_circles(graph: &Graph) -> Vec<&String> {
    graph.keys().filter(|name| reached(graph, name).contains(name.as_str())).collect()
}

#[test]
fn no_folder_and_no_file_imports_itself_around_a_corner() {
    let sources = Crate::read();
    let imports = sources.imports();
    let mut found = Vec::new();
    for folder in sources.folders() {
        let mut graph = graph(&imports, &folder);
        // A folder's own file names what lives below it, and what lives below may name the folder.
        graph.remove("mod");
        for all in graph.values_mut() {
            all.remove("mod");
        }
        for name in in_circles(&graph) {
            let between = graph[name].iter().filter(|to| reached(&graph, to).contains(&name[..]));
            let between: Vec<&str> = between.map(String::as_str).collect();
            let folder = if folder.is_empty() { "src".to_owned() } else { folder.join("/") };
            found.push(format!("{folder}: `{name}` imports `{}`", between.join("`, `")));
        }
    }
    assert!(found.is_empty(), "circles of imports:\n{}", found.join("\n"));
}

#[test]
fn a_circle_around_a_corner_is_found() {
    let path = |text: &str| text.split('/').map(str::to_owned).collect::<Module>();
    let imports = [("a/x", "b/y"), ("b/z", "c"), ("c", "a"), ("d", "a")];
    let imports = imports.map(|(from, to)| (path(from), path(to)));
    let graph = graph(&BTreeSet::from(imports), &[]);
    assert_eq!(in_circles(&graph), ["a", "b", "c"]);
}

#[test]
fn the_rooms_and_their_imports_are_seen() {
    let sources = Crate::read();
    let graph = graph(&sources.imports(), &[]);
    assert!(graph["broker"].contains("policy"), "an import by a plain path");
    assert!(graph["policy"].contains("clock"), "an import in a group");
    assert!(!graph["value"].contains("testing"), "what only tests name is not an import");
    assert!(graph.keys().all(|name| name != "prelude" && name != "Policy"), "{:?}", graph.keys());
}

#[test]
fn the_picture_of_the_rooms_is_drawn_from_the_code() {
    let sources = Crate::read();
    let graph = graph(&sources.imports(), &[]);
    let page = files::read("docs/architecture.md");
    let drawn = picture::draw(&graph);
    files::assert_says("docs/architecture.md", &files::with_block(&page, "rooms", &drawn));
}
