//! Taking an answer: who may give it, whether it counts, and what it makes of the question.

use std::sync::Arc;

use super::eligible::Electorate;
use super::not_counted::{NotCounted, Tally};
use super::shared::Shared;
use crate::audit::{Answered, Event};
use crate::clock::{NoTime, Timestamp};
use crate::identity::Identity;
use crate::policy::{COOL_DOWN, Width};
use crate::task::{Life, OpenQuestion, QuestionState};
use crate::value::Digest;
use crate::visible::cut;

/// How many bytes of the reason of a no the log keeps.
const MAX_REASON: usize = 4096;

/// What somebody says to a question.
#[derive(Clone, Copy)]
pub(super) struct Reply<'r> {
    /// No one, where the asker or an operator takes the question back.
    pub(super) who: Option<&'r Identity>,
    pub(super) answer: Answered,
    /// The digest of what was shown to them.
    pub(super) shown: Option<&'r Digest>,
    /// How far a yes of a reviewer is to reach.
    pub(super) width: Width,
    /// The reason of a no.
    pub(super) why: Option<&'r str>,
}

impl Reply<'_> {
    /// The question is taken back.
    pub(super) const CANCEL: Reply<'static> =
        Reply { who: None, answer: Answered::Cancel, shown: None, width: Width::CALL, why: None };
}

impl Shared {
    /// Takes an answer, and records it. An answer that does not count is recorded as that.
    pub(super) fn answer(
        &self,
        open: &Arc<OpenQuestion>,
        reply: &Reply<'_>,
    ) -> Result<Tally, NotCounted> {
        let Reply { who, answer, shown, width, why } = *reply;
        let now = self.keeper.now().map_err(|no_time| match no_time {
            NoTime::Clock(_) => NotCounted::ClockUnreadable,
            NoTime::Forked => NotCounted::Forked,
        })?;
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
            Some(who) => self.count(&electorate, &mut life, who, reply, now),
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
            width: (width != Width::CALL).then(|| width.to_string().into()),
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
        &Reply { answer, shown, width, .. }: &Reply<'_>,
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
        if answer == Answered::Approve && !open.offers().contains(&width) {
            return Err(NotCounted::NotOffered);
        }
        open.agree(who, answer == Answered::Confirm, width);
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
