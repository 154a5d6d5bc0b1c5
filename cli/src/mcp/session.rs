//! A session from its beginning to its end: a server, and the threads that read from both sides.

use std::io::{self, BufReader, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use hallpass::Broker;

use super::frame::{Frames, MAX_FRAME};
use super::gatekeeper::Gatekeeper;
use super::outbox::Outbox;
use super::proxy::Proxy;
use super::server::{Peer, Server};
use crate::exit::Exit;
use crate::remark::remark;
use crate::signals;

/// How long a server may go on after its input has ended. Clients kill what takes longer than two seconds or so, and
/// the end has to be on record by then.
pub(super) const GRACE: Duration = Duration::from_millis(1500);

/// How long is waited for a log or a client that takes nothing.
const FLUSH: Duration = Duration::from_secs(2);

/// How long a server may read nothing of what waits for it. The thread that waits sees no end of the client meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may read nothing: as long as it likes. If it is gone, writing to it fails.
const FOR_EVER: Duration = Duration::MAX;

/// What ends a session.
#[derive(Debug)]
pub(super) enum End {
    /// The client has closed its side.
    Client,
    /// The server has closed its side.
    Server,
    /// It can't go on, and why.
    Broken(String),
    /// The process was told to end.
    Told,
}

/// A server that was started, and what stands between it and its client.
pub(super) struct Session {
    pub(super) proxy: Arc<Proxy>,
    /// By which it is ended.
    pub(super) ends: Sender<End>,
    ended: Receiver<End>,
    peer: Peer,
}

impl Session {
    /// Starts the server, and reads from it. What is for the client is written to `client`, a message at a time.
    ///
    /// # Errors
    /// Why it can't be started.
    pub(super) fn start(
        keeper: Gatekeeper,
        server: &Server,
        client: impl Write + Send + 'static,
        explains: bool,
    ) -> Result<Self, String> {
        let (peer, to, from) = server.start()?;
        let (to_client, to_server) = (Outbox::new(client, FOR_EVER), Outbox::new(to, PATIENCE));
        let proxy = Arc::new(Proxy::new(keeper, to_client, to_server, explains));
        let (ends, ended) = channel();
        let (own, ending) = (proxy.clone(), Ending::new(ends.clone(), End::Server));
        thread::spawn(move || from.read(&own, ending));
        Ok(Session { proxy, ends, ended, peer })
    }

    /// Waits for an end, and ends both sides.
    pub(super) fn run(mut self) -> Exit {
        let end = self.ended.recv().unwrap_or(End::Told);
        finish(&self.proxy, &mut self.peer, &self.ended, end)
    }
}

/// Runs the server, and hands messages on until one side ends.
pub(super) fn run(keeper: Gatekeeper, server: &Server, explains: bool) -> Exit {
    let broker = keeper.broker.clone();
    let session = match Session::start(keeper, server, io::stdout(), explains) {
        Ok(session) => session,
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
    read_client(session.proxy.clone(), session.ends.clone());
    close(&broker, session.run())
}

/// Closes the broker, on record.
pub(super) fn close(broker: &Broker, exit: Exit) -> Exit {
    drop(broker.close(FLUSH));
    match broker.flush_within(FLUSH) {
        Ok(()) => exit,
        Err(error) => exit.max(Exit::unable(format_args!("the log is not complete: {error}"))),
    }
}

/// Tells how a thread has ended, by a panic, too.
pub(super) struct Ending(Sender<End>, Option<End>);

impl Ending {
    /// Which end is told, unless another one comes.
    pub(super) fn new(ends: Sender<End>, end: End) -> Self {
        Ending(ends, Some(end))
    }

    /// That it is this one.
    pub(super) fn with(mut self, end: End) {
        self.1 = Some(end);
    }

    /// Tells of an end of the other side, and goes on.
    pub(super) fn tell(&self, end: End) {
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

fn read_client(proxy: Arc<Proxy>, ends: Sender<End>) {
    thread::spawn(move || {
        let ending = Ending::new(ends, End::Client);
        let mut frames = Frames::new(BufReader::with_capacity(1 << 16, io::stdin()), MAX_FRAME);
        while let Ok(Some(frame)) = frames.next() {
            proxy.take_from_client(&frame);
            if proxy.to_server.has_given_up() {
                let why = "the server does not read what it is sent";
                return ending.with(End::Broken(why.to_owned()));
            }
            if proxy.to_client.is_gone() {
                return;
            }
        }
    });
}

/// Ends both sides, in the order in which neither waits for the other.
fn finish(proxy: &Proxy, peer: &mut Peer, ended: &Receiver<End>, end: End) -> Exit {
    let why = match &end {
        End::Client | End::Told => None,
        End::Server => Some("the server has ended"),
        End::Broken(why) => Some(why.as_str()),
    };
    if let Some(why) = why {
        proxy.close(why);
    }
    // What waits for the server is written, and then its input ends.
    proxy.to_server.close();
    let is_over = match &end {
        End::Server => true,
        End::Broken(_) => false,
        End::Client | End::Told => {
            peer.wind_up(&proxy.to_server);
            waits_for_server(ended)
        }
    };
    let status = peer.end(is_over);
    proxy.close("the session has ended");
    proxy.to_client.close();
    proxy.to_client.drain(FLUSH);
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
