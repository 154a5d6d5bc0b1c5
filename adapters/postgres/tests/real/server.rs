//! A server of its own on the loopback, gone with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use testkit::postgres::{must, run};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// The superuser's password, and the broker's.
pub(crate) const PASSWORD: &str = "of-this-test-alone";

pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) port: u16,
    /// Settings beyond those of every server here.
    settings: &'static str,
}

impl Server {
    /// A new cluster, running, whose files are not synced.
    pub(crate) fn start() -> Server {
        Server::start_with("-c fsync=off")
    }

    /// A new cluster, running with these settings.
    pub(crate) fn start_with(settings: &'static str) -> Server {
        let folder = Server::folder();
        let pwfile = folder.with_extension("pw");
        std::fs::write(&pwfile, PASSWORD).unwrap();
        let data = folder.to_str().unwrap();
        must(
            "initdb",
            &[
                "-D",
                data,
                "-U",
                "super",
                "-A",
                "scram-sha-256",
                "--no-sync",
                "--pwfile",
                pwfile.to_str().unwrap(),
            ],
        );
        std::fs::remove_file(pwfile).unwrap();
        let server = Server { folder, port: free_port(), settings };
        server.up();
        server
    }

    fn folder() -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        PathBuf::from(format!("/tmp/hallpass-postgres-{}-{number}", std::process::id()))
    }

    /// Starts what is stopped. What was killed has children that hold its memory until they have noticed: as long as
    /// they do, none starts.
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c log_statement=ddl \
             -c max_prepared_transactions=4 -c max_wal_senders=4 -c hot_standby=on {}",
            self.port,
            self.folder.display(),
            self.settings
        );
        let log = self.log();
        let start = ["-D", self.data(), "-l", log.to_str().unwrap(), "-o", &options, "-w", "start"];
        for _ in 0..100 {
            if run("pg_ctl", &start).status.success() {
                return;
            }
        }
        panic!("the server does not start: {}", self.told());
    }

    /// Stops it as a crash does.
    pub(crate) fn down(&self) {
        must("pg_ctl", &["-D", self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// The process that all others of it are children of.
    pub(crate) fn postmaster(&self) -> u32 {
        let told = std::fs::read_to_string(self.folder.join("postmaster.pid")).unwrap();
        told.lines().next().unwrap().parse().unwrap()
    }

    /// Kills it as the system does: the one that all others are children of, which end by themselves.
    pub(crate) fn kill(&self) {
        let pid = self.postmaster().to_string();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }

    /// Sends a signal to each of its processes that is there.
    pub(crate) fn signal_all(&self, signal: &str) {
        let parent = self.postmaster().to_string();
        let children = Command::new("pgrep").args(["-P", &parent]).output().unwrap().stdout;
        let children = String::from_utf8(children).unwrap();
        for pid in children.split_whitespace().chain([&*parent]) {
            let _ = Command::new("kill").args([signal, pid]).output();
        }
    }

    /// Copies what it has now to another folder.
    pub(crate) fn back_up(&self) -> PathBuf {
        let backup = self.folder.with_extension("backup");
        self.down();
        copy(&self.folder, &backup);
        self.up();
        backup
    }

    /// Goes on with what a backup had, which is gone then.
    pub(crate) fn restore(&self, backup: &Path) {
        self.down();
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::rename(backup, &self.folder).unwrap();
        self.up();
    }

    /// A hot standby of it, running: from a copy of its files, since not every package of a server has `pg_basebackup`.
    pub(crate) fn standby(&self) -> Server {
        let (folder, settings) = (Server::folder(), self.settings);
        let standby = Server { folder, port: free_port(), settings };
        let backup = self.superuser();
        backup.ask("SELECT pg_backup_start('standby', fast => true)");
        copy(&self.folder, &standby.folder);
        let label = backup.ask("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)");
        let from = format!("host=127.0.0.1 port={} user=super password={PASSWORD}", self.port);
        standby.write("backup_label", &label[0]);
        standby.write("standby.signal", "");
        standby.write("postgresql.auto.conf", &format!("primary_conninfo = '{from}'\n"));
        standby.up();
        standby
    }

    /// Has a standby take over: from here on it takes writes.
    pub(crate) fn promote(&self) {
        must("pg_ctl", &["-D", self.data(), "-w", "promote"]);
    }

    /// Writes a file of the cluster, as whom the server runs as.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        let owner = ["--reference", self.data(), path.to_str().unwrap()];
        assert!(Command::new("chown").args(owner).status().unwrap().success());
    }

    fn data(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("told")
    }

    /// What the server has written to its log.
    pub(crate) fn told(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap()
    }

    pub(crate) fn config(&self, user: &str, password: &str, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(user).password(password).dbname(database);
        config
    }

    /// A session of the superuser.
    pub(crate) fn superuser(&self) -> Session {
        Session::open(&self.config("super", PASSWORD, "postgres")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        run("pg_ctl", &["-D", self.data(), "-m", "immediate", "-w", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Copies the files of a cluster that runs, but for those that say that it does.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
    for name in ["postmaster.pid", "postmaster.opts", "told"] {
        let _ = std::fs::remove_file(to.join(name));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A session, on a runtime of its own.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn open(config: &Config) -> Result<Session, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        })?;
        Ok(Session { runtime, client })
    }

    /// Executes statements.
    pub(crate) fn run(&self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(statements))
    }

    /// The first column of what a question gives, as text.
    pub(crate) fn ask(&self, question: &str) -> Vec<String> {
        let messages = self.runtime.block_on(self.client.simple_query(question)).unwrap();
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
            _ => None,
        });
        rows.collect()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.run("SELECT 1").is_ok()
    }
}
