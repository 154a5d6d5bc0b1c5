//! One session with a server that is reached over HTTP: what is sent to it, what comes from it, and its end.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::connections::{Answered, Connections};
use super::exchange::Asked;
use super::headers::{Agreed, add_media, stated_revision};
use super::target::Target;
use crate::remark::remark;
use crate::rpc::message::{Id, Message};

/// How many KiB requests may have that wait for their answers, of which each counts for 64 at least.
const ROOM: u32 = 128 * 1024;

/// How long the server may take for what it does not answer. What comes behind it waits for it: that a session has begun is
/// known to it before it is asked for something.
const TELLING: Duration = Duration::from_secs(10);

/// How long answers are waited for once the client has gone, and how long a server may take to be told that it is over. A
/// client kills what takes longer than two seconds.
const GRACE: Duration = Duration::from_millis(1000);
const LEAVING: Duration = Duration::from_millis(500);

/// What comes from a server.
#[derive(Debug)]
pub(in crate::mcp) enum FromServer {
    /// A message.
    Message(Vec<u8>),
    /// The answer to a request won't come, and why.
    Lost(Id, String),
    /// The session is over, and why.
    Gone(String),
    /// Nothing more is waited for.
    Ended,
}

/// A session with a server, held by what ends it.
pub(in crate::mcp) struct Remote(Arc<Link>);

/// What is sent to a server: a message with each write.
pub(in crate::mcp) struct Outgoing(Arc<Link>);

pub(super) struct Link {
    pub(super) connections: Connections,
    events: Sender<FromServer>,
    state: Mutex<State>,
    room: Arc<Semaphore>,
    /// One long message is read at a time: of the short ones many fit.
    pub(super) long: Semaphore,
    over: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    agreed: Agreed,
    /// The requests that wait for an answer.
    open: BTreeMap<Id, AbortHandle>,
    listens: bool,
    is_gone: bool,
}

impl Remote {
    /// A session, what is sent in it, and what comes of it.
    pub(in crate::mcp) fn new(target: Arc<Target>) -> (Remote, Outgoing, Receiver<FromServer>) {
        // Each of them may be long.
        let (events, from_server) = channel(1);
        let link = Arc::new(Link {
            connections: Connections::new(target),
            events,
            state: Mutex::default(),
            room: Arc::new(Semaphore::new(ROOM as usize)),
            long: Semaphore::new(1),
            over: watch::channel(false).0,
        });
        (Remote(link.clone()), Outgoing(link), from_server)
    }

    /// Waits for the answers that are still to come, but not for long.
    pub(in crate::mcp) fn wind_up(&self) {
        self.0.connections.target.threads.block_on(async {
            let _ = timeout(GRACE, self.0.room.acquire_many(ROOM)).await;
            let _ = timeout(GRACE, self.0.events.send(FromServer::Ended)).await;
        });
    }

    /// Ends all that is open, and tells the server.
    pub(in crate::mcp) fn end(&self) {
        self.0.over.send_replace(true);
        let (agreed, is_gone) = {
            let state = self.0.state();
            (state.agreed.clone(), state.is_gone)
        };
        if agreed.session.is_none() || is_gone {
            return;
        }
        let mut headers = self.0.connections.target.headers();
        agreed.add(&mut headers);
        // A server may not know of it, or take no word of a client's; it forgets the session some time.
        self.0.connections.target.threads.block_on(async {
            let asked = self.0.connections.ask(Method::DELETE, headers, Bytes::new(), LEAVING);
            let _ = timeout(LEAVING, asked).await;
        });
    }
}

impl Write for Outgoing {
    /// Takes one message, with its end of line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        self.0.send(line)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link {
    fn send(self: &Arc<Self>, line: &[u8]) -> io::Result<()> {
        let threads = &self.connections.target.threads;
        let body = Bytes::copy_from_slice(line);
        match Message::read(line).map_err(|_| io::ErrorKind::InvalidData)? {
            Message::Request { id, method, params } => {
                let weight = u32::try_from(line.len() / 1024).unwrap_or(ROOM).clamp(64, ROOM);
                let room = self.room.clone().acquire_many_owned(weight);
                let room = threads.block_on(self.unless_over(room));
                let Some(Ok(room)) = room else { return Err(io::ErrorKind::BrokenPipe.into()) };
                let asked = Asked::new(id.clone(), method, params, body);
                // Under the lock, so that it is entered before it has ended.
                let mut state = self.state();
                let own = self.clone();
                let task = threads.spawn(async move {
                    let _room = room;
                    let _open = Open(&own, asked.id.clone());
                    own.unless_over(own.answer(&asked)).await;
                });
                state.open.insert(id, task.abort_handle());
                Ok(())
            }
            Message::Notification { method, params } => {
                if method == "notifications/cancelled" {
                    let id = Id::named(params, "requestId");
                    let is_session = stated_revision(params).is_none() && self.is_session();
                    if is_session {
                        threads.block_on(self.tell(body));
                    }
                    // Without a session, that its answer is not waited for is how a request is cancelled.
                    let open = id.and_then(|id| self.state().open.remove(&id));
                    open.iter().for_each(AbortHandle::abort);
                    return Ok(());
                }
                threads.block_on(self.tell(body));
                let begins = method == "notifications/initialized"
                    && !std::mem::replace(&mut self.state().listens, true);
                if begins {
                    let own = self.clone();
                    threads.spawn(async move { own.unless_over(own.stand()).await });
                }
                Ok(())
            }
            Message::Response { .. } => {
                threads.block_on(self.tell(body));
                Ok(())
            }
        }
    }

