//! A server of PostgreSQL on a socket, gone with the test.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use testkit::postgres::{bin, must, run};

pub(crate) struct Postgres {
    /// Where its files and its socket are.
    pub(crate) folder: PathBuf,
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
