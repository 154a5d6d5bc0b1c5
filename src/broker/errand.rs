//! What a session keeps: its task, what it wants, and the grant that it presents.

use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::ended::Ended;
use super::gate::Gate;
use super::grant::Grant;
use super::task::Task;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Code, Denial, Reason};
use crate::identity::Identity;
use crate::scope::Scope;
use crate::sync::{Condvar, Mutex};

/// How long a call waits for another that is asking for the session's access, on another thread.
const MOST_WAIT: Duration = Duration::from_secs(30);

pub(super) struct Kept {
    pub(super) errand: Errand,
    pub(super) gate: Gate,
    pub(super) wanted: Scope,
    pub(super) who: Mutex<Identity>,
    pub(super) state: Mutex<State>,
    /// Signalled when what was asked for has been answered.
    pub(super) answered: Condvar,
}

/// Whose task it is.
pub(super) enum Errand {
    Own(Task),
    /// What was delegated, of the session that delegated it. It keeps none of that one's handles.
    Delegated(Arc<Kept>),
}

#[derive(Default)]
pub(super) struct State {
    pub(super) grant: Option<Arc<Grant>>,
    /// From when on it is renewed.
    renew_from: Option<Timestamp>,
    /// Why nothing is asked for any more.
    refused: Option<Denial>,
    /// Who is asking now.
    asking: Option<ThreadId>,
    /// How many present the grant's token now: what they present is not superseded meanwhile.
    presenting: usize,
}

impl State {
    /// With a grant to present at once.
    pub(super) fn with(grant: Grant) -> Self {
        State { renew_from: renewal_of(&grant), grant: Some(Arc::new(grant)), ..State::default() }
    }
}

/// What a call does before it presents anything.
enum Step {
    Present(Arc<Grant>),
    Ask,
    Renew(Arc<Grant>),
}

/// A grant that is presented: as long as this is there, it is not renewed by the session.
pub(super) struct Presented<'k> {
    kept: &'k Kept,
    pub(super) grant: Arc<Grant>,
}

impl Drop for Presented<'_> {
    fn drop(&mut self) {
        self.kept.state.lock().presenting -= 1;
    }
}

/// Marks that this thread asks, until it is dropped, by a panic of the host's code too.
struct Asking<'k>(&'k Kept);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state.lock().asking = None;
        self.0.answered.notify_all();
    }
}

