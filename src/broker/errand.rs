//! What a session keeps: its task, what it wants, and the grant that it presents.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::ended::Ended;
use super::gate::Gate;
use super::grant::Grant;
use super::task::Task;
use crate::clock::Timestamp;
use crate::contained::wake_each;
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
    asking: Option<Asker>,
    /// Futures that wait until that is answered.
    waiting: Vec<Waker>,
    /// How many present the grant's token now: what they present is not superseded meanwhile.
    presenting: usize,
}

impl State {
    /// With a grant to present at once.
    pub(super) fn with(grant: Grant) -> Self {
        State { renew_from: renewal_of(&grant), grant: Some(Arc::new(grant)), ..State::default() }
    }
}

/// Who asks for a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    Thread(ThreadId),
    /// Any thread may go on with it.
    Future,
}

/// What a call does before it presents anything.
enum Step {
    Present(Arc<Grant>),
    Ask(Wanted),
}

/// What a session asks for.
enum Wanted {
    Given,
    Renewed(Arc<Grant>),
}

impl State {
    /// What is to be done now, which is noted at once.
    fn next_step(&mut self, now: Timestamp, who: Asker) -> Result<Step, Denial> {
        if self.asking.is_some() {
            return Err(Denial::new(Reason::TooMany).because("the session is asking already"));
        }
        if let Some(denial) = &self.refused {
            return Err(denial.clone());
        }
        let step = match self.grant.clone() {
            None => Step::Ask(Wanted::Given),
            Some(grant) if grant.has_expired(now) => Step::Ask(Wanted::Given),
            Some(grant) => {
                let due = self.renew_from.is_some_and(|from| now >= from);
                match due && self.presenting == 0 && grant.is_there() {
                    true => Step::Ask(Wanted::Renewed(grant)),
                    // What was taken away is presented: the gate says, and records, that it was.
                    false => Step::Present(grant),
                }
            }
        };
        match &step {
            Step::Present(_) => self.presenting += 1,
            Step::Ask(_) => self.asking = Some(who),
        }
        Ok(step)
    }
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

/// Marks that somebody asks, until it is dropped, by a panic of the host's code too.
struct Asking<'k> {
    kept: &'k Kept,
    /// A future renews what the session has: where it is dropped meanwhile, that has ended, and is asked for anew.
    renews: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.kept.gate.shared.is_forked() {
            return;
        }
        let mut state = self.kept.state.lock();
        state.asking = None;
        if self.renews {
            state.grant = None;
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.kept.answered.notify_all();
        wake_each(waiting);
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
        let step = self.now(who).and_then(|now| self.next_step(now));
        let step = step.map_err(|denial| self.gate.refuse(denial, who, tool))?;
        let wanted = match step {
            Step::Present(grant) => return Ok(Presented { kept: self, grant }),
            Step::Ask(wanted) => wanted,
        };
        let asking = Asking { kept: self, renews: false };
        // What is denied here is recorded where it is asked for; no lock of the session is held.
        let answer = match &wanted {
            Wanted::Renewed(grant) => self.renew(grant, who, context),
            Wanted::Given => self.ask(who, context),
        };
        self.answered(asking, answer, wanted, (who, tool))
    }

    /// As [`ready`](Self::ready), without holding the thread while the log takes its time.
    pub(super) async fn ready_async(
        &self,
        who: &Identity,
        tool: Option<&str>,
        context: &Context,
    ) -> Result<Presented<'_>, Denial> {
        let step = match self.now(who) {
            Ok(now) => poll_fn(|polled| self.poll_next_step(now, polled.waker())).await,
            Err(denial) => Err(denial),
        };
        let step = step.map_err(|denial| self.gate.refuse(denial, who, tool))?;
        let wanted = match step {
            Step::Present(grant) => return Ok(Presented { kept: self, grant }),
            Step::Ask(wanted) => wanted,
        };
        let mut asking = Asking { kept: self, renews: matches!(wanted, Wanted::Renewed(_)) };
        let answer = match &wanted {
            Wanted::Renewed(grant) => self.renew_async(grant, who, context).await,
            Wanted::Given => self.ask_async(who, context).await,
        };
        asking.renews = false;
        self.answered(asking, answer, wanted, (who, tool))
    }

    fn now(&self, who: &Identity) -> Result<Timestamp, Denial> {
        let now = self.gate.shared.now()?;
        who.check_validity(now).map(|()| now)
    }

    /// What became of what was asked for.
    fn answered(
        &self,
        asking: Asking<'_>,
        answer: Result<Grant, Denial>,
        wanted: Wanted,
        (who, tool): (&Identity, Option<&str>),
    ) -> Result<Presented<'_>, Denial> {
        if let (Err(denial), Wanted::Renewed(grant)) = (&answer, wanted)
            && denial.pending().is_some()
        {
            // People are asked, and it is as it was meanwhile.
            self.state.lock().presenting += 1;
            drop(asking);
            return Ok(Presented { kept: self, grant });
        }
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
        let others =
            |state: &mut State| state.asking.is_some_and(|asking| asking != Asker::Thread(own));
        self.answered.wait_while_for(&mut state, others, MOST_WAIT);
        state.next_step(now, Asker::Thread(own))
    }

    /// As [`next_step`](Self::next_step): it is looked at again whenever what others ask for is answered.
    fn poll_next_step(&self, now: Timestamp, waker: &Waker) -> Poll<Result<Step, Denial>> {
        let own = thread::current().id();
        let mut state = self.state.lock();
        match state.asking {
            Some(asking) if asking != Asker::Thread(own) => {
                if !state.waiting.iter().any(|other| other.will_wake(waker)) {
                    state.waiting.push(waker.clone());
                }
                Poll::Pending
            }
            _ => Poll::Ready(state.next_step(now, Asker::Future)),
        }
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

    async fn ask_async(&self, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        let wanted = self.wanted.clone();
        match &self.errand {
            Errand::Own(task) => task.request_for_async(who, wanted, context).await,
            Errand::Delegated(from) => {
                let parent = from.state.lock().grant.clone().ok_or_else(over)?;
                from.task().delegate_async(&parent, who, wanted, context).await
            }
        }
    }

    fn renew(&self, grant: &Grant, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        let mut renewed = grant.to_renew();
        self.task().renew(&mut renewed, who, context)?;
        Ok(renewed)
    }

    async fn renew_async(
        &self,
        grant: &Grant,
        who: &Identity,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let mut renewed = grant.to_renew();
        self.task().renew_async(&mut renewed, who, context).await?;
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
            Some(row) => row.is_past(self.shared.as_of(now)),
            // Of a task that is over none is known: that is no reason to ask again.
            None => life.gone(self.id).reason() == Reason::Expired,
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
