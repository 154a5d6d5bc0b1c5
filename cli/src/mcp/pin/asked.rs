//! A server that is asked for its tools.

use std::ffi::OsString;
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::mcp::remote::{FromServer, Remote, Target};
use crate::mcp::revision::REVISION_KEY;
use crate::rpc::frame::{Frame, Frames, MAX_FRAME};
use crate::rpc::members::{Members, elements};
use crate::rpc::message::{Answer, Id, Message, notification, request};

/// The most pages of one list.
const MOST_PAGES: usize = 1000;

/// How many messages of a server wait to be read.
const WAITING: usize = 16;

/// What came of a server: a message, or why none will come.
type Came = Result<Vec<u8>, String>;

/// A server that is asked for its tools.
pub(super) struct Server {
    to: Box<dyn Write>,
    came: Receiver<Came>,
    held: Held,
    /// How long an answer is waited for.
    patience: Duration,
    next: u32,
}

/// A server, held by what ends it.
enum Held {
    Process(Child),
    Remote(Remote),
}

impl Server {
    /// Starts a program.
    ///
    /// # Errors
    /// Why it can't be started.
    pub(super) fn start(words: &[OsString], patience: Duration) -> Result<Self, String> {
        let (program, args) = words.split_first().ok_or("expected a server")?;
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| format!("can't start `{}`: {error}", program.display()))?;
        let input = child.stdin.take().ok_or("the server has no input")?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let (send, came) = sync_channel(WAITING);
        thread::spawn(move || read_process(output, &send));
        Ok(Server { to: Box::new(input), came, held: Held::Process(child), patience, next: 0 })
    }

    /// Begins a session with a server over HTTP.
    pub(super) fn reach(target: Target, patience: Duration) -> Self {
        let (remote, to, mut from) = Remote::new(Arc::new(target));
        let (send, came) = sync_channel(WAITING);
        thread::spawn(move || {
            while let Some(event) = from.blocking_recv() {
                let came = match event {
                    FromServer::Message(line) => Ok(line),
                    FromServer::Lost(_, why) | FromServer::Gone(why) => Err(why),
                    FromServer::Ended => return,
                };
                if send.send(came).is_err() {
                    return;
                }
            }
        });
        Server { to: Box::new(to), came, held: Held::Remote(remote), patience, next: 0 }
    }

    fn tell(&mut self, mut line: Vec<u8>) -> Result<(), String> {
        line.push(b'\n');
        let written = self.to.write_all(&line).and_then(|()| self.to.flush());
        written.map_err(|error| format!("the server takes nothing: {error}"))
    }

    /// Asks, and gives the result, or the error.
    fn ask(&mut self, method: &str, params: &str) -> Result<Result<String, String>, String> {
        self.next += 1;
        let named = format!(r#"{{"id":{}}}"#, self.next);
        let id = Id::named(Some(&named), "id").ok_or("no id")?;
        self.tell(request(&id, method, Some(params)))?;
        loop {
            let came = self.came.recv_timeout(self.patience);
            let line = came.map_err(|_| format!("the server does not answer `{method}`"))??;
            match Message::read(&line) {
                Ok(Message::Response { id: own, answer }) if own == id => {
                    return Ok(match answer {
                        Answer::Result(result) => Ok(result.to_owned()),
                        Answer::Error(error) => Err(error.to_owned()),
                    });
                }
                // What else it says is of no use here.
                _ => {}
            }
        }
    }

    /// The tools of all pages, each as the server wrote it.
    pub(super) fn tools(&mut self) -> Result<Vec<String>, String> {
        let client = r#"{"name":"hallpass","version":"0"}"#;
        let handshake = format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{client}}}"#
        );
        let meta = match self.ask("initialize", &handshake)? {
            Ok(_) => {
                self.tell(notification("notifications/initialized", None))?;
                String::new()
            }
            // From `2026-07-28` on there is no handshake.
            Err(_) => format!(
                r#""_meta":{{"{REVISION_KEY}":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}"#
            ),
        };
        let mut tools = Vec::new();
        let mut params = format!("{{{meta}}}");
        for _ in 0..MOST_PAGES {
            let page = self.ask("tools/list", &params)?;
            let page = page.map_err(|error| format!("the server lists no tools: {error}"))?;
            let members = Members::of(&page).map_err(|error| format!("its list: {error}"))?;
            let listed = members.get("tools").and_then(elements).ok_or("its list is none")?;
            tools.extend(listed.into_iter().map(str::to_owned));
            match members.get("nextCursor").filter(|cursor| *cursor != "null") {
                None => return Ok(tools),
                Some(cursor) if meta.is_empty() => params = format!(r#"{{"cursor":{cursor}}}"#),
                Some(cursor) => params = format!(r#"{{"cursor":{cursor},{meta}}}"#),
            }
        }
        Err(format!("the server's list has more than {MOST_PAGES} pages"))
    }

    /// Ends it: it was asked for a list, and has nothing to finish.
    pub(super) fn end(self) {
        drop(self.to);
        match self.held {
            Held::Process(mut child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Held::Remote(remote) => remote.end(),
        }
    }
}

fn read_process(output: ChildStdout, send: &SyncSender<Came>) {
    let mut frames = Frames::new(BufReader::new(output), MAX_FRAME);
    while let Ok(Some(Frame::Line(line))) = frames.next() {
        if send.send(Ok(line)).is_err() {
            return;
        }
    }
}
