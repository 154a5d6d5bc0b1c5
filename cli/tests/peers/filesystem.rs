//! The reference server for files, which gives more than the policy does: what gets past the gate would be read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::peer;
use crate::world::Folder;
use crate::world::gated::{Gated, denials};

const SECRET: &str = "what no agent reads";

/// A folder with notes, and next to it what no agent may read.
fn folder() -> Folder {
    let folder = Folder::new();
    for (path, content) in [
        ("notes/today.txt", "water the plants"),
        ("notes_private/diary.txt", SECRET),
        ("notes.txt", SECRET),
        ("secret/key.txt", SECRET),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    symlink(folder.path().join("secret"), folder.path().join("notes/link")).unwrap();
    folder
}

fn policy(root: &str) -> String {
    let path = "args = { path = \"path\", source = \"path\", destination = \"path\" }";
    let tools = ["read_text_file", "write_file", "move_file", "list_directory"];
    let tools: String =
        tools.iter().map(|tool| format!("[[tool]]\nname = \"{tool}\"\n{path}\n")).collect();
    let within = format!("{{ under = \"{root}/notes\" }}");
    format!(
        r#"
        version = 1
        {tools}
        [[rule]]
        id = "read"
        effect = "permit"
        what = {{ tool = "read_text_file", args = {{ path = {within} }} }}
        [[rule]]
        id = "list"
        effect = "permit"
        what = {{ tool = "list_directory", args = {{ path = {within} }} }}
        [[rule]]
        id = "write"
        effect = "permit"
        what = {{ tool = "write_file", args = {{ path = {within}, content = "any" }} }}
        [[rule]]
        id = "move"
        effect = "permit"
        what = {{ tool = "move_file", args = {{ source = {within}, destination = {within} }} }}
        "#
    )
}

/// The server, which may reach all below `served`, behind the gate.
fn gated(folder: Folder, served: &str) -> Gated {
    let (root, server) = (
        folder.path().to_str().unwrap().to_owned(),
        peer("node/node_modules/.bin/mcp-server-filesystem"),
    );
    let served = format!("{root}{served}");
    let mut gated = Gated::before(folder, &policy(&root), &[], &["node", &server, &served]);
    gated.shake_hands("2025-11-25");
    gated
}

/// The files outside of the notes, and what is in them; but for the log, which grows.
fn outside(root: &str) -> BTreeMap<PathBuf, String> {
    let folders = ["", "secret", "notes_private"].map(|folder| Path::new(root).join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn text(result: &Value) -> String {
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// attacks 1 to 6: prefixes that are not folders, dots, separators of every kind, in the arguments of a real server.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn what_is_outside_of_the_notes_is_never_read_written_or_moved() {
    let folder = folder();
    let root = folder.path().to_str().unwrap().to_owned();
    let mut gated = gated(folder, "");
    let before = outside(&root);
    assert!(before.len() >= 5, "{before:?}");
    let names: Vec<Value> = gated.ask("tools/list", json!({}))["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(names, ["read_text_file", "write_file", "list_directory", "move_file"]);
    assert_eq!(
        text(&gated.call("read_text_file", json!({ "path": format!("{root}/notes/today.txt") }))),
        "water the plants"
    );
    let asked =
        gated.call("read_text_file", json!({ "path": format!("{root}/notes/./a/../today.txt") }));
    assert_eq!(text(&asked), "denied: bad_request", "{asked}");
    for path in [
        "/notes_private/diary.txt",
        "/notes.txt",
        "/notes/../secret/key.txt",
        "/notes/../notes_private/diary.txt",
        "/notes/./../secret/key.txt",
        "/notes//../secret/key.txt",
        "/notes/x/../../secret/key.txt",
        "/notes/..\\secret\\key.txt",
        "/notes\\..\\secret\\key.txt",
        "/notes/%2e%2e/secret/key.txt",
        "/notes/..%2fsecret/key.txt",
        "/notes/%2e%2e%2fsecret%2fkey.txt",
        "/notes/..;/secret/key.txt",
        "/notes/.. /secret/key.txt",
        "/notes/\u{2024}\u{2024}/secret/key.txt",
        "/notes/\u{ff0e}\u{ff0e}/secret/key.txt",
        "/notes/..\u{0}/secret/key.txt",
        "/notes\u{2215}../secret/key.txt",
        "/NOTES/../secret/key.txt",
        "/secret/key.txt",
    ] {
        let path = format!("{root}{path}");
        let result = gated.call("read_text_file", json!({ "path": path }));
        assert!(!result.to_string().contains(SECRET), "{path}: {result}");
        assert_eq!(result["isError"], true, "{path}: {result}");
        let _ = gated.call("write_file", json!({ "path": path, "content": "mine" }));
        let from = format!("{root}/notes/today.txt");
        let _ = gated.call("move_file", json!({ "source": from, "destination": path }));
        // An odd name below the notes is a name, and the agent's.
        assert_eq!(outside(&root), before, "{path}");
        let _ = fs::write(format!("{root}/notes/today.txt"), "water the plants");
    }
    for path in ["~/.ssh/id_rsa", "notes/today.txt", "file:///etc/passwd", ""] {
        let result = gated.call("read_text_file", json!({ "path": path }));
        assert!(text(&result).starts_with("denied: "), "{path}: {result}");
    }
    let left = gated.end();
    assert!(denials(&left.assert_nothing_stands()).len() > 30);
}

/// Tools of the same server that the policy does not name read files, too.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn tools_that_no_rule_names_are_not_there() {
    let folder = folder();
    let root = folder.path().to_str().unwrap().to_owned();
    let mut gated = gated(folder, "");
    for (tool, args) in [
        ("read_file", json!({ "path": format!("{root}/secret/key.txt") })),
        ("read_multiple_files", json!({ "paths": [format!("{root}/secret/key.txt")] })),
        ("search_files", json!({ "path": root, "pattern": "key" })),
        ("directory_tree", json!({ "path": root })),
    ] {
        assert_eq!(text(&gated.call(tool, args)), "denied: not_permitted", "{tool}");
    }
    gated.end().assert_nothing_stands();
}

/// What `docs/mcp.md` says that a gate can't see: where a link leads is for the server to know.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn a_link_is_for_the_server_to_look_at() {
    let folder_of_all = folder();
    let root = folder_of_all.path().to_str().unwrap().to_owned();
    let mut all = gated(folder_of_all, "");
    let path = json!({ "path": format!("{root}/notes/link/key.txt") });
    assert_eq!(
        text(&all.call("read_text_file", path)),
        SECRET,
        "a server that may read both reads it"
    );
    all.end().assert_nothing_stands();

    let folder_of_notes = folder();
    let root = folder_of_notes.path().to_str().unwrap().to_owned();
    let mut notes = gated(folder_of_notes, "/notes");
    let path = json!({ "path": format!("{root}/notes/link/key.txt") });
    let result = notes.call("read_text_file", path);
    assert!(result["isError"] == true && !result.to_string().contains(SECRET), "{result}");
    notes.end().assert_nothing_stands();
}
