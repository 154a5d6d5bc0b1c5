//! The reviewers' handle: what waits for people, and what they say to it.

use std::sync::Arc;

use super::Broker;
use super::eligible::Electorate;
use super::shared::Shared;
use crate::approval::view::View;
use crate::audit::{Answered, Event};
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::{COOL_DOWN, Width};
use crate::sync::Apart;
use crate::task::{Life, OpenQuestion, QuestionState};
use crate::value::Digest;
use crate::visible::cut;

/// How many bytes of the reason of a no the log keeps.
const MAX_REASON: usize = 4096;

/// The reviewers' handle: lists questions, and takes the answers of people that the host has authenticated.
///
/// Agents never hold it: it is another type than what they are given, and nothing of theirs leads to it.
///
/// ```compile_fail,E0599
/// # use hallpass::prelude::*;
/// fn agent_answers(gate: Gate) {
///     let _ = gate.reviews();
/// }
/// ```
/// ```compile_fail,E0061
/// # use hallpass::prelude::*;
/// # use hallpass::{Question, Reviews};
/// fn unseen(reviews: Reviews, question: &Question, ada: &Identity) {
///     let _ = reviews.approve(question, ada); // without what was shown
/// }
/// ```
/// ```
/// # use hallpass::prelude::*;
/// # use hallpass::{Question, Reviews};
/// fn host_answers(broker: Broker) {
///     let _ = broker.reviews();
/// }
/// # use hallpass::policy::Width;
/// fn seen(reviews: Reviews, question: &Question, ada: &Identity) {
///     let _ = reviews.approve(question, ada, &question.view().digest(), Width::CALL);
/// }
/// ```
#[derive(Clone)]
pub struct Reviews {
    shared: Arc<Apart<Arc<Shared>>>,
}

/// A question, as reviewers hold it.
#[derive(Clone)]
pub struct Question {
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
    pub(super) open: Arc<OpenQuestion>,
}

/// Where a question stands, and how many of the people asked for have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Where it stands.
    pub state: QuestionState,
    /// How many places are filled by distinct people.
    pub have: u32,
    /// How many there are.
    pub need: u32,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCounted {
    /// Another broker asked the question.
    #[error("another broker asked the question")]
    ForeignQuestion,
    /// Another broker attested the identity.
    #[error("another broker attested who answers")]
    ForeignIdentity,
    /// What vouched for the identity is over.
    #[error("what vouched for who answers is over: attest the identity anew")]
    IdentityExpired,
    /// The identity is halted.
    #[error("who answers is halted")]
    Halted,
    /// The rules do not say that this person may answer: no line describes them, or they take part in what
    /// they would approve.
    #[error(
        "who answers may not: no line of reviewers describes them, or they are a party to the call"
    )]
    NotEligible,
    /// What was shown is not what the question shows.
    #[error("what was shown is not what the question shows: look at it again")]
    StaleView,
    /// The yes would reach further than is offered.
    #[error("the width is not offered")]
    NotOffered,
    /// It is settled.
    #[error("the question is {0}, expected one that waits")]
    NotWaiting(QuestionState),
    /// The clock can't be read.
    #[error("the clock can't be read")]
    ClockUnreadable,
}

impl NotCounted {
    /// The word of records and traces.
    pub const fn as_str(&self) -> &'static str {
        match self {
            NotCounted::ForeignQuestion => "foreign_question",
            NotCounted::ForeignIdentity => "foreign_identity",
            NotCounted::IdentityExpired => "identity_expired",
            NotCounted::Halted => "halted",
            NotCounted::NotEligible => "not_eligible",
            NotCounted::StaleView => "stale_view",
            NotCounted::NotOffered => "not_offered",
            NotCounted::NotWaiting(_) => "not_waiting",
            NotCounted::ClockUnreadable => "clock_unreadable",
        }
    }
}

impl Broker {
    /// The reviewers' handle. It is never an agent's: anyone who holds it answers for the people that
    /// the host says it is.
    pub fn reviews(&self) -> Reviews {
        Reviews { shared: Arc::new(Apart(self.shared.clone())) }
    }
}

