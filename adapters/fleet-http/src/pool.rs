//! The connections that a node keeps to others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use crate::protection::Protection;
use crate::server::MAX_AGE;
use crate::stream;

/// How many connections are kept to one node.
const CONNECTIONS: usize = 4;

/// How many requests one connection carries before another is made.
const CROWDED: usize = 32;

/// How long after a connection could not be made the next is tried: the first time, and at the most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How often a connection that waits for an answer is asked whether it is there at all.
const PROBE: Duration = Duration::from_secs(5);

/// How many bytes of one answer, and of all that come over one connection, may be on their way.
const STREAM_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 4 << 20;

/// The most bytes of the head of an answer.
const HEAD: u32 = 8 << 10;

pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

/// The connections to all nodes, by their names and addresses.
#[derive(Default)]
pub(crate) struct Pool(Mutex<BTreeMap<Destination, Arc<Peer>>>);

/// A node, and where it answers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Destination {
    node: Box<str>,
    address: Box<str>,
}

/// The connections to one node at one address.
#[derive(Default)]
struct Peer {
    open: Mutex<Vec<Arc<Connection>>>,
    failed: Mutex<Option<Failed>>,
    /// Held by the one that makes a connection.
    dialing: AsyncMutex<()>,
}

/// A connection could not be made, or ended before anything was answered over it.
struct Failed {
    until: Instant,
    wait: Duration,
    why: Box<str>,
}

struct Connection {
    sender: Sender,
    since: Instant,
    load: AtomicUsize,
    /// Something was answered over it.
    has_answered: AtomicBool,
    /// It let a request wait for too long: it may be a connection to nowhere.
    is_suspect: AtomicBool,
}

/// A place on a connection, for one request.
pub(crate) struct Place {
    peer: Arc<Peer>,
    connection: Arc<Connection>,
}

impl Pool {
    /// A place on a connection to a node: one that is open, or on a new one. Another one is made where those that are
    /// open carry much.
    ///
    /// # Errors
    /// Why there is none; at once, where that was so a moment ago.
    pub(crate) async fn place(
        &self,
        protection: &Protection,
        node: &str,
        address: &str,
    ) -> Result<Place, Box<str>> {
        let peer = self.peer(node, address);
        let _dialing = match peer.least_loaded() {
            Some((place, true)) => return Ok(place),
            Some((place, false)) => match peer.dialing.try_lock() {
                Ok(dialing) if peer.failure().is_none() => dialing,
                _ => return Ok(place),
            },
            None => peer.dialing.lock().await,
        };
        // Another one may have made one meanwhile, or have failed to.
        if let Some((place, true)) = peer.least_loaded() {
            return Ok(place);
        }
        if let Some(why) = peer.failure() {
            return Err(why);
        }
        match dial(protection, node, address).await {
            Ok(sender) => Ok(peer.add(sender)),
            Err(why) => {
                peer.note_failure(&why);
                Err(why)
            }
        }
    }

    fn peer(&self, node: &str, address: &str) -> Arc<Peer> {
        let mut peers = locked(&self.0);
        let destination = Destination { node: node.into(), address: address.into() };
        if let Some(peer) = peers.get(&destination) {
            return peer.clone();
        }
        // Nodes come back under other addresses: what leads to no one is forgotten.
        peers.retain(|_, peer| peer.least_loaded().is_some());
        peers.entry(destination).or_default().clone()
    }
}

impl Peer {
    /// A place on the connection that carries the least, and whether there is room for more.
    fn least_loaded(self: &Arc<Self>) -> Option<(Place, bool)> {
        let mut open = locked(&self.open);
        open.retain(|own| own.is_good());
        let least = open.iter().min_by_key(|own| own.load.load(Ordering::Relaxed))?;
        let has_room = open.len() >= CONNECTIONS || least.load.load(Ordering::Relaxed) < CROWDED;
        Some((Place::on(self, least), has_room))
    }

    /// Why a connection could not be made a moment ago.
    fn failure(&self) -> Option<Box<str>> {
        let failed = locked(&self.failed);
        failed.as_ref().filter(|failed| Instant::now() < failed.until).map(|own| own.why.clone())
    }

    fn note_failure(&self, why: &str) {
        let (mut failed, now) = (locked(&self.failed), Instant::now());
        // Of many that fail at once, one counts.
        if failed.as_ref().is_some_and(|last| now < last.until) {
            return;
        }
        let wait = failed.as_ref().map_or(BACKOFF.0, |last| (last.wait * 2).min(BACKOFF.1));
        *failed = Some(Failed { until: now + wait, wait, why: why.into() });
    }

    fn add(self: &Arc<Self>, sender: Sender) -> Place {
        let connection = Arc::new(Connection {
            sender,
            since: Instant::now(),
            load: AtomicUsize::new(0),
            has_answered: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
        });
        let place = Place::on(self, &connection);
        locked(&self.open).push(connection);
        place
    }
}

impl Connection {
    fn is_good(&self) -> bool {
        !self.sender.is_closed()
            && !self.is_suspect.load(Ordering::Relaxed)
            // Certificates are looked at again from time to time.
            && self.since.elapsed() < MAX_AGE
    }
}

impl Place {
    fn on(peer: &Arc<Peer>, connection: &Arc<Connection>) -> Place {
        connection.load.fetch_add(1, Ordering::Relaxed);
        Place { peer: peer.clone(), connection: connection.clone() }
    }

    pub(crate) fn sender(&self) -> Sender {
        self.connection.sender.clone()
    }

    /// Something was answered over the connection.
    pub(crate) fn note_answer(&self) {
        if !self.connection.has_answered.swap(true, Ordering::Relaxed) {
            *locked(&self.peer.failed) = None;
        }
    }

    /// The connection let a request down: it gets no further ones, and where it never answered any, the next is not made
    /// at once.
    pub(crate) fn note_failure(&self, why: &str) {
        self.connection.is_suspect.store(true, Ordering::Relaxed);
        if !self.connection.has_answered.load(Ordering::Relaxed) {
            self.peer.note_failure(why);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connection.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes a connection, which is driven on the runtime until it ends.
async fn dial(protection: &Protection, node: &str, address: &str) -> Result<Sender, Box<str>> {
    let address = protection.covers(address).map_err(|error| error.to_string())?;
    let stream = stream::connect(&address).await.map_err(|error| error.to_string())?;
    let stream = protection.connect(node, stream).await?;
    let shaken = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(HEAD)
        .keep_alive_interval(PROBE)
        .keep_alive_timeout(PROBE)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, connection) = shaken.map_err(|error| error.to_string())?;
    // Why it ended is told to those whose requests it carried.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
