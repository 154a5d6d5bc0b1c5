//! The server of a session: a process, or one that is reached over HTTP.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::Arc;

use tokio::sync::mpsc::Receiver;

use super::remote::{FromServer, Remote, Target};
use crate::rpc::frame::Frame;
use crate::rpc::outbox::Outbox;
use crate::rpc::process;
use crate::rpc::session::{Between, End, Ending, GRACE, Peer, Source, Started, Step, taken};

/// Which server is gated.
pub(super) enum Server {
    /// A program and its arguments, started for each session.
    Command(Vec<OsString>),
    Remote(Arc<Target>),
}

impl Server {
    /// Starts it, or begins a session with it.
    ///
    /// # Errors
    /// Why it can't be started.
    pub(super) fn start(&self) -> Result<Started, String> {
        match self {
            Server::Command(words) => process::start(words),
            Server::Remote(target) => {
                let (remote, to, from) = Remote::new(target.clone());
                Ok(Started {
                    peer: Box::new(remote),
                    to: Box::new(to),
                    from: Box::new(Events(from)),
                })
            }
        }
    }
}

/// What comes from a server over HTTP.
struct Events(Receiver<FromServer>);

impl Source for Events {
    fn read(mut self: Box<Self>, between: &dyn Between, ending: Ending) {
        while let Some(event) = self.0.blocking_recv() {
            let step = match event {
                FromServer::Message(line) => taken(between, &ending, &Frame::Line(line)),
                FromServer::Lost(id, why) => {
                    between.lose(&id, &why);
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

impl Peer for Remote {
    fn wind_up(&self, to_server: &Outbox) {
        to_server.drain(GRACE);
        Remote::wind_up(self);
    }

    fn end(&mut self, _is_over: bool) -> Option<ExitStatus> {
        Remote::end(self);
        None
    }
}
