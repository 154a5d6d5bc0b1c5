//! Opening a task, and ending it.

use std::sync::Arc;
use std::time::Duration;

use super::Broker;
use super::shared::Shared;
use crate::audit::{Event, How, Stage};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{Life, TaskCell};
use crate::identity::Identity;
use crate::purpose::{CheckedPurpose, Purpose};
use crate::sync::{Condvar, Mutex};
use crate::text::{SHOWN, cut, escape_for_people};
use crate::token::MAX_NAME;

/// A task: the unit of authority. It starts with no access, and ending it ends all that it got.
///
/// Ended by name ([`complete`](Task::complete), [`fail`](Task::fail), [`revoke`](Task::revoke)), or
/// by being dropped, be it through `?`, a panic or a cancelled future: the end is the same. Dropping
/// it neither waits for a slow log nor unwinds. A task that is leaked instead ends at its ceiling.
///
/// ```compile_fail,E0277
/// # use hallpass::Task;
/// fn copy<T: Clone>() {}
/// copy::<Task>();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::Task;
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Task>();
/// ```
/// ```compile_fail,E0451
/// # use hallpass::Task;
/// fn forge(task: Task) -> Task {
///     Task { ..task }
/// }
/// ```
/// ```compile_fail,E0382
/// # use hallpass::Task;
/// fn twice(task: Task) {
///     task.complete();
///     task.complete();
/// }
/// ```
/// ```
/// # use hallpass::{Gate, Task};
/// fn copy<T: Clone>() {}
/// copy::<Gate>();
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<String>();
/// fn once(task: Task) -> u64 {
///     let generation = task.generation();
///     task.complete();
///     generation
/// }
/// ```
#[must_use = "a task that is dropped has ended, and every grant with it"]
pub struct Task {
    pub(super) shared: Arc<Shared>,
    pub(super) cell: Arc<TaskCell>,
}

/// How many bytes of the reason for which a task failed the log keeps: as many as of a purpose's intent.
const MAX_FAIL_REASON: usize = 4096;

/// What an end found: which calls were running and will have their outcome recorded later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The numbers, in the log, of the permits whose calls were running.
    pub running: Vec<u64>,
}

impl Broker {
    /// Opens a task for `who`, under a name of its own. It holds nothing yet.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open(&agent, Purpose::new("pay-bill").ticket("INV-1203"))?;
    /// task.complete();
    /// assert!(broker.standing().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A [`Denial`]: the purpose is not well formed, another broker attested the identity, the clock
    /// can't be read, or the log refuses the record.
    pub fn open(&self, who: &Identity, purpose: Purpose) -> Result<Task, Denial> {
        let generation = self.shared.table.next_generation();
        self.open_as(&format!("task-{generation}"), generation, who, purpose)
    }

    /// Opens a task under a given name, which no live task may have: 1 to 255 visible ASCII
    /// characters.
    ///
    /// # Errors
    /// As [`open`](Broker::open), and [`Reason::TaskNameTaken`]; [`Reason::MalformedPurpose`] of a name
    /// that is none.
    pub fn open_named(&self, name: &str, who: &Identity, purpose: Purpose) -> Result<Task, Denial> {
        let generation = self.shared.table.next_generation();
        self.open_as(name, generation, who, purpose)
    }

    fn open_as(
        &self,
        name: &str,
        generation: u64,
        who: &Identity,
        purpose: Purpose,
    ) -> Result<Task, Denial> {
        let shared = &self.shared;
        let now = shared.now();
        let at = *now.as_ref().unwrap_or(&shared.keeper.latest());
        let opened = now.and_then(|now| open(shared, name, generation, who, purpose, now));
        opened.inspect_err(|denial| {
            let subject = who.subject().as_str();
            shared.record_denial(
                at,
                denial,
                Event::Denied {
                    stage: Stage::Open,
                    task: Some(cut(name, MAX_NAME)),
                    generation: None,
                    grant: None,
                    who: Some(subject.into()),
                    tool: None,
                    args: None,
                    code: denial.code().as_str().into(),
                    reason: denial.reason().as_str().into(),
                    rules: Vec::new(),
                    epoch: None,
                },
            );
        })
    }
}

fn open(
    shared: &Arc<Shared>,
    name: &str,
    generation: u64,
    who: &Identity,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Task, Denial> {
    shared.attested(who)?;
    let purpose =
        purpose.check().map_err(|error| Denial::new(Reason::MalformedPurpose).because(error))?;
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Denial::new(Reason::MalformedPurpose).because(format_args!(
            "`{}` is no task name: expected 1 to {MAX_NAME} visible ASCII characters",
            escape_for_people(name, SHOWN)
        )));
    }
    let ceiling = now
        .checked_add(shared.settings.ceiling)
        .ok_or_else(|| Denial::new(Reason::ClockUnreadable).because("the end of time is near"))?;
    let cell = Arc::new(TaskCell {
        name: name.into(),
        generation,
        requester: who.share(),
        purpose: shared.share_purpose(purpose),
        ceiling,
        life: Mutex::new(Life::default()),
        call_done: Condvar::new(),
    });
    if let Some(halt) = shared.halts.stopping(&cell, &[who], None) {
        return Err(Denial::new(Reason::Halted).because(halt));
    }
    shared.sweep_at_open();
    insert(shared, &cell, now)?;
    // Recorded before anyone has the handle; a refusal takes the task back.
    let event = Event::Opened {
        task: name.into(),
        generation,
        who: who.subject().as_str().into(),
        who_kind: who.kind().as_str().into(),
        acts_for: who.acts_for().iter().map(|actor| actor.subject.as_str().into()).collect(),
        purpose: cell.purpose.name().into(),
        ticket: cell.purpose.ticket().map(Into::into),
        intent: cell.purpose.intent().map(Into::into),
        ceiling,
    };
    let recorded = shared.place(now, &event).and_then(|place| shared.settle(place));
    if let Err(denial) = recorded {
        cell.life.lock().end(How::Dropped);
        shared.forget(&cell);
        return Err(denial);
    }
    Ok(Task { shared: shared.clone(), cell })
}

