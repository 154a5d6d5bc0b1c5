//! Taking up a task again that was open when an earlier life of the broker ended.

use super::Broker;
use super::open::DROPPED;
use super::shared::{Recorded, Unrecorded};
use super::task::Task;
use crate::audit::{DeniedQuestion, Event, Stage};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::task::MAX_TASK_NAME;
use crate::visible::cut;

impl Broker {
    /// Takes up again a task of an earlier life of this broker, in which people had been asked something that they may
    /// still answer, or whose yes was not used.
    ///
    /// Only a broker that goes on with the log ([`resume_from`](crate::BrokerBuilder::resume_from)) knows such tasks, and
    /// nothing else takes one up: opening a task of that name does not. It is the same task, under its ceiling, with its
    /// questions, with what it has spent of its limits and with its history. It holds nothing: grants, tokens and
    /// permits of before are gone, so that grants are requested anew, of today's rules. It ends as every task does. One
    /// that is not taken up ends once nothing more can come of its questions.
    ///
    /// # Errors
    /// A [`Denial`], as of [`open`](Broker::open); and [`Reason::TaskOver`] where no task of this name was left open,
    /// [`Reason::TaskNameTaken`] where it was taken up already, or another is live under that name, and
    /// [`Reason::NotTheHolder`] of anybody else than who had opened it, of the same kind and for the same people.
    pub fn resume(&self, name: &str, who: &Identity) -> Result<Task, Denial> {
        let now = self.shared.now();
        let at = *now.as_ref().unwrap_or(&self.shared.keeper.latest());
        let resumed = now.and_then(|now| self.take_task(name, who, now));
        resumed.inspect_err(|denial| {
            let question = DeniedQuestion {
                task: Some(cut(name, MAX_TASK_NAME)),
                who: Some(who.subject().as_str()),
                ..DeniedQuestion::at(Stage::Open)
            };
            self.shared.refuse(at, denial, question);
            self.shared.trip(who, denial, at);
        })
    }

    fn take_task(&self, name: &str, who: &Identity, now: Timestamp) -> Result<Task, Denial> {
        let shared = &self.shared;
        shared.attested(who, now)?;
        let no_task = || {
            Denial::new(Reason::TaskOver)
                .because("no task of this name was left open by an earlier life of the broker")
        };
        let cell = shared.table.task_named(name).ok_or_else(no_task)?;
        if let Some(halt) = shared.halts.stopping(&cell, [who], None, now) {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        if life.over.is_some() || now >= cell.ceiling {
            return Err(no_task());
        }
        if !life.questions().is_some_and(|own| own.is_dormant()) {
            return Err(Denial::new(Reason::TaskNameTaken)
                .because(format_args!("the task `{}` is live, and somebody has it", cell.name)));
        }
        let opened = &cell.requester;
        let is_theirs = opened.subject() == who.subject()
            && opened.kind() == who.kind()
            && opened.acts_for() == who.acts_for();
        if !is_theirs {
            return Err(Denial::new(Reason::NotTheHolder)
                .because("the task was opened by somebody else, or for somebody else"));
        }
        let event = Event::TaskResumed {
            task: (&*cell.name).into(),
            generation: cell.generation,
            who: who.subject().as_str().into(),
        };
        let place = shared.place(now, &event)?;
        // Taken from here on, so that of two only one has it.
        life.questions_mut().note_dormant(false);
        drop(life);
        if let Err(Unrecorded { denial, end }) = shared.settle(place) {
            match end {
                // The log says that it was taken up, so it can't be again.
                Recorded::Yes => shared.take_back(&cell, DROPPED, end),
                Recorded::NeverGiven => cell.life.lock().questions_mut().note_dormant(true),
            }
            return Err(denial);
        }
        cell.requester.resume(who.clone());
        if cell.life.lock().over.is_some() {
            return Err(Denial::new(Reason::TaskOver).because("it was ended while it was resumed"));
        }
        Ok(Task { shared: shared.clone(), cell })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::How;
    use crate::prelude::*;

    /// One that ends between being found and being taken was not taken up, and the log does not say that it was.
    #[test]
    fn a_task_that_has_ended_before_it_leaves_the_table_is_not_recorded_as_resumed() {
        let broker = Broker::new(Policy::builder().build().unwrap()).unwrap();
        let payer = broker.assert_identity("payer").unwrap();
        let task = broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
        task.cell.life.lock().questions_mut().note_dormant(true);
        task.cell.life.lock().over = Some(How::Interrupted);
        assert_eq!(broker.resume("bills", &payer).unwrap_err().reason(), Reason::TaskOver);
        assert_eq!(broker.flush(), 0);
        let records = broker.log().unwrap().records();
        let resumed = |event: &Event<'_>| matches!(event, Event::TaskResumed { .. });
        assert!(!records.iter().any(|record| resumed(&record.event)));
    }
}
