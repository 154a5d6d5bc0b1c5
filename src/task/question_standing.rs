//! Where a question stands: who said yes, how far that reaches, and what is left of it.

use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use super::plan::{ItemStanding, Items};
use super::question_state::QuestionState;
use super::uses::Uses;
use crate::approval::name::Names;
use crate::approval::width::{Variation, Width};
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::Compiled;

/// Somebody's yes.
#[derive(Clone)]
pub(crate) struct Vote {
    pub(crate) who: Identity,
    /// All names that were stated with a yes of this one.
    pub(crate) names: Names,
    /// A confirmation by the human that is acted for; a review otherwise.
    pub(crate) confirms: bool,
    /// How far a review is to reach; nothing is chosen by a confirmation.
    pub(crate) width: Width,
    /// To which items it is one.
    pub(crate) items: Items,
}

/// The part of a question that changes. What was answered is not there until somebody answers.
pub(super) struct Standing {
    pub(super) state: QuestionState,
    /// The version of what is in force that it was last found to be bound to, and its policy.
    pub(super) version: u64,
    pub(super) policy: Arc<Compiled>,
    answers: Option<Box<Answers>>,
}

/// What was answered, and what that comes to.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) votes: Vec<Vote>,
    pub(super) good_until: Option<Timestamp>,
    /// Of a plan: where each item stands.
    pub(super) items: Vec<ItemStanding>,
    pub(super) uses: Uses,
    /// What may be another in the calls of the yes, where it reaches further than the one that was shown.
    pub(super) variation: Option<Variation>,
    /// The question that was asked in its place, as those who made it take it out.
    pub(super) successor: Option<Arc<dyn Any + Send + Sync>>,
}

static NO_ANSWERS: Answers = Answers {
    votes: Vec::new(),
    good_until: None,
    items: Vec::new(),
    uses: Uses::NONE,
    variation: None,
    successor: None,
};

impl Deref for Standing {
    type Target = Answers;

    fn deref(&self) -> &Answers {
        self.answers.as_deref().unwrap_or(&NO_ANSWERS)
    }
}

impl DerefMut for Standing {
    fn deref_mut(&mut self) -> &mut Answers {
        self.answers.get_or_insert_default()
    }
}

impl Standing {
    pub(super) fn new(items: usize, version: u64, policy: Arc<Compiled>) -> Standing {
        let answers = (items > 0).then(|| {
            let items = vec![ItemStanding::default(); items];
            Box::new(Answers { items, ..Answers::default() })
        });
        Standing { state: QuestionState::Waiting, version, policy, answers }
    }

    /// Whether it waits, or is a yes that can still be used or taken back: one that is used up can be as long
    /// as a permit of it has not started.
    pub(super) fn is_open(&self) -> bool {
        match self.state {
            QuestionState::Waiting | QuestionState::Approved => true,
            // What was agreed to of a plan is kept, taken or not.
            QuestionState::Spent => self.is_plan() || self.uses.is_any_unstarted(),
            _ => false,
        }
    }

    /// Where time alone has it stand by now. A yes of which nothing more can be used is spent as long as a
    /// permit of it may start: until then it can be taken back.
    pub(super) fn lapsed(&self, expires: Timestamp, now: Timestamp) -> Option<QuestionState> {
        if self.is_plan() {
            let is_given = self.items.iter().any(|item| item.good_until().is_some());
            let is_past = self.good_until.is_none_or(|until| now >= until);
            return match self.state {
                QuestionState::Waiting if now >= expires && !is_given => {
                    Some(QuestionState::Expired)
                }
                // The rest of it is not answered any more.
                QuestionState::Waiting if now >= expires && !is_past => {
                    Some(QuestionState::Approved)
                }
                QuestionState::Waiting if now >= expires => Some(QuestionState::Lapsed),
                QuestionState::Approved | QuestionState::Spent if is_past => {
                    Some(QuestionState::Lapsed)
                }
                _ => None,
            };
        }
        match self.state {
            QuestionState::Waiting if now >= expires => Some(QuestionState::Expired),
            QuestionState::Approved if self.good_until.is_none_or(|until| now >= until) => {
                match self.uses.is_any_unstarted() {
                    true => Some(QuestionState::Spent),
                    false => Some(QuestionState::Lapsed),
                }
            }
            _ => None,
        }
    }

    /// How often the yes of those who agreed is good, and until when: of several widths the fewest uses, and
    /// the first end.
    pub(super) fn reach(
        &self,
        now: Timestamp,
        good_for: Duration,
        ceiling: Timestamp,
    ) -> (u32, Timestamp) {
        let widths = || self.votes.iter().filter(|vote| !vote.confirms).map(|vote| vote.width);
        let uses = widths().map(Width::uses).min();
        let end = widths().map(|width| width.end(now, good_for, ceiling)).min();
        let usual = || Width::CALL.end(now, good_for, ceiling);
        (uses.unwrap_or(Width::CALL.uses()), end.unwrap_or_else(usual))
    }

    /// Takes a yes; one of the same person again adds nothing, and says anew how far it reaches.
    pub(super) fn agree(&mut self, mut vote: Vote) {
        let same =
            |own: &Vote| own.confirms == vote.confirms && own.who.subject() == vote.who.subject();
        match self.votes.iter_mut().find(|own| same(own)) {
            // As it is attested now, and known by every name that was stated: a person who leaves an alias
            // out is not another one.
            Some(own) => {
                vote.names.add(std::mem::take(&mut own.names));
                vote.items = vote.items.or(own.items);
                *own = vote;
            }
            None => self.votes.push(vote),
        }
    }

    fn is_plan(&self) -> bool {
        !self.items.is_empty()
    }

    /// Where it stands, as people are told: a plan of which a part was answered, or a part is given, is partial.
    pub(super) fn shown(&self) -> QuestionState {
        let is_answered = self.items.iter().any(|item| !item.waits());
        let is_whole = self.items.iter().all(|item| item.good_until().is_some());
        match self.state {
            QuestionState::Waiting if is_answered => QuestionState::Partial,
            QuestionState::Approved if !is_whole => QuestionState::Partial,
            state => state,
        }
    }

    /// What a permit held came back, or did not.
    pub(super) fn note_uses(&mut self) {
        if let QuestionState::Approved | QuestionState::Spent = self.state {
            self.state = match self.uses.is_any_left() {
                true => QuestionState::Approved,
                false => QuestionState::Spent,
            };
        }
    }
}
