//! The sessions: a server and a task for each, from `initialize` to their end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hallpass::Task;
use hallpass::clock::{Clock as _, SystemClock};
use tokio_rustls::rustls::crypto::ring;

use super::streams::Streams;
use crate::errand::Errand;
use crate::mcp::proxy::Proxy;
use crate::mcp::server::Server;
use crate::remark::remark;
use crate::rpc::frame::Frame;
use crate::rpc::session::{End, Session};

/// How many sessions are open at once: each has a server of its own.
const MOST: usize = 64;

/// How long a session lasts of which nothing is asked, and to which no client listens.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// How often idle sessions are looked for.
const LOOKS: Duration = Duration::from_secs(60);

/// All sessions of a command.
pub(super) struct Sessions {
    errand: Errand,
    /// Under a policy that looks at what was done before, one task for all: a client that begins another session has the
    /// same history.
    shared: Option<Arc<Task>>,
    server: Server,
    explains: bool,
    clock: SystemClock,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    open: BTreeMap<String, Arc<HttpSession>>,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

/// One session.
pub(super) struct HttpSession {
    pub(super) id: String,
    pub(super) proxy: Arc<Proxy>,
    pub(super) streams: Streams,
    ends: Sender<End>,
    /// When it was last used, by the monotonic clock.
    used: Mutex<Duration>,
}

impl Sessions {
    /// # Errors
    /// Why there can be no task.
    pub(super) fn new(errand: Errand, server: Server, explains: bool) -> Result<Self, String> {
        let first = errand.open()?;
        let shared = errand.remembers.then(|| first.clone());
        if let (None, Some(task)) = (&shared, Arc::into_inner(first)) {
            drop(task.complete());
        }
        Ok(Sessions {
            errand,
            shared,
            server,
            explains,
            clock: SystemClock::new(),
            table: Mutex::default(),
        })
    }

    /// Begins a session: starts a server for it.
    ///
    /// # Errors
    /// Why there can be none; for operators. The client is told that there is none.
    pub(super) fn begin(self: &Arc<Self>) -> Result<Arc<HttpSession>, String> {
        let mut table = self.table();
        if table.closed || table.open.len() >= MOST {
            return Err(format!("{MOST} sessions are open already, or the command ends"));
        }
        let task = match &self.shared {
            Some(task) => task.clone(),
            None => self.errand.open()?,
        };
        let (id, streams) = (new_id().ok_or("no random bytes can be had")?, Streams::default());
        let keeper = self.errand.keeper(&task);
        let (server, explains) = (self.server.start()?, self.explains);
        let session = Session::new(server, streams.clone(), |to_client, to_server| {
            Proxy::new(keeper, to_client, to_server, explains)
        });
        let (proxy, ends) = (session.between.clone(), session.ends.clone());
        let used = Mutex::new(self.now());
        let own = Arc::new(HttpSession { id: id.clone(), proxy, streams, ends, used });
        table.open.insert(id.clone(), own.clone());
        table.threads.retain(|thread| !thread.is_finished());
        let (all, streams) = (self.clone(), own.streams.clone());
        table.threads.push(thread::spawn(move || {
            let _ = session.run();
            // If it is this session's own, it is over.
            drop(task);
            streams.close();
            all.table().open.remove(&id);
        }));
        Ok(own)
    }

    /// The session of an id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<HttpSession>> {
        let own = self.table().open.get(id).cloned()?;
        *own.used.lock().unwrap_or_else(PoisonError::into_inner) = self.now();
        Some(own)
    }

    /// Ends the session of an id, which no one finds any more.
    pub(super) fn end(&self, id: &str) -> bool {
        let ended = self.table().open.remove(id);
        ended.is_some_and(|own| own.ends.send(End::Client).is_ok())
    }

    /// Ends sessions of which nothing was asked for long, and that no client listens to.
    fn end_idle(&self, now: Duration) {
        let idle = |own: &HttpSession| {
            let used = *own.used.lock().unwrap_or_else(PoisonError::into_inner);
            !own.streams.are_open() && now.saturating_sub(used) > IDLE
        };
        self.table().open.retain(|_, own| !(idle(own) && own.ends.send(End::Client).is_ok()));
    }