    /// Sends what is not answered.
    async fn tell(&self, body: Bytes) {
        let mut headers = self.connections.target.headers();
        add_media(&mut headers);
        self.agreed().add(&mut headers);
        let told = self.connections.ask(Method::POST, headers, body, TELLING);
        match self.unless_over(told).await {
            None => {}
            Some(Ok(mut answered)) if answered.status().is_success() => {
                // It has no body, or none that matters.
                let _ = answered.next(TELLING).await;
            }
            Some(Ok(answered)) => match self.is_over(&answered) {
                Some(why) => self.pass(FromServer::Gone(why)).await,
                None => remark(&format!(
                    "the server did not take a notification or an answer: HTTP {}",
                    answered.status().as_u16()
                )),
            },
            Some(Err(error)) => {
                remark(&format!("a notification or an answer was lost: {}", error.why()));
            }
        }
    }

    /// Whether an answer says that there is no such session any more: why it is over.
    pub(super) fn is_over(&self, answered: &Answered) -> Option<String> {
        let is_over = answered.status() == StatusCode::NOT_FOUND && self.agreed().session.is_some();
        is_over.then(|| {
            self.state().is_gone = true;
            "the server has ended the session".to_owned()
        })
    }

    /// Hands on what has come, in its turn.
    pub(super) async fn pass(&self, event: FromServer) {
        // Once it is over, no one reads it.
        let _ = self.events.send(event).await;
    }

    /// What comes of it, unless the session is over first.
    async fn unless_over<T>(&self, done: impl Future<Output = T>) -> Option<T> {
        let mut over = self.over.subscribe();
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => None,
            done = done => Some(done),
        }
    }

    pub(super) fn agreed(&self) -> Agreed {
        self.state().agreed.clone()
    }

    /// What was agreed on is what all that comes behind it says.
    pub(super) fn agree(&self, agreed: Agreed) {
        self.state().agreed = agreed;
    }

    /// Whether what was begun began with a handshake.
    fn is_session(&self) -> bool {
        self.state().agreed.revision.is_some()
    }

    pub(super) fn base_headers(&self) -> HeaderMap {
        self.connections.target.headers()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two of its changes, whatever thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for its answer; it is open no longer than this.
struct Open<'l>(&'l Link, Id);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.state().open.remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A session with a server that takes connections and says nothing.
    fn session() -> (tokio::runtime::Runtime, TcpListener, Remote, Outgoing) {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let threads = threads.worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let patience = Duration::from_secs(300);
        let target = Target::new(&url, None, None, patience, threads.handle().clone()).unwrap();
        let (remote, to, _) = Remote::new(Arc::new(target));
        (threads, listener, remote, to)
    }

    fn ping(id: u32, bytes: usize) -> Vec<u8> {
        let filler = "x".repeat(bytes);
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","params":{{"x":"{filler}"}}}}"#)
            .into_bytes()
    }

    #[test]
    fn a_request_takes_up_room_until_it_is_answered() {
        let (threads, listener, remote, mut to) = session();
        let left = || remote.0.room.available_permits();
        assert_eq!(to.write(&ping(1, 0)).unwrap(), ping(1, 0).len());
        assert_eq!(left(), ROOM as usize - 64, "a short one counts for 64 KiB");
        assert!(to.write(&ping(2, 1 << 20)).is_ok());
        assert_eq!(left(), ROOM as usize - 64 - 1024);
        // What answers nothing takes up none, and a session that is over has it all back.
        remote.0.over.send_replace(true);
        let all = async {
            timeout(Duration::from_secs(20), remote.0.room.acquire_many(ROOM)).await.is_ok()
        };
        assert!(threads.block_on(all));
        threads.shutdown_background();
        drop(listener);
    }
}
