//! `hallpass mcp` and `hallpass acp` between clients and servers that other people wrote.
//!
//! They come from the registries, so that these tests are ignored unless asked for: `.ci/peers` gets what they need and
//! runs them. `HALLPASS_PEERS` is the folder with it: `acp`, `python1` and `python2`, which are environments with the official
//! Python SDKs of the Agent Client Protocol and of either line of MCP, `node`, with the TypeScript ones, the reference servers and the conformance suite, and `node22`, with the Node
//! that the suite wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../world/mod.rs"]
mod world;

mod acp;
mod banking;
mod conformance;
mod everything;
mod filesystem;
mod over_http;
mod page;
mod to_http;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use world::Folder;

/// Something of the folder with what other people wrote. A test that can't be run fails.
fn peer(path: &str) -> String {
    let folder = std::env::var("HALLPASS_PEERS").expect("HALLPASS_PEERS: see `.ci/peers`");
    let path = Path::new(&folder).join(path);
    assert!(path.exists(), "{} is not there: see `.ci/peers`", path.display());
    path.to_str().unwrap().to_owned()
}

fn script(name: &str) -> String {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/scripts");
    scripts.join(name).to_str().unwrap().to_owned()
}

/// Runs a client in a folder, which starts the command and behind it a server; what it says, line by line.
fn client(folder: &Path, program: &str, args: &[&str]) -> Vec<Value> {
    let mut command = Command::new(program);
    let ran = command.args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    let output = String::from_utf8(ran.stdout).unwrap();
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines that are about one thing.
fn about<'l>(lines: &'l [Value], key: &str) -> Vec<&'l Value> {
    lines.iter().filter(|line| line.get(key).is_some()).collect()
}

/// The options that keep a log, and the policy of a name.
fn logged(folder: &Folder, policy: &str) -> Vec<String> {
    folder.write("key", world::gated::KEY);
    let options = ["mcp", "--policy", &script(policy), "--log", "log", "--key-file", "key"];
    options.map(str::to_owned).to_vec()
}
