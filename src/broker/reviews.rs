//! The reviewers' handle: what waits for people, and what they say to it.

use std::sync::Arc;

use super::Broker;
use super::answering::Reply;
use super::eligible::Electorate;
use super::not_counted::{NotCounted, Tally};
use super::shared::Shared;
use crate::approval::view::{View, whole_argument};
use crate::audit::Answered;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::Width;
use crate::sync::Apart;
use crate::task::{OpenQuestion, QuestionState};
use crate::value::Digest;

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
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
}

/// A question, as reviewers hold it.
#[derive(Clone)]
pub struct Question {
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
    pub(super) open: Arc<OpenQuestion>,
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
        let Some(now) = shared.time_of_end() else { return Vec::new() };
        if shared.attested(of, now).is_err() || shared.halts.stop(of, now) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for open in shared.docket.all() {
            let current = shared.current();
            let Some(cell) = shared.table.task(open.generation) else { continue };
            let life = cell.life.lock();
            shared.refresh(&current, &open, shared.as_of(now));
            if !open.awaits(shared.as_of(now)) {
                continue;
            }
            let electorate = Electorate::of(&current, &open, &life, &[&cell.requester]);
            if electorate.may_review(of) || electorate.may_confirm(of) {
                found.push(self.question(open.clone()));
            }
        }
        // What was past its time is found so here.
        shared.watchers.wake_due();
        found
    }

    /// The question of this id, or of the [text](crate::Pending::to_text) that its asker was given. It finds the
    /// question, and says nothing else that is believed.
    pub fn open(&self, text: &str) -> Option<Question> {
        Some(self.question(self.shared.find_question(text)?))
    }

    /// All of an argument of the call, escaped as in its view and not cut; nothing of a scope, and where the call
    /// has no such argument.
    pub fn whole(&self, question: &Question, argument: &str) -> Option<String> {
        whole_argument(question.open.call()?, argument)
    }

    /// Somebody who may review says yes to what was shown: `shown` is the digest of the
    /// [view](Question::view) that was rendered, so that a page that is out of date approves nothing. `width` is
    /// how far the yes reaches: one of those that the question [offers](Question::offers). Where several have to
    /// agree and choose several widths, the yes reaches as far as all of them say: it has the fewest uses and
    /// the first end.
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
        let (answer, shown) = (Answered::Approve, Some(shown));
        let reply = Reply { who: Some(who), answer, shown, items: None, width, why: None };
        self.of(question)?.answer(&question.open, &reply)
    }

    /// As [`approve`](Reviews::approve), for some items of a plan, by the numbers that its view gives them: the
    /// others wait. This person has to be one who may review each of them; a yes to the whole plan is one to those
    /// of which that is so.
    ///
    /// # Errors
    /// As [`approve`](Reviews::approve), and [`NotCounted::NoSuchItem`].
    pub fn approve_items(
        &self,
        question: &Question,
        who: &Identity,
        shown: &Digest,
        items: &[u32],
    ) -> Result<Tally, NotCounted> {
        let (answer, shown, items) = (Answered::Approve, Some(shown), Some(items));
        let reply = Reply { who: Some(who), answer, shown, items, width: Width::CALL, why: None };
        self.of(question)?.answer(&question.open, &reply)
    }

    /// As [`deny`](Reviews::deny), for some items of a plan: this person has to be one who may answer each of them. A
    /// no to the whole plan refuses those of which that is so, and leaves the others to those who may answer them.
    ///
    /// # Errors
    /// As [`deny`](Reviews::deny), and [`NotCounted::NoSuchItem`].
    pub fn deny_items(
        &self,
        question: &Question,
        who: &Identity,
        items: &[u32],
        why: &str,
    ) -> Result<Tally, NotCounted> {
        let (answer, items, why) = (Answered::Deny, Some(items), Some(why));
        let reply = Reply { who: Some(who), answer, shown: None, items, width: Width::CALL, why };
        self.of(question)?.answer(&question.open, &reply)
    }

    /// The human whom the asker acts for says yes. This does not count as a review, nor a review as a confirmation.
    ///
    /// # Errors
    /// As [`approve`](Reviews::approve).
    pub fn confirm(
        &self,
        question: &Question,
        who: &Identity,
        shown: &Digest,
    ) -> Result<Tally, NotCounted> {
        let (answer, shown) = (Answered::Confirm, Some(shown));
        let reply =
            Reply { who: Some(who), answer, shown, items: None, width: Width::CALL, why: None };
        self.of(question)?.answer(&question.open, &reply)
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
        let (answer, why) = (Answered::Deny, Some(why));
        let reply =
            Reply { who: Some(who), answer, shown: None, items: None, width: Width::CALL, why };
        self.of(question)?.answer(&question.open, &reply)
    }

    /// An operator takes the question back.
    ///
    /// # Errors
    /// [`NotCounted::NotWaiting`] if it does not wait any more.
    pub fn cancel(&self, question: &Question) -> Result<Tally, NotCounted> {
        let shared = self.of(question)?;
        let cancelled = shared.answer(&question.open, &Reply::CANCEL)?;
        shared.write_through();
        Ok(cancelled)
    }

    /// The broker, if it asked the question: tasks are numbered alike in every broker, and another one's people
    /// do not answer.
    pub(super) fn of(&self, question: &Question) -> Result<&Shared, NotCounted> {
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

    /// How far a yes to it may reach, by all of its rules: what a reviewer chooses from.
    pub fn offers(&self) -> Vec<Width> {
        self.open.offers()
    }

    /// Of a plan each item's number, as its view and answers have it, and where it stands; nothing of a call.
    pub fn items(&self) -> Vec<(u32, QuestionState)> {
        let _ = self.state();
        self.shared.time_of_end().map_or_else(Vec::new, |now| self.open.item_states(now))
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
        // Whatever was agreed to is good for nothing in the child of a fork.
        let Some(now) = self.time_of_end() else { return QuestionState::Void };
        let current = self.current();
        let Some(cell) = self.table.task(open.generation) else { return open.state_at(now) };
        let life = cell.life.lock();
        let state = self.refresh(&current, open, self.as_of(now));
        drop(life);
        drop(current);
        // What was past its time is found so here.
        self.watchers.wake_due();
        state
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
