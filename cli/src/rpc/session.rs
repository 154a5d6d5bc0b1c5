//! A session from its beginning to its end: two programs that talk to each other through this one, of which it has started
//! the second, the server; and the threads that read from both.

use std::io::{self, BufReader, Write};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use hallpass::Broker;

use super::frame::{Frame, Frames, MAX_FRAME};
use super::message::Id;
use super::outbox::Outbox;
use crate::exit::Exit;
use crate::remark::remark;
use crate::signals;

/// How long a server may go on after its input has ended. Clients kill what takes longer than two seconds or so, and
/// the end has to be on record by then.
pub(crate) const GRACE: Duration = Duration::from_millis(1500);

/// How long is waited for a log or a client that takes nothing.
const FLUSH: Duration = Duration::from_secs(2);

/// How long a server may read nothing of what waits for it. The thread that waits sees no end of the client meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may read nothing: as long as it likes. If it is gone, writing to it fails.
const FOR_EVER: Duration = Duration::MAX;

/// What ends a session.
#[derive(Debug)]
pub(crate) enum End {
    /// The client has closed its side.
    Client,
    /// The server has closed its side.
    Server,
    /// It can't go on, and why.
    Broken(String),
    /// The process was told to end.
    Told,
}

/// What a message leaves of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    GoOn,
    /// It can't go on, and why.
    End(String),
}

/// What stands between a client and a server.
pub(crate) trait Between: Send + Sync + 'static {
    fn take_from_client(&self, frame: &Frame);
    fn take_from_server(&self, frame: &Frame) -> Step;
    /// The answer to a request of the client does not come any more, and why.
    fn lose(&self, id: &Id, why: &str);
    /// Ends all that is open, and answers all that is asked.
    fn close(&self, why: &str);
    fn to_client(&self) -> &Outbox;
    fn to_server(&self) -> &Outbox;
}

/// A server, held by what ends it.
pub(crate) trait Peer: Send {
    /// Has it end by itself, once what waits for it is written. The input of a process has ended by now, and it knows.
    fn wind_up(&self, _to_server: &Outbox) {}

    /// Ends it, however it takes that: how a process has exited.
    fn end(&mut self, is_over: bool) -> Option<ExitStatus>;
}

/// What comes from a server.
pub(crate) trait Source: Send {
    /// Hands on all that comes, to its end.
    fn read(self: Box<Self>, between: &dyn Between, ending: Ending);
}

/// A server that was started, and both its ends.
pub(crate) struct Started {
    pub(crate) peer: Box<dyn Peer>,
    /// It is written to a message at a time.
    pub(crate) to: Box<dyn Write + Send>,
    pub(crate) from: Box<dyn Source>,
}

/// A server that was started, and what stands between it and its client.
pub(crate) struct Session<B> {
    pub(crate) between: Arc<B>,
    /// By which it is ended.
    pub(crate) ends: Sender<End>,
    ended: Receiver<End>,
    peer: Box<dyn Peer>,
}

impl<B: Between> Session<B> {
    /// Reads from a server. What is for the client is written to `client`, a message at a time.
    pub(crate) fn new(
        server: Started,
        client: impl Write + Send + 'static,
        between: impl FnOnce(Outbox, Outbox) -> B,
    ) -> Self {
        let Started { peer, to, from } = server;
        let (to_client, to_server) = (Outbox::new(client, FOR_EVER), Outbox::new(to, PATIENCE));
        let between = Arc::new(between(to_client, to_server));
        let (ends, ended) = channel();
        let (own, ending) = (between.clone(), Ending::new(ends.clone(), End::Server));
        thread::spawn(move || from.read(&*own, ending));
        Session { between, ends, ended, peer }
    }

    /// Waits for an end, and ends both sides.
    pub(crate) fn run(mut self) -> Exit {
        let end = self.ended.recv().unwrap_or(End::Told);
        finish(&*self.between, &mut *self.peer, &self.ended, end)
    }
}

