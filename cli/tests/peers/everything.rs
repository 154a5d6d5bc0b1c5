//! The reference server that has everything, behind clients of the TypeScript SDK.

use serde_json::{Value, json};

use crate::world::Folder;
use crate::world::gated::{assert_nothing_stands, denials, records};
use crate::{about, client, logged, peer, script};

fn run(line: &str, policy: &str) -> (Vec<Value>, Folder) {
    let folder = Folder::new();
    let node_modules = peer("node/node_modules");
    // Where the client looks for its SDK.
    std::os::unix::fs::symlink(&node_modules, folder.path().join("node_modules")).unwrap();
    let mut args = vec![script("everything_client.mjs"), line.to_owned()];
    args.push(env!("CARGO_BIN_EXE_hallpass").to_owned());
    args.extend(logged(&folder, policy));
    let server = format!("{node_modules}/.bin/mcp-server-everything");
    args.extend(
        ["--as", "agent-7", "--purpose", "trying", "--", "node", &server, "stdio"]
            .map(str::to_owned),
    );
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let lines = client(folder.path(), "node", &args);
    (lines, folder)
}

fn what_is_permitted_is_done(line: &str) {
    let (lines, folder) = run(line, "everything.toml");
    assert_no_sampling(&lines, &folder);
    let (lines, folder) = run(line, "everything_sampling.toml");
    assert_sampling(&lines, &folder);
}

/// What a client has told, and what is in the log, of a policy that permits no sampling.
pub(crate) fn assert_no_sampling(lines: &[Value], folder: &Folder) {
    assert_eq!(lines[0], json!({ "shown": ["echo", "get-sum"] }), "the server offers no sampling");
    assert_eq!(lines[1], json!({ "prompts": 0 }));
    let failed: Vec<bool> =
        about(lines, "called").iter().map(|own| own["failed"].as_bool().unwrap()).collect();
    assert_eq!(failed, [false, true, false, true, true]);
    let read: Vec<&Value> = about(lines, "read").iter().map(|own| &own["failed"]).collect();
    assert_eq!(read, [false, true]);
    assert_eq!(about(lines, "sampled"), [&Value::Null; 0]);
    let records = records(folder);
    assert_nothing_stands(&records);
    let denied: Vec<String> = denials(&records).into_iter().map(|(tool, _)| tool).collect();
    assert_eq!(denied, ["echo", "get-env", "mcp:resources/read"]);
}

/// The same of one that permits it.
pub(crate) fn assert_sampling(lines: &[Value], folder: &Folder) {
    assert_eq!(about(lines, "sampled").len(), 1);
    let sampled = about(lines, "called")[4];
    assert!(sampled["failed"] == false && sampled["text"].as_str().unwrap().contains("sampled"));
    assert_nothing_stands(&crate::world::gated::records(folder));
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn what_is_permitted_is_done_for_a_client_of_typescript_1() {
    what_is_permitted_is_done("1");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn what_is_permitted_is_done_for_a_client_of_typescript_2() {
    what_is_permitted_is_done("2");
}
