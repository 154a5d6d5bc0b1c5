//! Which stream of a client each message of the server goes to.
//!
//! An answer goes to the request that it answers. A server behind a pipe does not say to which request anything else
//! belongs, so that it goes to the request that was made last and waits still, else to the stream that the client keeps
//! open, and else waits for one of these.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::rpc::message::{Id, Message};

/// How many messages wait for a stream that does not take them. A side that does not read holds up the other one.
const WAITING: usize = 16;

/// How many requests of a session wait at once.
const MOST_REQUESTS: usize = 1024;

/// The most bytes that wait for a stream to be opened.
const MOST_KEPT: usize = 1 << 20;

/// The streams of one session. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Streams(Arc<Mutex<Routes>>);

#[derive(Default)]
struct Routes {
    /// In the order in which they were asked.
    requests: Vec<(Id, Sender<String>)>,
    /// What the client keeps open for what answers nothing.
    standing: Option<Sender<String>>,
    kept: VecDeque<String>,
    kept_bytes: usize,
    closed: bool,
}

/// Why a stream is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoStream {
    Taken,
    TooMany,
    Closed,
}

impl Streams {
    /// Opens the stream on which a request is answered.
    ///
    /// # Errors
    /// [`NoStream`]: a request of this id waits already.
    pub(super) fn expect(&self, id: Id) -> Result<Receiver<String>, NoStream> {
        let mut routes = self.lock();
        match () {
            () if routes.closed => Err(NoStream::Closed),
            () if routes.requests.iter().any(|(own, _)| *own == id) => Err(NoStream::Taken),
            () if routes.requests.len() >= MOST_REQUESTS => Err(NoStream::TooMany),
            () => {
                let (send, receive) = channel(WAITING);
                routes.requests.push((id, send));
                Ok(receive)
            }
        }
    }

    /// Opens the stream for what answers nothing, with what has waited for it.
    ///
    /// # Errors
    /// [`NoStream`]: there is one already.
    pub(super) fn listen(&self) -> Result<(Vec<String>, Receiver<String>), NoStream> {
        let mut routes = self.lock();
        if routes.closed {
            return Err(NoStream::Closed);
        }
        if routes.standing.as_ref().is_some_and(|own| !own.is_closed()) {
            return Err(NoStream::Taken);
        }
        let (send, receive) = channel(WAITING);
        routes.standing = Some(send);
        routes.kept_bytes = 0;
        Ok((routes.kept.drain(..).collect(), receive))
    }

    /// Whether a client waits on any of them.
    pub(super) fn are_open(&self) -> bool {
        let routes = self.lock();
        let standing = routes.standing.iter();
        standing.chain(routes.requests.iter().map(|(_, own)| own)).any(|own| !own.is_closed())
    }

    /// Ends all of them.
    pub(super) fn close(&self) {
        let mut routes = self.lock();
        *routes = Routes { closed: true, ..Routes::default() };
    }

    /// The stream that a message goes to, if there is one now.
    fn route(&self, line: &str) -> io::Result<Option<Sender<String>>> {
        let mut routes = self.lock();
        match Message::read(line.as_bytes()) {
            Ok(Message::Response { id, .. }) => {
                let at = routes.requests.iter().position(|(own, _)| *own == id);
                Ok(at.map(|at| routes.requests.remove(at).1))
            }
            Ok(Message::Request { .. } | Message::Notification { .. }) => {
                let requests = routes.requests.iter().rev().map(|(_, own)| own);
                let open = requests.chain(&routes.standing).find(|own| !own.is_closed()).cloned();
                if open.is_none() {
                    routes.keep(line)?;
                }
                Ok(open)
            }
            // What answers no request that could be read is told with the response of HTTP.
            Err(_) => Ok(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Routes> {
        // Routes are whole between any two of their changes, whatever thread panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Routes {
    fn keep(&mut self, line: &str) -> io::Result<()> {
        self.kept_bytes = self.kept_bytes.saturating_add(line.len());
        if self.closed || self.kept_bytes > MOST_KEPT {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.kept.push_back(line.to_owned());
        Ok(())
    }
}

impl Write for Streams {
    /// Takes one message, with its end of line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let line = line.trim_end_matches('\n');
        if let Some(to) = self.route(line)? {
            // A client that has gone does not get it.
            let _ = to.blocking_send(line.to_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> Id {
        Id::named(Some(&format!("{{\"id\":{number}}}")), "id").unwrap()
    }

    fn answer(number: u32) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{{}}}}"#)
    }

    const TOLD: &str = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;

    fn write(streams: &mut Streams, line: &str) {
        streams.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    #[test]
    fn an_answer_goes_to_its_request_and_ends_it() {
        let mut streams = Streams::default();
        let (mut one, mut two) = (streams.expect(id(1)).unwrap(), streams.expect(id(2)).unwrap());
        assert_eq!(streams.expect(id(1)).unwrap_err(), NoStream::Taken);
        write(&mut streams, &answer(2));
        assert_eq!((two.try_recv().unwrap(), two.try_recv().is_err()), (answer(2), true));
        assert!(two.is_closed() && one.try_recv().is_err() && !one.is_closed());
        write(&mut streams, &answer(7));
        write(&mut streams, &answer(1));
        assert_eq!(one.try_recv().unwrap(), answer(1), "what no one has asked goes nowhere");
    }

    #[test]
    fn what_answers_nothing_goes_to_the_last_request_then_to_the_standing_stream_then_waits() {
        let mut streams = Streams::default();
        write(&mut streams, TOLD);
        let (kept, mut standing) = streams.listen().unwrap();
        assert_eq!((kept, streams.listen().unwrap_err()), (vec![TOLD.to_owned()], NoStream::Taken));
        write(&mut streams, TOLD);
        assert_eq!(standing.try_recv().unwrap(), TOLD);
        let (_first, mut last) = (streams.expect(id(1)).unwrap(), streams.expect(id(2)).unwrap());
        write(&mut streams, TOLD);
        assert_eq!(last.try_recv().unwrap(), TOLD);
        assert!(standing.try_recv().is_err() && streams.are_open());
        drop(standing);
        assert!(streams.listen().unwrap().0.is_empty(), "a client may come back");
        streams.close();
        assert!(!streams.are_open() && streams.listen().is_err() && streams.expect(id(3)).is_err());
    }

    #[test]
    fn what_waits_for_a_stream_is_bounded() {
        let mut streams = Streams::default();
        let long = format!(r#"{{"jsonrpc":"2.0","method":"{}"}}"#, "x".repeat(1 << 16));
        let kept = (0..).take_while(|_| streams.write_all(long.as_bytes()).is_ok()).count();
        assert!((8..17).contains(&kept), "{kept}");
    }
}
