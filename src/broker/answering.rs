//! Taking an answer: who may give it, whether it counts, and what it makes of the question.

use std::sync::Arc;

use super::eligible::Electorate;
use super::not_counted::{NotCounted, Tally};
use super::shared::Shared;
use crate::approval::quorum::Progress;
use crate::audit::{AnswerGiven, Answered, Event};
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::{COOL_DOWN, Width};
use crate::task::{Items, Life, OpenQuestion, QuestionState};
use crate::tool::ToolName;
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
    /// The items of a plan that it is about, by number; all of them, if they are not said.
    pub(super) items: Option<&'r [u32]>,
    /// How far a yes of a reviewer is to reach.
    pub(super) width: Width,
    /// The reason of a no.
    pub(super) why: Option<&'r str>,
}

impl Reply<'_> {
    /// The question is taken back.
    pub(super) const CANCEL: Reply<'static> = Reply {
        who: None,
        answer: Answered::Cancel,
        shown: None,
        items: None,
        width: Width::CALL,
        why: None,
    };
}

/// What became of an answer that counts.
#[derive(Clone, Copy, Default)]
struct Counted {
    /// The items that it is about.
    answered: Items,
    /// Those of a plan that are given by it.
    given: Items,
}

impl Shared {
    /// Takes an answer, and records it. An answer that does not count is recorded as that.
    pub(super) fn answer(
        &self,
        open: &Arc<OpenQuestion>,
        reply: &Reply<'_>,
    ) -> Result<Tally, NotCounted> {
        let Reply { who, answer, shown, items, width, why } = *reply;
        let now = self.time_of_answer()?;
        let current = self.current();
        let Some(cell) = self.table.task(open.generation) else {
            return Err(NotCounted::NotWaiting(open.state_at(now)));
        };
        let mut life = cell.life.lock();
        let now = self.as_of(now);
        // Who opened the task may be known by other names since it was taken up again.
        let electorate = Electorate::of(&current, open, &life, &[&cell.requester]);
        self.refresh(&current, open, now);
        let waited = open.awaits(now);
        let chosen = match items {
            None => Some(Items::all(open.number_of_items())),
            Some(numbers) => open.items_of(numbers),
        };
        let counted = match (who, chosen) {
            (None, _) => cancel(open).map(|()| Counted::default()),
            (Some(_), None) => Err(NotCounted::NoSuchItem),
            (Some(who), Some(chosen)) => {
                self.count(&electorate, &mut life, who, (reply, chosen), now)
            }
        };
        let state = open.state_at(now);
        if waited && !open.awaits(now) {
            self.docket.settle(open);
            self.watchers.note_end(open.generation);
        }
        let is_plan = open.plan().is_some();
        let Counted { given, .. } = counted.unwrap_or_default();
        let completed = match is_plan {
            true => !given.is_none(),
            false => waited && state == QuestionState::Approved,
        };
        // What was said of a part is recorded as said of that part.
        let chosen = counted.map_or(chosen.unwrap_or(Items::NONE), |own| own.answered);
        let (listed, given) =
            if is_plan && who.is_some() { (chosen, given) } else { (Items::NONE, Items::NONE) };
        let event = Event::Answered(AnswerGiven {
            task: (&*open.task).into(),
            generation: open.generation,
            question: open.id.text().as_str().to_owned().into(),
            who: who.map(|who| who.subject().as_str().into()),
            answer,
            shown: shown.map(|shown| shown.to_string().into()),
            items: listed.numbers().collect(),
            given: given.numbers().collect(),
            width: (width != Width::CALL).then(|| width.to_string().into()),
            refused: counted.err().map(|refused| refused.as_str().into()),
            reason: why.map(|why| cut(why, MAX_REASON)),
            state: state.as_str().into(),
            good_until: open.good_until().filter(|_| completed),
            sealed: match (counted, who) {
                (Ok(_), Some(who)) if matches!(answer, Answered::Approve | Answered::Confirm) => {
                    self.sealed_vote(&current, open, who).map(Into::into)
                }
                _ => None,
            },
            break_glass: open.break_glass,
        });
        self.record(now, &event);
        if counted.is_ok() {
            self.announce(open, state);
        }
        let quorum = missing_most(&electorate, chosen);
        drop(life);
        drop(current);
        self.watchers.wake_due();
        match who {
            Some(_) if counted.is_ok() => self.write_through(),
            // An asker waits for no log.
            _ => self.journal.write_if_many(),
        }
        counted.map(|_| Tally { state, have: quorum.have, need: quorum.need })
    }

    /// Has what took something away written before that returns, as far as the log takes it in time: a no that another
    /// life of the broker knows nothing of would leave the yes before it, or the question. Called with no lock held.
    pub(super) fn write_through(&self) {
        match self.kept_log {
            Some(_) => {
                let _ = self.journal.flush(self.journal.last_seq(), self.settings.log_timeout);
            }
            None => self.journal.write_if_many(),
        }
    }

