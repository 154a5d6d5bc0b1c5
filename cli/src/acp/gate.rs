//! Both directions, and what they share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallpass::{Denial, Reason, Task};

use super::desk::{Asked, Awaited, Desk, What};
use super::turn::{Turn, TurnEnd};
use crate::errand::{Errand, Gatekeeper, Outcome};
use crate::remark::{remark, shown};
use crate::rpc::answer;
use crate::rpc::frame::Frame;
use crate::rpc::message::{Id, object, quoted, request};
use crate::rpc::outbox::Outbox;
use crate::rpc::session::{Between, Step};

/// With what the ids of the gate's own requests to the editor begin. An agent's may not.
const OWN: &str = "hallpass-";

/// Stands between an editor and a coding agent.
pub(super) struct AcpGate {
    pub(super) errand: Errand,
    /// Under a policy that looks at what was done before, one task for all turns: with the next prompt an agent still knows
    /// what it has read.
    shared: Option<Arc<Task>>,
    /// What records denials that belong to no turn.
    pub(super) keeper: Gatekeeper,
    pub(super) to_editor: Outbox,
    pub(super) to_agent: Outbox,
    desk: Mutex<Desk>,
    /// Whether denials are explained on standard error.
    explains: bool,
}

impl AcpGate {
    /// With `first`, a task that shows that there can be some: it is kept where all turns share one.
    pub(super) fn new(
        errand: Errand,
        first: Arc<Task>,
        to_editor: Outbox,
        to_agent: Outbox,
        explains: bool,
    ) -> Self {
        let keeper = errand.keeper(&first);
        let shared = errand.remembers.then(|| first.clone());
        if let (None, Some(task)) = (&shared, Arc::into_inner(first)) {
            drop(task.complete());
        }
        AcpGate { errand, shared, keeper, to_editor, to_agent, desk: Mutex::default(), explains }
    }

    /// What is open. Calls are decided, started, ended and entered under this lock, so that none can start behind the end
    /// of its turn.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        // A thread that panicked while it held the lock left each entry whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the task of a turn.
    pub(super) fn turn(&self) -> Result<Turn, String> {
        let task = match &self.shared {
            Some(task) => task.clone(),
            None => self.errand.open()?,
        };
        Ok(Turn::new(self.errand.keeper(&task), task))
    }

    /// Ends the turn of a session: its calls are interrupted, its terminals killed, its task is over. The prompt itself may
    /// still wait for its answer.
    pub(super) fn end_turn(&self, desk: &mut Desk, session: &str, how: TurnEnd) {
        let Some(turn) = desk.turns.get_mut(session).and_then(Option::take) else { return };
        for (id, asked) in desk.of_agent.take_all() {
            if asked.session != session {
                desk.of_agent.open(id, asked);
                continue;
            }
            let was_late = matches!(asked.what, What::Late);
            match asked.what {
                What::Call(started) => {
                    turn.keeper.finish(started, Outcome::Interrupted);
                    desk.of_agent.forget(&id);
                }
                What::Create(started) => {
                    turn.keeper.finish(started, Outcome::Interrupted);
                    let session = session.to_owned();
                    desk.of_agent.open(id.clone(), Asked { session, what: What::Late });
                }
                What::Late => desk.of_agent.open(id.clone(), asked_late(session)),
                What::Terminal(..) => desk.of_agent.forget(&id),
            }
            if !was_late {
                let why = "the turn is over";
                self.to_agent.answer(answer::error(Some(&id), answer::INTERNAL_ERROR, why));
            }
        }
        for terminal in turn.end(how) {
            self.end_terminal(desk, session, &terminal);
        }
    }

    /// Has the editor kill what runs in a terminal, and let go of it.
    pub(super) fn end_terminal(&self, desk: &mut Desk, session: &str, terminal: &str) {
        for method in ["terminal/kill", "terminal/release"] {
            desk.own = desk.own.saturating_add(1);
            let id = format!("{{\"id\":{}}}", quoted(&format!("{OWN}{}", desk.own)));
            let (session, terminal) = (quoted(session), quoted(terminal));
            let params = object([("sessionId", &*session), ("terminalId", &*terminal)]);
            if let Some(id) = Id::named(Some(&id), "id") {
                self.to_editor.answer(request(&id, method, Some(&params)));
            }
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

    /// Answers the agent. One that does not read what it asked for is ended: what it gets has to go somewhere.
    pub(super) fn tell_agent(&self, line: Vec<u8>) -> Step {
        match self.to_agent.answer(line) {
            true => Step::GoOn,
            false => Step::End("the agent does not read what it is answered".to_owned()),
        }
    }

    /// Ends all that is open, and answers all that the editor has asked.
    fn end_all(&self, why: &str) {
        let mut desk = self.desk();
        desk.closed = true;
        let sessions: Vec<String> = desk.turns.keys().cloned().collect();
        for session in sessions {
            self.end_turn(&mut desk, &session, TurnEnd::Failed);
        }
        desk.turns.clear();
        for (id, _) in desk.of_editor.take_all() {
            self.to_editor.answer(answer::error(Some(&id), answer::INTERNAL_ERROR, why));
        }
    }
}

fn asked_late(session: &str) -> Asked {
    Asked { session: session.to_owned(), what: What::Late }
}

/// Whether a request is the gate's own.
pub(super) fn is_own(id: &Id) -> bool {
    id.text().is_some_and(|text| text.starts_with(OWN))
}

impl Between for AcpGate {
    fn take_from_client(&self, frame: &Frame) {
        self.take_from_editor(frame);
    }

    fn take_from_server(&self, frame: &Frame) -> Step {
        self.take_from_agent(frame)
    }

    fn lose(&self, id: &Id, why: &str) {
        let mut desk = self.desk();
        if let Some(Awaited::Prompt(session)) = desk.of_editor.answered(id) {
            self.end_turn(&mut desk, &session, TurnEnd::Failed);
            desk.turns.remove(&session);
        }
        self.to_editor.answer(answer::error(Some(id), answer::INTERNAL_ERROR, why));
    }

    fn close(&self, why: &str) {
        self.end_all(why);
    }

    fn to_client(&self) -> &Outbox {
        &self.to_editor
    }

    fn to_server(&self) -> &Outbox {
        &self.to_agent
    }
}
