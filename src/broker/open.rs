//! Opening a task.

use std::sync::Arc;

use super::Broker;
use super::changes::Change;
use super::retire::End;
use super::shared::{Recorded, Shared, Unrecorded};
use super::task::Task;
use crate::audit::{DeniedQuestion, Event, How, Place, Stage};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::purpose::{CheckedPurpose, Purpose};
use crate::sync::{Condvar, Mutex};
use crate::task::{Life, MAX_TASK_NAME, Requester, TaskCell, check_task_name};
use crate::token::MAX_NAME;
use crate::visible::cut;

/// A token carries the name of its task.
const _: () = assert!(MAX_TASK_NAME <= MAX_NAME);

impl Broker {
    /// Opens a task for `who`, under a name of its own: `task-` and its generation, with a random ending if
    /// another task was given that name. It holds nothing yet.
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
        self.open_as(&format!("task-{generation}"), Naming::Own, generation, who, purpose)
    }

    /// Opens a task under a given name, which no live task may have: 1 to 255 visible ASCII
    /// characters.
    ///
    /// # Errors
    /// As [`open`](Broker::open), and [`Reason::TaskNameTaken`]; [`Reason::MalformedPurpose`] of a name
    /// that is none.
    pub fn open_named(&self, name: &str, who: &Identity, purpose: Purpose) -> Result<Task, Denial> {
        let generation = self.shared.table.next_generation();
        self.open_as(name, Naming::Given, generation, who, purpose)
    }

    fn open_as(
        &self,
        name: &str,
        naming: Naming,
        generation: u64,
        who: &Identity,
        purpose: Purpose,
    ) -> Result<Task, Denial> {
        let shared = &self.shared;
        let now = shared.now();
        let at = *now.as_ref().unwrap_or(&shared.keeper.latest());
        let opened =
            now.and_then(|now| open(shared, (name, naming), generation, who, purpose, now));
        opened.inspect_err(|denial| {
            let question = DeniedQuestion {
                task: Some(cut(name, MAX_TASK_NAME)),
                who: Some(who.subject().as_str()),
                ..DeniedQuestion::at(Stage::Open)
            };
            shared.refuse(at, denial, question);
            shared.trip(who, denial, at);
        })
    }
}

/// Who named a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Given,
    /// The broker did: where somebody has given that name to another task, it takes another.
    Own,
}

fn open(
    shared: &Arc<Shared>,
    (name, naming): (&str, Naming),
    generation: u64,
    who: &Identity,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Task, Denial> {
    shared.member.check_open()?;
    shared.attested(who, now)?;
    let purpose =
        purpose.check().map_err(|error| Denial::new(Reason::MalformedPurpose).because(error))?;
    check_task_name(name).map_err(|fault| {
        Denial::new(Reason::MalformedPurpose).because(format_args!("task name {fault}"))
    })?;
    let ceiling = now
        .checked_add(shared.settings.ceiling)
        .ok_or_else(|| Denial::new(Reason::ClockUnreadable).because("the end of time is near"))?;
    let purpose = shared.share_purpose(purpose);
    let named = |name: &str| {
        Arc::new(TaskCell {
            name: name.into(),
            generation,
            requester: Requester::of(who.clone()),
            purpose: purpose.clone(),
            ceiling,
            life: Mutex::new(Life::default()),
            call_done: Condvar::new(),
        })
    };
    let mut cell = named(name);
    if let Some(halt) = shared.halts.stopping(&cell, [who], None, now) {
        return Err(Denial::new(Reason::Halted).because(halt));
    }
    shared.sweep_at_open();
    let place = match insert(shared, &cell, now, &opened(&cell)) {
        Err(taken) if naming == Naming::Own && taken.reason() == Reason::TaskNameTaken => {
            let random = GrantId::random()
                .map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;
            cell = named(&format!("{name}-{random}"));
            insert(shared, &cell, now, &opened(&cell))?
        }
        placed => placed?,
    };
    // Recorded before anyone has the handle; a refusal takes the task back.
    if let Err(Unrecorded { denial, end }) = shared.settle(place) {
        shared.take_back(&cell, DROPPED, end);
        return Err(denial);
    }
    // It may have been let in before the node began to drain, and be there only after what is open was ended.
    if let Err(denial) = shared.member.check_open() {
        let _ = shared.end(&cell, DROPPED);
        return Err(denial);
    }
    if cell.life.lock().over.is_some() {
        return Err(Denial::new(Reason::TaskOver).because("it was ended while it was opened"));
    }
    Ok(Task { shared: shared.clone(), cell })
}

fn opened(cell: &TaskCell) -> Event<'_> {
    let who: &Identity = &cell.requester;
    Event::Opened {
        task: (&*cell.name).into(),
        generation: cell.generation,
        who: who.subject().as_str().into(),
        who_kind: who.kind().as_str().into(),
        acts_for: who.acts_for().iter().map(|actor| actor.subject.as_str().into()).collect(),
        purpose: cell.purpose.name().into(),
        ticket: cell.purpose.ticket().map(Into::into),
        intent: cell.purpose.intent().map(Into::into),
        ceiling: cell.ceiling,
    }
}

/// How a task ends that was never handed out.
pub(super) const DROPPED: End<'static> = End::Task { how: How::Dropped, reason: None };

/// Takes the name, together with the record's place: a thread that finds the task by its name finds it opened
/// in the log. A task that has reached its ceiling gives the name up.
fn insert(
    shared: &Arc<Shared>,
    cell: &Arc<TaskCell>,
    now: Timestamp,
    event: &Event<'_>,
) -> Result<Place, Denial> {
    if let Some(other) = shared.table.task_named(&cell.name)
        && now >= other.ceiling
    {
        // Another thread may have ended it meanwhile.
        let _ = shared.end(&other, End::Task { how: How::Ceiling, reason: None });
    }
    // What ends this task by its name waits here until it has its place.
    let mut life = cell.life.lock();
    shared.table.insert(cell).map_err(|_| {
        Denial::new(Reason::TaskNameTaken)
            .because(format_args!("a task named `{}` is live", cell.name))
    })?;
    let changing = shared.changes.change();
    let placed = shared.place(now, event);
    match &placed {
        Ok(place) => changing.has_begun(place.seq(), Change::Opened(cell.generation)),
        Err(_) => drop(changing),
    }
    if placed.is_err() {
        shared.retire(cell, &mut life, DROPPED, now, Recorded::NeverGiven);
    }
    placed
}

impl Shared {
    /// Purposes without a ticket or words are the same for many tasks.
    fn share_purpose(&self, purpose: CheckedPurpose) -> Arc<CheckedPurpose> {
        match (purpose.ticket(), purpose.intent()) {
            (None, None) => self.purposes.share(purpose),
            _ => Arc::new(purpose),
        }
    }
}
