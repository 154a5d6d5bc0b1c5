//! `docs/rig.md`: its program is that of `examples/agent.rs`, and says what the page says under its policy.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The one block of a language, without its indentation.
fn block(language: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/rig.md")).unwrap();
    let begins = format!("   ```{language}\n");
    let mut blocks = page.split(&begins).skip(1);
    let block = blocks.next().unwrap().split("   ```").next().unwrap().to_owned();
    assert!(blocks.next().is_none(), "one block of `{language}`");
    let lines = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn the_page_runs_as_it_is_written() {
    let program = std::fs::read_to_string(root().join("adapters/rig/examples/agent.rs")).unwrap();
    assert_eq!(block("rs"), program.split_once("\n\n").unwrap().1.trim_end());
    let folder = std::env::temp_dir().join(format!("hallpass-rig-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let policy = folder.join("bills.toml");
    std::fs::write(&policy, block("toml")).unwrap();
    // Examples are built next to the tests.
    let agent = std::env::current_exe().unwrap().parent().unwrap().join("../examples/agent");
    let ran = Command::new(agent).arg(&policy).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(String::from_utf8(ran.stdout).unwrap().trim_end(), block("text"));
    std::fs::remove_dir_all(folder).unwrap();
}
