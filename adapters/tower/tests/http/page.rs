//! `docs/axum.md`: its program and its commands run as they are written, but for the port.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::runtime::Runtime;

use crate::world::serve;

#[allow(dead_code, reason = "its `main` takes a port that is always the same")]
#[path = "../../examples/service.rs"]
mod service;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page, by their languages, without their indentation.
fn blocks() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(root().join("docs/axum.md")).unwrap();
    let mut blocks = Vec::new();
    let mut parts = page.split("   ```");
    parts.next();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').unwrap();
        let lines = text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
        blocks.push((language.to_owned(), lines.collect::<Vec<_>>().join("\n")));
    }
    blocks
}

#[test]
fn the_page_runs_as_it_is_written() {
    let blocks = blocks();
    let of = |language: &str| {
        blocks
            .iter()
            .filter(|(own, _)| own == language)
            .map(|(_, text)| text.as_str())
            .collect::<Vec<_>>()
    };
    let (policies, programs, commands, answers) = (of("toml"), of("rs"), of("sh"), of("text"));
    assert_eq!((policies.len(), programs.len(), commands.len(), answers.len()), (1, 1, 5, 5));
    let source =
        std::fs::read_to_string(root().join("adapters/tower/examples/service.rs")).unwrap();
    let (_, program) = source.split_once("\n\n").unwrap();
    assert_eq!(
        programs[0],
        program.trim_end(),
        "the page has the program of `examples/service.rs`"
    );

    let runtime = Runtime::new().unwrap();
    let at = serve(&runtime, service::service(policies[0]).unwrap());
    for (command, answer) in commands.iter().zip(answers) {
        let command = command.replace("127.0.0.1:3000", &at.to_string());
        let ran = Command::new("bash").args(["-c", &command]).output().unwrap();
        assert!(ran.status.success(), "{command}: {ran:?}");
        let told = String::from_utf8(ran.stdout).unwrap();
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(
            told.trim() == answer || json(&told).is_some_and(|own| Some(own) == json(answer)),
            "{told}"
        );
    }
}
