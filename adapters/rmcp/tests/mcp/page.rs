//! `docs/rmcp.md`: its program is that of `examples/server.rs`, and it runs under its policy.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The one block of a language, without its indentation.
fn block(language: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/rmcp.md")).unwrap();
    let begins = format!("   ```{language}\n");
    let mut blocks = page.split(&begins).skip(1);
    let block = blocks.next().unwrap().split("   ```").next().unwrap().to_owned();
    assert!(blocks.next().is_none(), "one block of `{language}`");
    let lines = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn the_page_has_the_program_that_is_built_and_a_policy_that_loads() {
    let program = std::fs::read_to_string(root().join("adapters/rmcp/examples/server.rs")).unwrap();
    assert_eq!(block("rs"), program.split_once("\n\n").unwrap().1.trim_end());
    hallpass::Policy::from_toml(&block("toml")).unwrap();
}

/// The official Python SDK of either line, as the client of the page's program.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn another_client_calls_the_program_of_the_page() {
    let peers =
        PathBuf::from(std::env::var("HALLPASS_PEERS").expect("HALLPASS_PEERS: see `.ci/peers`"));
    let folder = std::env::temp_dir().join(format!("hallpass-rmcp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let policy = folder.join("notes.toml");
    std::fs::write(&policy, block("toml")).unwrap();
    // Examples are built next to the tests.
    let server = std::env::current_exe().unwrap().parent().unwrap().join("../examples/server");
    assert!(server.exists(), "{} is not there: build the examples first", server.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/client.py");
    for python in ["python1", "python2"] {
        let ran = Command::new(peers.join(python).join("bin/python"))
            .args([&script, &server, &policy])
            .output()
            .unwrap();
        let told = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{python}: {}", String::from_utf8_lossy(&ran.stderr));
        let lines: Vec<serde_json::Value> =
            told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = serde_json::json!([
            ["read"],
            ["read /srv/notes/today.txt", false],
            ["denied: out_of_scope", true],
            ["denied: bad_request", true],
            ["denied: not_permitted", true],
        ]);
        assert_eq!(serde_json::Value::from(lines), expected, "{python}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