    /// Counts somebody's answer to these items, if they may give it.
    fn count(
        &self,
        electorate: &Electorate<'_>,
        life: &mut Life,
        who: &Identity,
        (&Reply { answer, shown, items, width, .. }, chosen): (&Reply<'_>, Items),
        now: Timestamp,
    ) -> Result<Counted, NotCounted> {
        let open = electorate.question();
        self.check_answerer(who, now)?;
        let state = open.state_at(now);
        if state == QuestionState::Void {
            // What it was asked under is not there to say who may answer.
            return Err(NotCounted::NotWaiting(state));
        }
        // An answer to all of it is one to what this person may answer; one to items by number is to all of them.
        let may = electorate.answerable(who, answer, chosen);
        if may.is_none() || (items.is_some() && may != chosen) {
            return Err(NotCounted::NotEligible);
        }
        let answered = may;
        if answer == Answered::Deny {
            let waited = match open.plan() {
                Some(_) => open.waiting_items().meet(answered),
                None => Items::FIRST,
            };
            let to = match open.plan() {
                Some(_) => open.refuse_items(answered),
                None => open.refuse(),
            };
            let to = to.ok_or(NotCounted::NotWaiting(state))?;
            if to != QuestionState::Withdrawn {
                note_denied(electorate, life, waited, now);
            }
            return Ok(Counted { answered, given: Items::NONE });
        }
        let open_items = match open.plan() {
            Some(_) if open.awaits(now) => open.waiting_items().or(open.good_items(now, true)),
            Some(_) => open.good_items(now, true),
            None if matches!(state, QuestionState::Waiting | QuestionState::Approved) => answered,
            None => Items::NONE,
        };
        let chosen = answered.meet(open_items);
        if chosen.is_none() {
            return Err(NotCounted::NotWaiting(state));
        }
        if shown != Some(&open.view().digest()) {
            return Err(NotCounted::StaleView);
        }
        if answer == Answered::Approve && !open.offers().contains(&width) {
            return Err(NotCounted::NotOffered);
        }
        open.agree(who, answer == Answered::Confirm, width, chosen);
        // Those who agreed before and may not any more, or not now, are not counted.
        let (votes, counts) = (open.votes(), |who: &Identity| !self.halts.stop(who, now));
        if open.plan().is_none() {
            if electorate.progress(&votes, counts).is_met() {
                open.complete(now);
            }
            return Ok(Counted { answered, given: Items::NONE });
        }
        let waiting = if open.awaits(now) { open.waiting_items() } else { Items::NONE };
        let met = waiting.meet(chosen).iter().filter(|item| {
            electorate.progress_of(*item, None, &votes, counts).is_met()
                && open.give_item(*item, now).is_some()
        });
        Ok(Counted { answered, given: met.fold(Items::NONE, Items::and) })
    }
}

impl Shared {
    /// Where a question stands, and how many have agreed; of several items of that of which the most is missing.
    pub(super) fn tally(&self, open: &OpenQuestion) -> Tally {
        let state = self.look_at(open);
        let current = self.current();
        let Some(cell) = self.table.task(open.generation) else {
            return Tally { state, have: 0, need: 0 };
        };
        let life = cell.life.lock();
        let electorate = Electorate::of(&current, open, &life, &[]);
        let Progress { have, need } = missing_most(&electorate, Items::all(open.number_of_items()));
        Tally { state, have, need }
    }
}

/// How far the item has come of which the most is missing.
fn missing_most(electorate: &Electorate<'_>, items: Items) -> Progress {
    let votes = electorate.question().votes();
    let each = items.iter().map(|item| electorate.progress_of(item, None, &votes, |_| true));
    let most = each.max_by_key(|own| own.need.saturating_sub(own.have));
    most.unwrap_or(Progress { have: 0, need: 0 })
}

fn cancel(open: &OpenQuestion) -> Result<(), NotCounted> {
    if open.end_waiting(QuestionState::Cancelled) {
        return Ok(());
    }
    Err(NotCounted::NotWaiting(open.state()))
}

/// A rule's questions about a tool that are denied again and again are not asked for a while.
fn note_denied(electorate: &Electorate<'_>, life: &mut Life, items: Items, now: Timestamp) {
    let open = electorate.question();
    for (ask, terms) in electorate.asks() {
        let until = now.checked_add(terms.cool_down.unwrap_or(COOL_DOWN)).unwrap_or(open.ceiling);
        let mut noted: Vec<&ToolName> = Vec::new();
        for (at, (tool, _)) in open.tools().into_iter().enumerate() {
            let is_denied = items.has(at) && open.is_withheld_by(at, &ask.id);
            if is_denied && !noted.contains(&tool) {
                life.questions_mut().note_denied(&ask.id, tool, until);
                noted.push(tool);
            }
        }
    }
}
