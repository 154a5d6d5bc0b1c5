//! `docs/mcp.md`: each command in it runs as it is written, but for where the notes are.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::peer;
use crate::world::Folder;
use crate::world::gated::{Gated, KEY};

/// The blocks of a language in the page's list of steps, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mcp.md");
    let page = fs::read_to_string(page).unwrap();
    let begins = format!("   ```{language}\n");
    let blocks = page.split(&begins).skip(1).map(|rest| rest.split("   ```").next().unwrap());
    blocks.map(|block| block.replace("\n   ", "\n").trim().to_owned()).collect()
}

/// The commands of a block: a line that ends in a backslash goes on.
fn commands(block: &str) -> Vec<String> {
    block.replace("\\\n", " ").lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn each_command_runs_as_it_is_written() {
    let folder = Folder::new();
    let notes = folder.path().join("notes").to_str().unwrap().to_owned();
    fs::create_dir(&notes).unwrap();
    fs::write(format!("{notes}/today.txt"), "water the plants").unwrap();
    std::os::unix::fs::symlink(peer("node/node_modules"), folder.path().join("node_modules"))
        .unwrap();
    let here = |text: &str| text.replace("/srv/notes", &notes);
    let [policy] = &blocks("toml")[..] else { panic!("one policy") };
    folder.write("notes.toml", here(policy));

    let path = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap().display();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap());
    let mut sessions = 0;
    let all: Vec<String> = blocks("sh").iter().flat_map(|block| commands(block)).collect();
    assert_eq!(all.len(), 9);
    for command in all {
        let Some(rest) = command.strip_prefix("hallpass mcp ") else {
            let ran = Command::new("bash")
                .args(["-c", &here(&command)])
                .env("PATH", &path)
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(ran.status.success(), "{command}: {ran:?}");
            continue;
        };
        // The test's client takes the place of the one that would start it.
        let words: Vec<String> = here(rest).split_whitespace().map(str::to_owned).collect();
        let mut gated = Gated::of_words(folder.path(), &words);
        gated.shake_hands("2025-11-25");
        let read = |name: &str| json!({ "path": format!("{notes}/{name}") });
        let result = gated.call("read_text_file", read("today.txt"));
        assert_eq!(result["content"][0]["text"], "water the plants", "{result}");
        assert_eq!(gated.call("read_text_file", read("../notes.toml"))["isError"], true);
        assert_eq!(gated.end().code, Some(0));
        sessions += 1;
    }
    assert_eq!(sessions, 2);
    let catalogue = folder.read("catalogue.toml");
    let pinned = "\nname = \"read_text_file\"\nargs = { \"path\" = \"path\", ";
    assert!(
        catalogue.contains(pinned) && catalogue.contains("\ndigest = \"hp-tool-1:"),
        "{catalogue}"
    );
    let key = folder.read("log.key");
    assert!(key.trim().len() >= KEY.len());
    assert!(folder.path().join("log").is_dir());
}
