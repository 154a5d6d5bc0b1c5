//! A server of PostgreSQL on a socket, gone with the test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct Postgres {
    /// Where its files and its socket are.
    pub(crate) folder: PathBuf,
}

/// Where the server is installed: where `HALLPASS_POSTGRES` says, or the newest that the system has.
pub(crate) fn bin() -> PathBuf {
    if let Some(said) = std::env::var_os("HALLPASS_POSTGRES") {
        return Path::new(&said).join("bin");
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect(
        "no server is installed: apt-get install postgresql (or `cargo test` without `--ignored`)",
    );
    let newest =
        versions.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
    let newest: u32 = newest.max().expect("no version is installed");
    Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin")
}

/// Runs a program of the server, which refuses to be run by root.
fn run(program: &str, args: &[&str]) -> Output {
    let program = bin().join(program);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = match is_root {
        true => {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        }
        false => Command::new(program),
    };
    command.args(args).current_dir("/tmp").output().unwrap()
}

fn must(program: &str, args: &[&str]) {
    let output = run(program, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {told}");
}

impl Postgres {
    /// A new cluster that trusts its socket.
    pub(crate) fn start() -> Postgres {
        let folder = PathBuf::from(format!("/tmp/hallpass-fleet-{}", std::process::id()));
        let data = folder.to_str().unwrap();
        must("initdb", &["-D", data, "-U", "owner", "-A", "trust", "--no-sync"]);
        let options = format!("-k {data} -c listen_addresses=");
        let log = folder.with_extension("log");
        let log = log.to_str().unwrap();
        must("pg_ctl", &["-D", data, "-l", log, "-o", &options, "-w", "start"]);
        Postgres { folder }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        run("pg_ctl", &["-D", self.folder.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(self.folder.with_extension("log"));
    }
}
