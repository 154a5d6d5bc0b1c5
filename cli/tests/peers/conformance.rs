//! The official conformance suite, against servers behind the gate and with clients in front of it.
//!
//! The suite fails for what it does not expect to fail, and for what is expected to fail and does not: `conformance.yml` says
//! what is expected, with its reasons.

use std::process::{Command, Stdio};

use crate::over_http::{Listening, SECRET};
use crate::to_http::{Serving, free_port};
use crate::world::Folder;
use crate::world::gated::{assert_nothing_stands, records};
use crate::{logged, peer, script};

/// A folder from which scripts find the SDK.
fn folder() -> Folder {
    let folder = Folder::new();
    let node_modules = peer("node/node_modules");
    std::os::unix::fs::symlink(&node_modules, folder.path().join("node_modules")).unwrap();
    folder
}

/// Runs the suite, which wants a later Node than the rest.
fn suite(folder: &Folder, args: &[&str]) {
    let mut command = Command::new(peer("node22/node_modules/node/bin/node"));
    command.arg(peer("node/node_modules/@modelcontextprotocol/conformance/dist/index.js"));
    command.args(args).args(["--output-dir", "results"]).current_dir(folder.path());
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let output = String::from_utf8_lossy(&ran.stdout);
    let at = output.find("SUMMARY").unwrap_or(0);
    assert!(ran.status.success(), "{args:?}\n{}", &output[at..]);
    assert!(output.to_lowercase().contains("passed"), "{output}");
}

fn script_serving(folder: &Folder, mode: &str, port: u16, rest: &[&str]) -> Serving {
    let mut command = Command::new("node");
    command.arg(script("conformance_server.mjs")).args([mode, &port.to_string()]).args(rest);
    Serving::start(command.current_dir(folder.path()), port, "listening on port")
}

/// The suite asks a server through the gate, to which it is let in by a door that shows the secret.
fn all_is_as_expected(server: &[&str], expected: &str) {
    let (folder, port) = (folder(), free_port());
    let page = format!("http://127.0.0.1:{port}");
    let who = ["--as", "agent-7", "--purpose", "trying", "--origin", &page];
    let listening = Listening::to_any(&folder, "conformance.toml", &[&who, server].concat());
    let door = script_serving(&folder, "door", port, &[&listening.url, SECRET]);
    let args = ["server", "--url", &door.url, "--suite", "all", "--expected-failures"];
    suite(&folder, &[&args[..], &[&script(expected)]].concat());
    drop(door);
    listening.end();
    assert_nothing_stands(&records(&folder));
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn the_suite_finds_a_server_behind_a_pipe_as_it_is() {
    let server = script("conformance_server.mjs");
    all_is_as_expected(&["--", "node", &server, "stdio"], "conformance.yml");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn the_suite_finds_a_server_over_http_as_it_is() {
    let folder = folder();
    let serving = script_serving(&folder, "http", free_port(), &[]);
    all_is_as_expected(&["--url", &serving.url], "conformance.yml");
}

/// The suite's own server, whose streams break off, in front of which a client is that has a server of its own process.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn the_suite_finds_that_the_gate_asks_servers_as_a_client_does() {
    for scenario in ["initialize", "tools_call", "sse-retry"] {
        let folder = folder();
        let policy = script("conformance.toml");
        let options = logged(&folder, "conformance.toml").join(" ");
        assert!(options.contains(&policy));
        let command = format!(
            "node {} {} {options} --as agent-7 --purpose trying --url",
            script("conformance_client.mjs"),
            env!("CARGO_BIN_EXE_hallpass")
        );
        let expected = script("conformance.yml");
        let args = ["client", "--command", &command, "--scenario", scenario];
        suite(&folder, &[&args[..], &["--expected-failures", &expected]].concat());
        assert_nothing_stands(&records(&folder));
    }
}
