//! Both directions, and what they share.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass::args::Args;
use hallpass::{Denial, Reason};

use super::answer;
use super::desk::{Desk, Waiting};
use super::gatekeeper::{Gatekeeper, Outcome};
use super::members::Members;
use super::message::{Id, object};
use super::outbox::Outbox;
use crate::remark::{remark, shown};

/// Stands between a client and a server.
pub(super) struct Proxy {
    pub(super) keeper: Gatekeeper,
    pub(super) to_client: Outbox,
    pub(super) to_server: Outbox,
    desk: Mutex<Desk>,
    /// Whether denials are explained on standard error.
    explains: bool,
}

/// What a message leaves of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    GoOn,
    /// It can't go on, and why.
    End(String),
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

/// Parameters without what a gate does not ask about, as the arguments of a call.
pub(super) fn args_of(params: &Members<'_>, but: &[&str]) -> String {
    object(params.iter().filter(|(name, _)| !but.contains(name)))
}

/// Parameters written anew: from the arguments that were decided about, and what is asked about nowhere, as it came.
pub(super) fn params_of<'p>(
    args: &'p Args,
    others: impl Iterator<Item = (&'p str, &'p str)>,
) -> String {
    let args = args.iter().map(|(name, value)| (name, Cow::Owned(value.to_json())));
    let members: Vec<(&str, Cow<'_, str>)> =
        args.chain(others.map(|(name, text)| (name, Cow::Borrowed(text)))).collect();
    object(members.iter().map(|(name, text)| (*name, &**text)))
}

/// The members that go on as they came, of those that are there.
pub(super) fn passing<'p>(
    params: &'p Members<'_>,
    names: &'static [&'static str],
) -> impl Iterator<Item = (&'p str, &'p str)> + Clone {
    names.iter().filter_map(|name| Some((*name, params.get(name)?)))
}

/// Whether an id may be used for a request now; otherwise it was answered.
pub(super) fn check_id(outbox: &Outbox, id: &Id, check: Result<(), &'static str>) -> bool {
    if let Err(why) = check {
        outbox.answer(answer::error(Some(id), answer::INVALID_REQUEST, why));
    }
    check.is_ok()
}
