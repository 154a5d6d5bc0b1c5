//! Amending: somebody who may answer ends a question, and another one is asked in its place.

use std::sync::Arc;

use super::call_request::{CallRequest, Digested};
use super::current::Current;
use super::eligible::Electorate;
use super::judge::{CallInputs, WithheldCall};
use super::not_counted::NotCounted;
use super::parking::{QuestionDraft, Unasked};
use super::presented::PresentedGrant;
use super::reviews::{Question, Reviews};
use super::shared::Shared;
use crate::audit::{AnswerGiven, Answered, Event};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::policy::Catalogue;
use crate::sync::Apart;
use crate::task::{Amendment, Life, OpenQuestion, OtherCalls, QuestionState, Subject, TaskCell};
use crate::value::{Digest, PackedObject};

impl Reviews {
    /// Somebody who may review a call that waits makes another one of it: that question is over, and another is
    /// asked in its place, by the same asker. It has a view of its own, which shows what was changed, and waits for
    /// the same rules and those that act on the amended call.
    ///
    /// The amended call has to be permitted like any other, with a live grant of who asked. Who amended it takes part
    /// in it from then on, and can't answer. The asker finds it by [`Pending::amended`](crate::Pending::amended); what
    /// it held before never runs the amended call.
    ///
    /// # Errors
    /// As [`approve`](Reviews::approve); [`NotCounted::NotACall`] of a scope; and [`NotCounted::NotPermitted`], with
    /// the reason of the denial. The question stays then.
    pub fn amend(
        &self,
        question: &Question,
        who: &Identity,
        shown: &Digest,
        call: Call,
    ) -> Result<Question, NotCounted> {
        let shared = self.of(question)?;
        let amended = shared.amend(&self.shared, &question.open, (who, shown), &call)?;
        Ok(Question { shared: self.shared.clone(), open: amended })
    }
}

impl Shared {
    fn amend(
        &self,
        owner: &Arc<Apart<Arc<Shared>>>,
        open: &Arc<OpenQuestion>,
        (who, shown): (&Identity, &Digest),
        call: &Call,
    ) -> Result<Arc<OpenQuestion>, NotCounted> {
        let now = self.time_of_answer()?;
        let current = self.current();
        let Some(cell) = self.table.task(open.generation) else {
            return Err(NotCounted::NotWaiting(open.state_at(now)));
        };
        let mut life = cell.life.lock();
        let now = self.as_of(now);
        self.refresh(&current, open, now);
        let amended =
            self.check_amendable(&current, open, (&cell, &life), (who, shown), now).and_then(
                |()| self.ask_amended(owner, &current, &cell, &mut life, open, who, call, now),
            );
        if let Ok(amended) = &amended {
            open.amend_to(amended.clone());
            self.docket.settle(open);
            self.watchers.note_end(open.generation);
            self.announce(open, QuestionState::Amended);
        }
        let event = Event::Answered(AnswerGiven {
            task: (&*open.task).into(),
            generation: open.generation,
            question: open.id.text().as_str().to_owned().into(),
            who: Some(who.subject().as_str().into()),
            answer: Answered::Amend,
            shown: Some(shown.to_string().into()),
            items: Vec::new(),
            given: Vec::new(),
            width: None,
            refused: amended.as_ref().err().map(|refused| refused.as_str().into()),
            reason: None,
            state: open.state_at(now).as_str().into(),
            good_until: None,
            sealed: None,
            break_glass: open.break_glass,
        });
        self.record(now, &event);
        drop(life);
        drop(current);
        self.watchers.wake_due();
        match amended {
            Ok(_) => self.write_through(),
            Err(_) => self.journal.write_if_many(),
        }
        amended
    }

