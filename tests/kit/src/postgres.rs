//! The programs of an installed server of PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the system's package of each version is.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Where its programs are: where `HALLPASS_POSTGRES` says, or those of the newest version that the system has.
///
/// # Panics
/// If none is installed.
pub fn bin() -> PathBuf {
    if let Some(said) = std::env::var_os("HALLPASS_POSTGRES") {
        return Path::new(&said).join("bin");
    }
    let versions = std::fs::read_dir(INSTALLED).expect(
        "no server is installed: apt-get install postgresql (or `cargo test` without `--ignored`)",
    );
    let newest =
        versions.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
    let newest: u32 = newest.max().expect("no version is installed");
    Path::new(INSTALLED).join(newest.to_string()).join("bin")
}

/// Runs one of them, as another user where root runs the test: a server refuses to be run by root.
///
/// # Panics
/// If it can't be run.
pub fn run(program: &str, args: &[&str]) -> Output {
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

/// Runs one of them, which has to succeed.
///
/// # Panics
/// With what it told, if it fails.
pub fn must(program: &str, args: &[&str]) {
    let output = run(program, args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {told}");
}