impl Kept {
    /// A grant to present, asked for or renewed if need be.
    pub(super) fn ready(
        &self,
        who: &Identity,
        tool: Option<&str>,
        context: &Context,
    ) -> Result<Presented<'_>, Denial> {
        let shared = &self.gate.shared;
        let now = match shared.now().and_then(|now| who.check_validity(now).map(|()| now)) {
            Ok(now) => now,
            Err(denial) => return Err(self.gate.refuse(denial, who, tool)),
        };
        let step = match self.next_step(now) {
            Ok(step) => step,
            Err(denial) => return Err(self.gate.refuse(denial, who, tool)),
        };
        let asking = match step {
            Step::Present(grant) => return Ok(Presented { kept: self, grant }),
            Step::Ask | Step::Renew(_) => Asking(self),
        };
        // What is denied here is recorded where it is asked for; no lock of the session is held.
        let answer = match step {
            Step::Renew(grant) => match self.renew(&grant, who, context) {
                // People are asked, and it is as it was meanwhile.
                Err(denial) if denial.pending().is_some() => {
                    self.state.lock().presenting += 1;
                    drop(asking);
                    return Ok(Presented { kept: self, grant });
                }
                renewed => renewed,
            },
            Step::Ask | Step::Present(_) => self.ask(who, context),
        };
        let answer = answer.map(Arc::new);
        let mut state = self.state.lock();
        match &answer {
            // It was ended meanwhile, and its token was not handed out yet.
            Ok(grant) if state.refused.is_some() => {
                let denial = state.refused.clone().unwrap_or_else(over);
                drop(state);
                let _ = Ended::grant(&grant.shared, &grant.cell, grant.id);
                return Err(self.gate.refuse(denial, who, tool));
            }
            Ok(grant) => {
                let later = state.grant.as_ref().is_none_or(|old| grant.expires > old.expires);
                // What a renewal gave no time is not renewed again.
                state.renew_from = renewal_of(grant).filter(|_| later);
                state.grant = Some(grant.clone());
                state.presenting += 1;
            }
            // What waits for people is asked for again.
            Err(denial) if is_decided(denial) && denial.pending().is_none() => {
                state.refused = Some(denial.clone());
            }
            Err(_) => {}
        }
        drop(state);
        drop(asking);
        answer.map(|grant| Presented { kept: self, grant })
    }

    /// What is to be done now: decided and noted in one step, so that one thread asks at a time.
    fn next_step(&self, now: Timestamp) -> Result<Step, Denial> {
        let own = thread::current().id();
        let mut state = self.state.lock();
        let others = |state: &mut State| state.asking.is_some_and(|asking| asking != own);
        self.answered.wait_while_for(&mut state, others, MOST_WAIT);
        if state.asking.is_some() {
            return Err(Denial::new(Reason::TooMany).because("the session is asking already"));
        }
        if let Some(denial) = &state.refused {
            return Err(denial.clone());
        }
        let step = match state.grant.clone() {
            None => Step::Ask,
            Some(grant) if grant.has_expired(now) => Step::Ask,
            Some(grant) => {
                let due = state.renew_from.is_some_and(|from| now >= from);
                match due && state.presenting == 0 && grant.is_there() {
                    true => Step::Renew(grant),
                    // What was taken away is presented: the gate says, and records, that it was.
                    false => Step::Present(grant),
                }
            }
        };
        match &step {
            Step::Present(_) => state.presenting += 1,
            Step::Ask | Step::Renew(_) => state.asking = Some(own),
        }
        Ok(step)
    }

    fn ask(&self, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        match &self.errand {
            Errand::Own(task) => task.request_for(who, self.wanted.clone(), context),
            Errand::Delegated(from) => {
                let parent = from.state.lock().grant.clone().ok_or_else(over)?;
                from.task().delegate(&parent, who, self.wanted.clone(), context)
            }
        }
    }

    fn renew(&self, grant: &Grant, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        let mut renewed = grant.to_renew();
        self.task().renew(&mut renewed, who, context)?;
        Ok(renewed)
    }

    pub(super) fn task(&self) -> &Task {
        match &self.errand {
            Errand::Own(task) => task,
            Errand::Delegated(from) => from.task(),
        }
    }

    pub(super) fn end(&self, end_task: impl FnOnce(&Task) -> Ended) -> Ended {
        match &self.errand {
            Errand::Own(task) => end_task(task),
            Errand::Delegated(_) => {
                let own = self.give_up();
                own.map(|own| Ended::grant(&own.shared, &own.cell, own.id)).unwrap_or_default()
            }
        }
    }

    /// What was delegated and is to end, which is not asked for again.
    pub(super) fn give_up(&self) -> Option<Arc<Grant>> {
        if self.gate.shared.is_forked() {
            return None;
        }
        let mut state = self.state.lock();
        state.refused.get_or_insert_with(|| Denial::new(Reason::Revoked));
        state.grant.clone()
    }
}

impl Grant {
    /// Whether it has ended because its time was over, and for no other reason.
    fn has_expired(&self, now: Timestamp) -> bool {
        let life = self.cell.life.lock();
        match life.grant(self.id) {
            Some(row) => life.over.is_none() && row.is_past(self.shared.as_of(now)),
            None => life.over.is_none() && life.gone(self.id).reason() == Reason::Expired,
        }
    }

    fn is_there(&self) -> bool {
        self.cell.life.lock().grant(self.id).is_some()
    }
}

/// From when on a grant is renewed: when a third of its time is left, so that an errand with a call now and
/// then seldom finds it over, and one with many asks rarely.
fn renewal_of(grant: &Grant) -> Option<Timestamp> {
    let now = grant.shared.keeper.latest();
    now.checked_add(grant.expires.since(now) / 3 * 2)
}

/// Whether a denial is an answer. What could not be decided, or was asked in no context, may be asked again.
fn is_decided(denial: &Denial) -> bool {
    denial.code() != Code::Unavailable
        && !matches!(denial.reason(), Reason::MalformedContext | Reason::IdentityExpired)
}

fn over() -> Denial {
    Denial::new(Reason::TaskOver).because("what it was delegated from has ended")
}