    /// Looks for idle sessions from time to time, as long as there are any to come.
    pub(super) fn watch_idle(self: &Arc<Self>) {
        let own = Arc::downgrade(self);
        thread::spawn(move || {
            loop {
                thread::sleep(LOOKS);
                let Some(sessions) = own.upgrade() else { return };
                sessions.end_idle(sessions.now());
            }
        });
    }

    /// The monotonic time; none has passed where it can't be told.
    fn now(&self) -> Duration {
        self.clock.read().map(|now| now.monotonic).unwrap_or_default()
    }

    /// Ends all sessions, and waits until they have.
    pub(super) fn end_all(&self) {
        let mut table = self.table();
        table.closed = true;
        for own in std::mem::take(&mut table.open).into_values() {
            let _ = own.ends.send(End::Told);
        }
        let threads = std::mem::take(&mut table.threads);
        drop(table);
        for thread in threads {
            // One that panicked has ended.
            let _ = thread.join();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A table is whole between any two of its changes, whatever thread panicked.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpSession {
    /// Takes a message of the client, which has been read already: as one line, as a server behind a pipe wants it. A line
    /// within a text of JSON is none, so that nothing but space between its parts is changed.
    pub(super) fn take(&self, body: &[u8]) {
        let line = body.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
        self.proxy.take_from_client(&Frame::Line(line));
        if self.proxy.to_server.has_given_up() {
            let why = "the server does not read what it is sent".to_owned();
            let _ = self.ends.send(End::Broken(why));
        }
    }
}

/// 128 random bits, in hexadecimal digits.
fn new_id() -> Option<String> {
    let mut bytes = [0; 16];
    if ring::default_provider().secure_random.fill(&mut bytes).is_err() {
        remark("no random bytes can be had");
        return None;
    }
    let mut id = String::with_capacity(32);
    for byte in bytes {
        // Writing to a text does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use hallpass::{Broker, Context, Policy, Purpose};

    use super::*;

    fn sessions() -> Arc<Sessions> {
        sessions_of(&["cat"], false)
    }

    fn sessions_of(server: &[&str], remembers: bool) -> Arc<Sessions> {
        let broker = Broker::new(Policy::from_toml("version = 1").unwrap()).unwrap();
        let who = broker.assert_identity("agent-7").unwrap();
        let (purpose, context, pins) = (Purpose::new("errand"), Context::new(), BTreeMap::new());
        let errand = Errand { broker, who, purpose, context, remembers, pins };
        let server = Server::Command(server.iter().map(|word| word.into()).collect());
        Arc::new(Sessions::new(errand, server, false).unwrap())
    }

    #[test]
    fn a_session_ends_of_which_nothing_is_asked_and_to_which_no_client_listens() {
        let sessions = sessions();
        let (idle, listening) = (sessions.begin().unwrap(), sessions.begin().unwrap());
        let (_, stream) = listening.streams.listen().unwrap();
        sessions.end_idle(sessions.now());
        assert!(sessions.find(&idle.id).is_some());
        sessions.end_idle(sessions.now() + IDLE + Duration::from_secs(60));
        assert!(sessions.find(&idle.id).is_none() && sessions.find(&listening.id).is_some());
        drop(stream);
        sessions.end_idle(sessions.now() + IDLE + Duration::from_secs(60));
        assert!(sessions.find(&listening.id).is_none());
        sessions.end_all();
    }

    #[test]
    fn sessions_are_bounded_and_none_begins_after_the_end() {
        let sessions = sessions();
        let begun = (0..).take_while(|_| sessions.begin().is_ok()).count();
        assert_eq!(begun, MOST);
        sessions.end_all();
        assert!(sessions.begin().is_err());
        assert!(sessions.errand.broker.standing().is_empty(), "the task of each is over");
    }
    /// What a server has started may hold its output open for as long as it likes.
    #[test]
    fn the_task_of_a_session_is_over_with_it_whatever_its_server_left_behind() {
        for remembers in [false, true] {
            let sessions = sessions_of(&["sh", "-c", "sleep 20 & exec cat"], remembers);
            let session = sessions.begin().unwrap();
            assert!(!sessions.errand.broker.standing().is_empty());
            assert!(sessions.end(&session.id));
            sessions.end_all();
            // A task for all is over with the command.
            assert_eq!(sessions.errand.broker.standing().is_empty(), !remembers);
        }
    }
}
