//! Both directions, and what they share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass::{Denial, Reason};

use super::answer;
use super::desk::{Desk, Waiting};
use crate::errand::{Gatekeeper, Outcome};
use crate::remark::{remark, shown};
use crate::rpc::frame::Frame;
use crate::rpc::message::Id;
use crate::rpc::outbox::Outbox;
use crate::rpc::session::{Between, Step};

/// Stands between a client and a server.
pub(super) struct Proxy {
    pub(super) keeper: Gatekeeper,
    pub(super) to_client: Outbox,
    pub(super) to_server: Outbox,
    desk: Mutex<Desk>,
    /// Whether denials are explained on standard error.
    explains: bool,
}

impl Between for Proxy {
    fn take_from_client(&self, frame: &Frame) {
        self.take_from_client(frame);
    }

    fn take_from_server(&self, frame: &Frame) -> Step {
        self.take_from_server(frame)
    }

    fn lose(&self, id: &Id, why: &str) {
        self.lose(id, why);
    }

    fn close(&self, why: &str) {
        self.close(why);
    }

    fn to_client(&self) -> &Outbox {
        &self.to_client
    }

    fn to_server(&self) -> &Outbox {
        &self.to_server
    }
}

impl Proxy {
    pub(super) fn new(
        keeper: Gatekeeper,
        to_client: Outbox,
        to_server: Outbox,
        explains: bool,
    ) -> Self {
        Proxy { keeper, to_client, to_server, desk: Mutex::default(), explains }
    }

    /// What is open. Calls are authorized, started and entered under this lock, so that none can start behind
    /// [`close`](Self::close).
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        // A thread that panicked while it held the lock left each entry whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all that is open: calls as interrupted, and every request of the client with an answer.
    pub(super) fn close(&self, why: &str) {
        let mut desk = self.desk();
        desk.closed = true;
        let (of_client, of_server) = (desk.of_client.take_all(), desk.of_server.take_all());
        drop(desk);
        for (id, waiting) in of_client {
            self.interrupt(waiting);
            self.to_client.answer(answer::error(Some(&id), answer::INTERNAL_ERROR, why));
        }
        for (_, waiting) in of_server {
            self.interrupt(waiting);
        }
    }

    /// The answer to a request of the client does not come any more.
    pub(super) fn lose(&self, id: &Id, why: &str) {
        // It may have been cancelled.
        let waiting = self.desk().of_client.answered(id);
        if let Some(waiting) = waiting {
            self.interrupt(waiting);
            self.to_client.answer(answer::error(Some(id), answer::INTERNAL_ERROR, why));
        }
    }

    /// What was waited for does not come any more.
    pub(super) fn interrupt(&self, waiting: Waiting) {
        if let Waiting::Call { started, .. } = waiting {
            self.keeper.finish(started, Outcome::Interrupted);
        }
    }

    /// Denies what does not get as far as the broker, and records it.
    pub(super) fn deny(&self, name: &str, reason: Reason, why: &str) -> Denial {
        let denial = self.keeper.deny(name, reason, why);
        self.explain(name, &denial);
        denial
    }

    /// Says to operators, if they asked for it, why something was denied.
    pub(super) fn explain(&self, name: &str, denial: &Denial) {
        if self.explains {
            remark(&format!("{}: {}", shown(name), denial.explain()));
        }
    }
}
