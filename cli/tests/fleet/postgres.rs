//! A server of PostgreSQL on a socket, gone with the test.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

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
        Postgres::start_with(&[], "-c listen_addresses=")
    }

    /// One with these files besides its own, and these settings.
    pub(crate) fn start_with(files: &[(&str, &str)], settings: &str) -> Postgres {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("/tmp/hallpass-fleet-{}-{number}", std::process::id());
        let folder = PathBuf::from(name);
        let data = folder.to_str().unwrap();
        must("initdb", &["-D", data, "-U", "owner", "-A", "trust", "--no-sync"]);
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let owner = ["--reference", data, path.to_str().unwrap()];
            assert!(Command::new("chown").args(owner).status().unwrap().success());
        }
        let options = format!("-k {data} {settings}");
        let log = folder.with_extension("log");
        let log = log.to_str().unwrap();
        must("pg_ctl", &["-D", data, "-l", log, "-o", &options, "-w", "start"]);
        Postgres { folder }
    }

    /// Makes the fleet `shop` of the tenant `acme`, by its socket.
    pub(crate) fn make_fleet(&self) {
        self.make_fleet_at(5432);
    }

    /// As there, of a server whose port is another.
    pub(crate) fn make_fleet_at(&self, port: u16) {
        let schema =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/postgres/src/fleet/schema.sql");
        let made = Command::new(bin().join("psql"))
            .args([
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                self.folder.to_str().unwrap(),
                "-U",
                "owner",
                "-d",
                "postgres",
            ])
            .args(["-p", &port.to_string()])
            .arg("-f")
            .arg(schema)
            .args(["-c", "CREATE ROLE hallpass_node LOGIN"])
            .args(["-c", "SELECT hallpass.create_fleet('acme', 'shop', 'hallpass_node')"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        run("pg_ctl", &["-D", self.folder.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(self.folder.with_extension("log"));
    }
}
