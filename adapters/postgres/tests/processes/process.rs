//! A node's process, from outside.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};

use crate::proxy::Proxy;

/// What all processes of a round have told: which of them, and the line.
pub(crate) type Told = Arc<Mutex<Vec<(usize, String)>>>;

pub(crate) struct Process {
    /// Which of the round's: those of one name are started one after the other.
    pub(crate) number: usize,
    pub(crate) name: &'static str,
    /// What is between it and the server.
    pub(crate) proxy: Proxy,
    pub(crate) folder: PathBuf,
    child: Child,
    to: ChildStdin,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// `[fleet, lease, seed]` as a node is told them.
    pub(crate) fn start(
        (number, name): (usize, &'static str),
        server: u16,
        round: &Path,
        [fleet, lease, seed]: [&str; 3],
        told: &Told,
    ) -> Process {
        let folder = round.join(format!("{number}-{name}"));
        std::fs::create_dir(&folder).unwrap();
        let proxy = Proxy::before(server);
        let port = proxy.port.to_string();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["node", name, fleet, &port, folder.to_str().unwrap(), lease, seed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let (out, told) = (BufReader::new(child.stdout.take().unwrap()), told.clone());
        let reader = spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                told.lock().unwrap().push((number, line));
            }
        });
        Process { number, name, proxy, folder, child, to, reader: Some(reader) }
    }

    /// Tells it something. One that is stopped reads it later, and one that is dead never.
    pub(crate) fn tell(&mut self, line: &str) {
        let _ = writeln!(self.to, "{line}").and_then(|()| self.to.flush());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Whether it stands still: as the system says it.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Why it has ended, if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