    fn check_amendable(
        &self,
        current: &Current,
        open: &OpenQuestion,
        (cell, life): (&TaskCell, &Life),
        (who, shown): (&Identity, &Digest),
        now: Timestamp,
    ) -> Result<(), NotCounted> {
        self.check_answerer(who, now)?;
        if open.plan().is_some() {
            return Err(NotCounted::NotACall);
        }
        let waits = open.awaits(now);
        let electorate = Electorate::of(current, open, life, &[&cell.requester]);
        if waits && !electorate.may_review(who) {
            return Err(NotCounted::NotEligible);
        }
        match waits {
            false => Err(NotCounted::NotWaiting(open.state_at(now))),
            true if *shown != open.view().digest() => Err(NotCounted::StaleView),
            true => Ok(()),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is of one moment")]
    fn ask_amended(
        &self,
        owner: &Arc<Apart<Arc<Shared>>>,
        current: &Current,
        cell: &Arc<TaskCell>,
        life: &mut Life,
        open: &OpenQuestion,
        who: &Identity,
        call: &Call,
        now: Timestamp,
    ) -> Result<Arc<OpenQuestion>, NotCounted> {
        let refused = |denial: &Denial| NotCounted::NotPermitted(denial.reason());
        let Subject::Call { call: before, context: stated, .. } = &open.subject else {
            return Err(NotCounted::NotACall);
        };
        let context = stated.unpack().map(Context::from);
        let context = context.ok_or(NotCounted::NotPermitted(Reason::MalformedContext))?;
        let listed = current.policy.catalogue.get(call.tool());
        let listed = listed.ok_or_else(|| refused(&Catalogue::unknown(call.tool())))?;
        let canonical = listed.typed.canonical_call(call).map_err(|denial| refused(&denial))?;
        let request = CallRequest {
            shared: self,
            owner,
            text: "",
            caller: &open.holder,
            call: canonical.as_ref().unwrap_or(call),
            made: call,
            context: &context,
            now,
            digested: &Digested::default(),
            redeeming: None,
        };
        // Any grant of the asker will do; which one is presented is seen when it is redeemed.
        let theirs = life.grants.iter().filter(|row| {
            open.is_asked_by(&row.holder) && life.is_of_glass(row.id) == open.break_glass
        });
        let mut weighed = Err(NotCounted::NotPermitted(Reason::UnknownGrant));
        for row in theirs {
            let presented = PresentedGrant {
                cell: cell.clone(),
                grant: row.id,
                serial: row.serial,
                narrowings: Vec::new(),
                refusing: None,
                until: None,
                once: None,
            };
            let inputs = CallInputs::of(request, current, &presented, (listed, false));
            weighed = inputs.and_then(|own| own.weigh(life)).map_err(|denial| refused(&denial));
            if weighed.is_ok() {
                break;
            }
        }
        let WithheldCall { mut asks, permits } = weighed?;
        // What was asked about is not got by with a change of it.
        let places = open.binding.asks.iter().filter_map(|ask| current.policy.place_of(&ask.id));
        asks.join(&places.collect());
        let earlier = open.amended().map_or(&[][..], |own| &own.by);
        let by = earlier.iter().chain([who]).cloned().collect();
        let parties = open.parties().iter().chain([who]).cloned().collect();
        let amendment = Amendment { before: before.clone(), amends: open.id, by };
        let draft = QuestionDraft {
            cell,
            holder: &open.holder,
            parties,
            subject: Subject::Call {
                call: request.call.clone(),
                context: PackedObject::of(context.checked().map_err(|error| {
                    refused(&Denial::new(Reason::MalformedContext).because(error))
                })?),
                other: OtherCalls::of(
                    (request.call != call).then(|| call.clone()),
                    Some(amendment),
                ),
            },
            listed: listed.digest,
            asks: &asks,
            permits: &permits,
            args: Some(request.arguments(current, request.call).text()),
            break_glass: open.break_glass,
        };
        self.find_or_park(current, life, draft, now).map_err(|why| {
            NotCounted::NotPermitted(match why {
                Unasked::Because(_) => Reason::ApprovalRequired,
                Unasked::Full(..) => Reason::TooMany,
                Unasked::Denied(denial) => denial.reason(),
            })
        })
    }
}