/// Hands messages on between standard input and output and a server, until one side ends; then closes the broker.
pub(crate) fn run<B: Between>(
    broker: &Broker,
    server: Result<Started, String>,
    between: impl FnOnce(Outbox, Outbox) -> B,
) -> Exit {
    let session = match server {
        Ok(server) => Session::new(server, io::stdout(), between),
        Err(problem) => {
            broker.close(FLUSH);
            return Exit::unable(problem);
        }
    };
    let told = session.ends.clone();
    signals::watch(move || {
        // Once the session is over, no one has to be told.
        let _ = told.send(End::Told);
    });
    read_client(session.between.clone(), session.ends.clone());
    close(broker, session.run())
}

/// Has a message of the server's taken, by what also looks whether there is still a client.
pub(crate) fn taken(between: &dyn Between, ending: &Ending, frame: &Frame) -> Step {
    let step = between.take_from_server(frame);
    if between.to_client().is_gone() {
        // Reading goes on, so that the server can end by itself.
        ending.tell(End::Client);
    }
    step
}

/// Closes the broker, on record.
pub(crate) fn close(broker: &Broker, exit: Exit) -> Exit {
    drop(broker.close(FLUSH));
    match broker.flush_within(FLUSH) {
        Ok(()) => exit,
        Err(error) => exit.max(Exit::unable(format_args!("the log is not complete: {error}"))),
    }
}

/// Tells how a thread has ended, by a panic, too.
pub(crate) struct Ending(Sender<End>, Option<End>);

impl Ending {
    /// Which end is told, unless another one comes.
    pub(crate) fn new(ends: Sender<End>, end: End) -> Self {
        Ending(ends, Some(end))
    }

    /// That it is this one.
    pub(crate) fn with(mut self, end: End) {
        self.1 = Some(end);
    }

    /// Tells of an end of the other side, and goes on.
    pub(crate) fn tell(&self, end: End) {
        // Once the session is over, no one has to be told.
        let _ = self.0.send(end);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Once the session is over, no one has to be told.
        let _ = self.1.take().map(|end| self.0.send(end));
    }
}

fn read_client(between: Arc<impl Between>, ends: Sender<End>) {
    thread::spawn(move || {
        let ending = Ending::new(ends, End::Client);
        let mut frames = Frames::new(BufReader::with_capacity(1 << 16, io::stdin()), MAX_FRAME);
        while let Ok(Some(frame)) = frames.next() {
            between.take_from_client(&frame);
            if between.to_server().has_given_up() {
                let why = "the server does not read what it is sent";
                return ending.with(End::Broken(why.to_owned()));
            }
            if between.to_client().is_gone() {
                return;
            }
        }
    });
}

/// Ends both sides, in the order in which neither waits for the other.
fn finish(between: &impl Between, peer: &mut dyn Peer, ended: &Receiver<End>, end: End) -> Exit {
    let why = match &end {
        End::Client | End::Told => None,
        End::Server => Some("the server has ended"),
        End::Broken(why) => Some(why.as_str()),
    };
    if let Some(why) = why {
        between.close(why);
    }
    // What waits for the server is written, and then its input ends.
    between.to_server().close();
    let is_over = match &end {
        End::Server => true,
        End::Broken(_) => false,
        End::Client | End::Told => {
            peer.wind_up(between.to_server());
            waits_for_server(ended)
        }
    };
    let status = peer.end(is_over);
    between.close("the session has ended");
    between.to_client().close();
    between.to_client().drain(FLUSH);
    let Some(why) = why else { return Exit::Fine };
    let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
    remark(&format!("{why}{status}"));
    Exit::Unable
}

/// Waits for the end of what the server writes, which it reaches once its input has ended.
fn waits_for_server(ended: &Receiver<End>) -> bool {
    loop {
        match ended.recv_timeout(GRACE) {
            Ok(End::Server) => return true,
            Ok(End::Client | End::Told) => {}
            Ok(End::Broken(_))
            | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return false;
            }
        }
    }
}