/// Takes the name; a task that has reached its ceiling gives it up.
fn insert(shared: &Arc<Shared>, cell: &Arc<TaskCell>, now: Timestamp) -> Result<(), Denial> {
    let taken = || {
        Denial::new(Reason::TaskNameTaken)
            .because(format_args!("a task named `{}` is live", cell.name))
    };
    match shared.table.insert(cell) {
        Ok(()) => Ok(()),
        Err(other) if now >= other.ceiling || other.life.lock().over.is_some() => {
            shared.end(&other, How::Ceiling, None);
            // Somebody else may have ended it, and not taken it out of the table yet.
            shared.forget(&other);
            shared.table.insert(cell).map_err(|_| taken())
        }
        Err(_) => Err(taken()),
    }
}

impl Task {
    /// The task's name.
    pub fn name(&self) -> &str {
        &self.cell.name
    }

    /// Which opening this is: a broker-wide number, never used twice.
    pub fn generation(&self) -> u64 {
        self.cell.generation
    }

    /// No grant of the task lives at this instant or later, whatever is renewed.
    pub fn ceiling(&self) -> Timestamp {
        self.cell.ceiling
    }

    /// The errand is done: everything ends. Final when it returns.
    pub fn complete(self) -> Ended {
        self.end(How::Completed, None)
    }

    /// The errand failed, for a reason that the log keeps: everything ends. An end is never refused, so
    /// of a reason of more than 4,096 bytes the beginning is kept, and ends in `…`.
    pub fn fail(self, reason: &str) -> Ended {
        self.end(How::Failed, Some(reason))
    }

    /// As [`complete`](Task::complete), and then waits until the calls that were running are done, or
    /// for `most` at the longest. What is still running then is in the answer.
    pub fn complete_and_wait(self, most: Duration) -> Ended {
        self.shared.end(&self.cell, How::Completed, None);
        Ended { running: self.cell.wait_for_running(most) }
    }

    /// The task is taken away: everything ends.
    pub fn revoke(self) -> Ended {
        self.end(How::Revoked, None)
    }

    fn end(self, how: How, reason: Option<&str>) -> Ended {
        // Dropping `self` afterwards finds the task over and does nothing.
        self.shared.end(&self.cell, how, reason)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.shared.end_without_waiting(&self.cell, How::Dropped);
    }
}

impl Shared {
    /// Purposes without a ticket or words are the same for many tasks.
    fn share_purpose(&self, purpose: CheckedPurpose) -> Arc<CheckedPurpose> {
        match (purpose.ticket(), purpose.intent()) {
            (None, None) => self.purposes.share(purpose),
            _ => Arc::new(purpose),
        }
    }

    /// Ends a task, once. Nothing of it starts after this returns; the record is owed if the log
    /// refuses it.
    pub(super) fn end(&self, cell: &TaskCell, how: How, reason: Option<&str>) -> Ended {
        let Some((running, place)) = self.end_in_table(cell, how, reason) else {
            return Ended::default();
        };
        if let Some(place) = place {
            self.journal.owe(place);
        }
        Ended { running }
    }

    fn end_without_waiting(&self, cell: &TaskCell, how: How) {
        if let Some((_, Some(place))) = self.end_in_table(cell, how, None) {
            self.journal.owe_without_waiting(place);
        }
    }

    /// The end itself: under the task's lock, with its place in the sequence.
    fn end_in_table(
        &self,
        cell: &TaskCell,
        how: How,
        reason: Option<&str>,
    ) -> Option<(Vec<u64>, Option<crate::audit::Place>)> {
        // An end goes through whatever the clock does.
        let at = self.keeper.now().unwrap_or_else(|_| self.keeper.latest());
        let mut life = cell.life.lock();
        let (running, grants) = life.end(how)?;
        let event = Event::Ended {
            task: (&*cell.name).into(),
            generation: cell.generation,
            how,
            reason: reason.map(|reason| cut(reason, MAX_FAIL_REASON)),
            running: running.clone(),
        };
        let place = self.place(at, &event).ok();
        drop(life);
        self.forget(cell);
        self.bury(grants);
        Some((running, place))
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.cell.name)
            .field("generation", &self.cell.generation)
            .finish_non_exhaustive()
    }
}