impl Reviews {
    /// The questions that wait and that this person may answer, the oldest first.
    pub fn list(&self, of: &Identity) -> Vec<Question> {
        let shared = &self.shared;
        let now = shared.time_of_end();
        if shared.attested(of, now).is_err() || shared.halts.stop(of, now) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for open in shared.docket.all() {
            let current = shared.current();
            let Some(cell) = shared.table.task(open.generation) else { continue };
            let life = cell.life.lock();
            if !shared.refresh(&current, &open, shared.as_of(now)).is_waiting() {
                continue;
            }
            let electorate = Electorate::of(&current, &open, &life, &[]);
            if electorate.may_review(of) || electorate.may_confirm(of) {
                found.push(self.question(open.clone()));
            }
        }
        found
    }

    /// The question of this id. Its text finds it, and says nothing else that is believed.
    pub fn open(&self, id: &str) -> Option<Question> {
        Some(self.question(self.shared.docket.find(id)?))
    }

    /// Somebody who may review says yes to what was shown: `shown` is the digest of the
    /// [view](Question::view) that was rendered, so that a page that is out of date approves nothing. `width` is
    /// how far the yes reaches: [`Width::CALL`], and as yet no other.
    ///
    /// # Errors
    /// [`NotCounted`] says why the answer does not count.
    pub fn approve(
        &self,
        question: &Question,
        who: &Identity,
        shown: &Digest,
        width: Width,
    ) -> Result<Tally, NotCounted> {
        if width != Width::CALL {
            return Err(NotCounted::NotOffered);
        }
        self.of(question)?.answer(&question.open, Some(who), Some(shown), Answered::Approve, None)
    }

    /// The human whom the asker acts for says yes. It is no review, and a review is no confirmation.
    ///
    /// # Errors
    /// As [`approve`](Reviews::approve).
    pub fn confirm(
        &self,
        question: &Question,
        who: &Identity,
        shown: &Digest,
    ) -> Result<Tally, NotCounted> {
        self.of(question)?.answer(&question.open, Some(who), Some(shown), Answered::Confirm, None)
    }

    /// Somebody who may answer says no, which is final. After the yes it takes that back, as long as the call has
    /// not started.
    ///
    /// # Errors
    /// As [`approve`](Reviews::approve).
    pub fn deny(
        &self,
        question: &Question,
        who: &Identity,
        why: &str,
    ) -> Result<Tally, NotCounted> {
        self.of(question)?.answer(&question.open, Some(who), None, Answered::Deny, Some(why))
    }

    /// An operator takes the question back.
    ///
    /// # Errors
    /// [`NotCounted::NotWaiting`] if it does not wait any more.
    pub fn cancel(&self, question: &Question) -> Result<Tally, NotCounted> {
        self.of(question)?.answer(&question.open, None, None, Answered::Cancel, None)
    }

    /// The broker, if it asked the question: tasks are numbered alike in every broker, and another one's people
    /// do not answer.
    fn of(&self, question: &Question) -> Result<&Shared, NotCounted> {
        match question.shared.id == self.shared.id {
            true => Ok(&self.shared),
            false => Err(NotCounted::ForeignQuestion),
        }
    }

    fn question(&self, open: Arc<OpenQuestion>) -> Question {
        Question { shared: self.shared.clone(), open }
    }
}

impl Question {
    /// The id, as the log names it.
    pub fn id(&self) -> String {
        self.open.id.text().as_str().to_owned()
    }

    /// What people are asked to agree to: exactly this, and nothing that the asker says of it.
    pub fn view(&self) -> &View {
        self.open.view()
    }

    /// Where it stands.
    pub fn state(&self) -> QuestionState {
        self.shared.look_at(&self.open)
    }

    /// Until when it can be answered.
    pub fn expires(&self) -> Timestamp {
        self.open.expires
    }
}

impl Shared {
    /// Where a question stands now.
    pub(super) fn look_at(&self, open: &OpenQuestion) -> QuestionState {
        let now = self.time_of_end();
        let current = self.current();
        match self.table.task(open.generation) {
            Some(cell) => {
                let _life = cell.life.lock();
                self.refresh(&current, open, self.as_of(now))
            }
            None => open.state_at(now),
        }
    }

