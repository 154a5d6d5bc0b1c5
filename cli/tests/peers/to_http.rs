//! Servers of other people over HTTP: `hallpass mcp --url` between a client and one of them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::banking::assert_only_the_bill_was_paid;
use crate::everything::{assert_no_sampling, assert_sampling};
use crate::over_http::{Listening, SECRET};
use crate::world::Folder;
use crate::{client, logged, peer, script};

const TOKEN: &str = "server-token-0123456789abcdef";

/// A server that listens, and is killed with it.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    /// Starts it, and waits for the line by which it says that it listens.
    pub(crate) fn start(command: &mut Command, port: u16, says: &str) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = lines.by_ref().map_while(Result::ok).any(|line| line.contains(says));
        assert!(found, "{command:?} does not listen");
        // What it says later has to go somewhere.
        thread::spawn(move || lines.for_each(drop));
        Serving { child, url: format!("http://127.0.0.1:{port}/mcp") }
    }

    fn bank(folder: &Folder, line: &str, how: &str) -> Self {
        folder.write("token", TOKEN);
        let port = free_port();
        let mut command = Command::new(peer(&format!("{line}/bin/python")));
        command.args([&script("bank_server.py"), "ledger", &port.to_string(), TOKEN, how]);
        Serving::start(command.current_dir(folder.path()), port, "Uvicorn running on")
    }

    fn everything() -> Self {
        let port = free_port();
        let server = peer("node/node_modules/.bin/mcp-server-everything");
        let mut command = Command::new("node");
        command.args([&server, "streamableHttp"]).env("PORT", port.to_string());
        Serving::start(&mut command, port, "listening on port")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago: these servers can't say which one they have been given.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const WHO: [&str; 10] = [
    "--as",
    "clerk",
    "--for",
    "emma@hollow-bank.test",
    "--purpose",
    "pay-bill",
    "--ticket",
    "BILL-2207",
    "--context",
    "channel=app",
];

fn only_the_bill_is_paid(mode: &str, of_client: &str, of_server: &str, how: &str) {
    let folder = Folder::new();
    let serving = Serving::bank(&folder, of_server, how);
    let mut args = vec![script("hijacked_client.py"), mode.to_owned()];
    args.push(env!("CARGO_BIN_EXE_hallpass").to_owned());
    args.extend(logged(&folder, "banking.toml"));
    args.extend(WHO.map(str::to_owned));
    let remote = ["--url", &serving.url, "--server-bearer-file", "token"];
    args.extend(remote.map(str::to_owned));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let lines = client(folder.path(), &peer(&format!("{of_client}/bin/python")), &args);
    assert_only_the_bill_was_paid(&lines, &folder);
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_at_a_server_of_python_1_that_answers_in_streams() {
    only_the_bill_is_paid("legacy", "python1", "python1", "stream");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_at_a_server_of_python_1_that_answers_in_json() {
    only_the_bill_is_paid("auto", "python2", "python1", "json");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_at_a_server_of_python_2_that_begins_with_a_handshake() {
    only_the_bill_is_paid("legacy", "python2", "python2", "stream");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_at_a_server_of_python_2_that_needs_no_handshake() {
    only_the_bill_is_paid("auto", "python2", "python2", "json");
}

/// HTTP on both sides: what the client shows is not what the server is shown.
#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_where_both_sides_speak_http() {
    let folder = Folder::new();
    let serving = Serving::bank(&folder, "python2", "stream");
    let remote = ["--url", &serving.url, "--server-bearer-file", "token"];
    let listening = Listening::to_any(&folder, "banking.toml", &[&WHO[..], &remote].concat());
    let args = [&script("hijacked_client.py"), "legacy", &listening.url, SECRET];
    let lines = client(folder.path(), &peer("python1/bin/python"), &args);
    listening.end();
    assert_only_the_bill_was_paid(&lines, &folder);
}

fn what_is_permitted_is_done(line: &str) {
    for (policy, samples) in [("everything.toml", false), ("everything_sampling.toml", true)] {
        let folder = Folder::new();
        let node_modules = peer("node/node_modules");
        std::os::unix::fs::symlink(&node_modules, folder.path().join("node_modules")).unwrap();
        let serving = Serving::everything();
        let mut args = vec![script("everything_client.mjs"), line.to_owned()];
        args.push(env!("CARGO_BIN_EXE_hallpass").to_owned());
        args.extend(logged(&folder, policy));
        let options = ["--as", "agent-7", "--purpose", "trying", "--url", &serving.url];
        args.extend(options.map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let lines = client(folder.path(), "node", &args);
        match samples {
            true => assert_sampling(&lines, &folder),
            false => assert_no_sampling(&lines, &folder),
        }
    }
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn what_is_permitted_is_done_at_a_server_of_typescript_for_a_client_of_typescript_1() {
    what_is_permitted_is_done("1");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn what_is_permitted_is_done_at_a_server_of_typescript_for_a_client_of_typescript_2() {
    what_is_permitted_is_done("2");
}
