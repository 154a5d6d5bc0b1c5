//! The same clients over HTTP: `hallpass mcp --listen` between them and a server behind a pipe.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::banking::assert_only_the_bill_was_paid;
use crate::everything::{assert_no_sampling, assert_sampling};
use crate::world::Folder;
use crate::{client, logged, peer, script};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The command at a port of its own.
pub(crate) struct Listening {
    child: Child,
    pub(crate) url: String,
}

impl Listening {
    fn new(folder: &Folder, policy: &str, options: &[&str], server: &[&str]) -> Self {
        Listening::to_any(folder, policy, &[options, &["--"], server].concat())
    }

    /// Before any server, as the options say.
    pub(crate) fn to_any(folder: &Folder, policy: &str, options: &[&str]) -> Self {
        folder.write("bearer", SECRET);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(logged(folder, policy)).args([
            "--listen",
            "127.0.0.1:0",
            "--bearer-file",
            "bearer",
        ]);
        command.args(options).current_dir(folder.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Listening { child, url }
    }

    pub(crate) fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn only_the_bill_is_paid(mode: &str, of_client: &str) {
    let folder = Folder::new();
    let python = peer("python2/bin/python");
    let who = ["--as", "clerk", "--for", "emma@hollow-bank.test", "--purpose", "pay-bill"];
    let why = ["--ticket", "BILL-2207", "--context", "channel=app"];
    let options = [&who[..], &why].concat();
    let listening = Listening::new(
        &folder,
        "banking.toml",
        &options,
        &[&python, &script("bank_server.py"), "ledger"],
    );
    let args = [&script("hijacked_client.py"), mode, &listening.url, SECRET];
    let lines = client(folder.path(), &peer(&format!("{of_client}/bin/python")), &args);
    listening.end();
    assert_only_the_bill_was_paid(&lines, &folder);
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_for_a_client_of_python_1() {
    only_the_bill_is_paid("legacy", "python1");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_for_a_client_of_python_2_that_begins_with_a_handshake() {
    only_the_bill_is_paid("legacy", "python2");
}

#[test]
#[ignore = "needs HALLPASS_PEERS"]
fn only_the_bill_is_paid_for_a_client_of_python_2_that_falls_back_to_a_handshake() {
    only_the_bill_is_paid("auto", "python2");
}

fn what_is_permitted_is_done(line: &str) {
    for (policy, samples) in [("everything.toml", false), ("everything_sampling.toml", true)] {
        let folder = Folder::new();
        let node_modules = peer("node/node_modules");
        std::os::unix::fs::symlink(&node_modules, folder.path().join("node_modules")).unwrap();
        let server = format!("{node_modules}/.bin/mcp-server-everything");
        assert!(Path::new(&server).exists());
        let options = ["--as", "agent-7", "--purpose", "trying"];
        let listening = Listening::new(&folder, policy, &options, &["node", &server, "stdio"]);
        let lines = client(
            folder.path(),
            "node",
            &[&script("everything_client.mjs"), line, &listening.url, SECRET],
        );
        listening.end();
        match samples {
            true => assert_sampling(&lines, &folder),
            false => assert_no_sampling(&lines, &folder),
        }
    }
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