    /// Takes an answer, and records it. An answer that does not count is recorded as that.
    pub(super) fn answer(
        &self,
        open: &Arc<OpenQuestion>,
        who: Option<&Identity>,
        shown: Option<&Digest>,
        answer: Answered,
        why: Option<&str>,
    ) -> Result<Tally, NotCounted> {
        let now = self.now().map_err(|_| NotCounted::ClockUnreadable)?;
        let current = self.current();
        let Some(cell) = self.table.task(open.generation) else {
            return Err(NotCounted::NotWaiting(open.state_at(now)));
        };
        let mut life = cell.life.lock();
        let now = self.as_of(now);
        let electorate = Electorate::of(&current, open, &life, &[]);
        let before = self.refresh(&current, open, now);
        let counted = match who {
            None => cancel(open),
            Some(who) => self.count(&electorate, &mut life, who, (answer, shown), now),
        };
        let state = open.state_at(now);
        if before.is_waiting() && !state.is_waiting() {
            self.docket.settle(open);
        }
        let completed = before.is_waiting() && state == QuestionState::Approved;
        let event = Event::Answered {
            task: (&*open.task).into(),
            generation: open.generation,
            question: open.id.text().as_str().to_owned().into(),
            who: who.map(|who| who.subject().as_str().into()),
            answer,
            shown: shown.map(|shown| shown.to_string().into()),
            refused: counted.err().map(|refused| refused.as_str().into()),
            reason: why.map(|why| cut(why, MAX_REASON)),
            state: state.as_str().into(),
            good_until: open.good_until().filter(|_| completed),
        };
        self.record(now, &event);
        let quorum = electorate.progress(&open.votes(), |_| true);
        drop(life);
        drop(current);
        self.journal.write_if_many();
        counted.map(|()| Tally { state, have: quorum.have, need: quorum.need })
    }

    /// Counts somebody's answer, if they may give it.
    fn count(
        &self,
        electorate: &Electorate<'_>,
        life: &mut Life,
        who: &Identity,
        (answer, shown): (Answered, Option<&Digest>),
        now: Timestamp,
    ) -> Result<(), NotCounted> {
        let open = electorate.question();
        if who.attested_by() != self.id {
            return Err(NotCounted::ForeignIdentity);
        }
        if who.is_past(now) {
            return Err(NotCounted::IdentityExpired);
        }
        if self.halts.stop(who, now) {
            return Err(NotCounted::Halted);
        }
        let state = open.state_at(now);
        if state == QuestionState::Void {
            // What it was asked under is not there to say who may answer.
            return Err(NotCounted::NotWaiting(state));
        }
        let (reviews, confirms) = (electorate.may_review(who), electorate.may_confirm(who));
        let may = match answer {
            Answered::Approve => reviews,
            Answered::Confirm => confirms,
            Answered::Deny | Answered::Cancel => reviews || confirms,
        };
        if !may {
            return Err(NotCounted::NotEligible);
        }
        if answer == Answered::Deny {
            let to = open.refuse().ok_or(NotCounted::NotWaiting(state))?;
            if to == QuestionState::Denied {
                note_denied(electorate, life, now);
            }
            return Ok(());
        }
        if !matches!(state, QuestionState::Waiting | QuestionState::Approved) {
            return Err(NotCounted::NotWaiting(state));
        }
        if shown != Some(&open.view().digest()) {
            return Err(NotCounted::StaleView);
        }
        open.agree(who, answer == Answered::Confirm);
        // Those who agreed before and may not any more, or not now, are not counted.
        let quorum = electorate.progress(&open.votes(), |who| !self.halts.stop(who, now));
        if quorum.is_met() {
            open.complete(now);
        }
        Ok(())
    }
}

fn cancel(open: &OpenQuestion) -> Result<(), NotCounted> {
    if open.end_waiting(QuestionState::Cancelled) {
        return Ok(());
    }
    Err(NotCounted::NotWaiting(open.state()))
}

/// A rule's questions about a tool that are denied again and again are not asked for a while.
fn note_denied(electorate: &Electorate<'_>, life: &mut Life, now: Timestamp) {
    let open = electorate.question();
    for (ask, terms) in electorate.asks() {
        let until = now.checked_add(terms.cool_down.unwrap_or(COOL_DOWN)).unwrap_or(open.ceiling);
        life.questions_mut().note_denied(&ask.id, open.call.tool_name(), until);
    }
}

impl std::fmt::Debug for Reviews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviews").finish_non_exhaustive()
    }
}

/// The id alone.
impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("id", &self.open.id).finish_non_exhaustive()
    }
}
