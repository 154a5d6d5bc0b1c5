//! The server of a session: a process, or one that is reached over HTTP.

use std::ffi::OsString;
use std::io::{self, BufReader, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;

use super::frame::{Frame, Frames, MAX_FRAME};
use super::outbox::Outbox;
use super::proxy::{Proxy, Step};
use super::remote::{FromServer, Remote, Target};
use super::session::{End, Ending, GRACE};

/// Which server is gated.
pub(super) enum Server {
    /// A program and its arguments, started for each session.
    Command(Vec<OsString>),
    Remote(Arc<Target>),
}

/// A server of one session, held by what ends it.
pub(super) enum Peer {
    Process(Child),
    Remote(Remote),
}

/// What comes from a server.
pub(super) enum From {
    Process(BufReader<ChildStdout>),
    Remote(Receiver<FromServer>),
}

impl Server {
    /// Starts it, or begins a session with it: with what is written to, a message at a time, and what is read from.
    ///
    /// # Errors
    /// Why it can't be started.
    pub(super) fn start(&self) -> Result<(Peer, Box<dyn Write + Send>, From), String> {
        let words = match self {
            Server::Command(words) => words,
            Server::Remote(target) => {
                let (remote, to, from) = Remote::new(target.clone());
                return Ok((Peer::Remote(remote), Box::new(to), From::Remote(from)));
            }
        };
        let mut child = spawn(words).map_err(|error| {
            let name = words.first().map(OsString::as_os_str).unwrap_or_default();
            format!("can't start `{}`: {error}", name.display())
        })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the server has no input or output".to_owned());
        };
        let from = From::Process(BufReader::with_capacity(1 << 16, output));
        Ok((Peer::Process(child), Box::new(input), from))
    }
}

fn spawn(server: &[OsString]) -> io::Result<Child> {
    let (program, args) = server.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}

impl From {
    /// Hands on all that comes, to its end.
    pub(super) fn read(self, proxy: &Proxy, ending: Ending) {
        match self {
            From::Process(output) => {
                let mut frames = Frames::new(output, MAX_FRAME);
                while let Ok(Some(frame)) = frames.next() {
                    if let Step::End(why) = taken(proxy, &ending, &frame) {
                        return ending.with(End::Broken(why));
                    }
                }
            }
            From::Remote(mut events) => {
                while let Some(event) = events.blocking_recv() {
                    let step = match event {
                        FromServer::Message(line) => taken(proxy, &ending, &Frame::Line(line)),
                        FromServer::Lost(id, why) => {
                            proxy.lose(&id, &why);
                            Step::GoOn
                        }
                        FromServer::Gone(why) => Step::End(why),
                        FromServer::Ended => return,
                    };
                    if let Step::End(why) = step {
                        return ending.with(End::Broken(why));
                    }
                }
            }
        }
    }
}

fn taken(proxy: &Proxy, ending: &Ending, frame: &Frame) -> Step {
    let step = proxy.take_from_server(frame);
    if proxy.to_client.is_gone() {
        // Reading goes on, so that the server can end by itself.
        ending.tell(End::Client);
    }
    step
}

impl Peer {
    /// Has it end by itself, once what waits for it is written.
    pub(super) fn wind_up(&self, to_server: &Outbox) {
        // The input of a process has ended by now, and it knows.
        if let Peer::Remote(remote) = self {
            to_server.drain(GRACE);
            remote.wind_up();
        }
    }

    /// Ends it, however it takes that: how a process has exited.
    pub(super) fn end(&mut self, is_over: bool) -> Option<ExitStatus> {
        let child = match self {
            Peer::Process(child) => child,
            Peer::Remote(remote) => {
                remote.end();
                return None;
            }
        };
        let status = if is_over { exited(child) } else { None };
        status.or_else(|| {
            // It may have ended meanwhile; then there is nothing to kill.
            let _ = child.kill();
            child.wait().ok()
        })
    }
}

/// How a server has exited that writes nothing any more; `None` if it has not, after a while.
fn exited(child: &mut Child) -> Option<ExitStatus> {
    const NAP: Duration = Duration::from_millis(5);
    let mut left = GRACE;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        left = left.checked_sub(NAP)?;
        thread::sleep(NAP);
    }
}
