//! A question about a plan: its items, answered one by one, and kept as long as the yes is good.

use super::plan::{Item, ItemAnswer, ItemStanding, Items, ScopePlan};
use super::question::OpenQuestion;
use super::question_state::QuestionState;
use super::question_subject::Subject;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::policy::Width;

impl OpenQuestion {
    /// The plan, if it is about one.
    pub(crate) fn plan(&self) -> Option<&ScopePlan> {
        match &self.subject {
            Subject::Scope(plan) => Some(plan),
            Subject::Call { .. } => None,
        }
    }

    /// How many items can be answered: one, of a call.
    pub(crate) fn number_of_items(&self) -> usize {
        self.plan().map_or(1, |plan| plan.items.len())
    }

    /// The items of these numbers, counted from 1; nothing where one is not there, or none is said.
    pub(crate) fn items_of(&self, numbers: &[u32]) -> Option<Items> {
        let most = self.number_of_items();
        let place = |number: &u32| usize::try_from(*number).ok()?.checked_sub(1);
        let chosen = numbers.iter().try_fold(Items::NONE, |items, number| {
            place(number).filter(|item| *item < most).map(|item| items.and(item))
        });
        chosen.filter(|items| !items.is_none())
    }

    /// Whether an ask withholds the item: every ask of the question, of a call.
    pub(crate) fn is_withheld_by(&self, item: usize, ask: &str) -> bool {
        match self.plan() {
            None => true,
            Some(plan) => {
                let asks = plan.items.get(item).map(|item| &item.asks);
                asks.is_some_and(|asks| asks.iter().any(|own| **own == *ask))
            }
        }
    }

    /// The items that are not answered yet.
    pub(crate) fn waiting_items(&self) -> Items {
        self.items_where(ItemStanding::waits)
    }

    /// The items to which a yes is good at that time, with those that were taken or without.
    pub(crate) fn good_items(&self, now: Timestamp, with_taken: bool) -> Items {
        if !self.standing.lock().is_open() {
            return Items::NONE;
        }
        self.items_where(|item| {
            let is_good = item.good_until().is_some_and(|until| now < until);
            is_good && (with_taken || !item.is_taken)
        })
    }

    fn items_where(&self, choose: impl Fn(&ItemStanding) -> bool) -> Items {
        let standing = self.standing.lock();
        let chosen = standing.items.iter().enumerate().filter(|(_, own)| choose(own));
        chosen.fold(Items::NONE, |items, (item, _)| items.and(item))
    }

    /// Whether the yes to all of these stands: not where one of them was taken back since, though others were not.
    pub(super) fn stands_for(&self, items: Items) -> bool {
        let given = self.items_where(|item| item.good_until().is_some());
        self.standing.lock().is_open() && given.meet(items) == items
    }

    /// Each item's number, and where it stands at that time.
    pub(crate) fn item_states(&self, now: Timestamp) -> Vec<(u32, QuestionState)> {
        let whole = self.state_at(now);
        let standing = self.standing.lock();
        let states = standing.items.iter().map(|item| match item.answer {
            ItemAnswer::Denied => QuestionState::Denied,
            ItemAnswer::Withdrawn => QuestionState::Withdrawn,
            // What ended the whole question ended this, too.
            _ if !matches!(
                whole,
                QuestionState::Waiting
                    | QuestionState::Partial
                    | QuestionState::Approved
                    | QuestionState::Spent
            ) =>
            {
                whole
            }
            ItemAnswer::Waiting if now >= self.expires => QuestionState::Expired,
            ItemAnswer::Waiting => QuestionState::Waiting,
            ItemAnswer::Approved { good_until } if now >= good_until => QuestionState::Lapsed,
            ItemAnswer::Approved { .. } if item.is_taken => QuestionState::Spent,
            ItemAnswer::Approved { .. } => QuestionState::Approved,
        });
        (1..).zip(states).collect()
    }

    /// Enough have agreed to an item that waited: until when that is good.
    pub(crate) fn give_item(&self, item: usize, now: Timestamp) -> Option<Timestamp> {
        let good_until = Width::CALL.end(now, self.binding.good_for, self.ceiling);
        let mut standing = self.standing.lock();
        let own = standing.items.get_mut(item).filter(|own| own.waits())?;
        own.answer = ItemAnswer::Approved { good_until };
        standing.good_until = standing.good_until.max(Some(good_until));
        self.settle_items(&mut standing);
        Some(good_until)
    }

    /// Somebody who may say so says no to these items: where the question stands then. `None` where it is too
    /// late for all of them.
    pub(crate) fn refuse_items(&self, items: Items) -> Option<QuestionState> {
        let mut standing = self.standing.lock();
        if !standing.is_open() {
            return None;
        }
        let mut is_any = false;
        for item in items.iter() {
            if let Some(own) = standing.items.get_mut(item).filter(|own| !own.is_denied()) {
                own.answer = own.refused();
                is_any = true;
            }
        }
        if !is_any {
            return None;
        }
        let is_given = standing.items.iter().any(|own| own.good_until().is_some());
        let waits = standing.items.iter().any(ItemStanding::waits);
        match standing.state {
            QuestionState::Waiting if !is_given && !waits => {
                self.settle(&mut standing, QuestionState::Denied);
            }
            QuestionState::Waiting => self.settle_items(&mut standing),
            _ if !is_given => self.settle(&mut standing, QuestionState::Withdrawn),
            _ => {}
        }
        Some(standing.shown())
    }

    /// Has a question whose items are all answered wait no more.
    fn settle_items(&self, standing: &mut super::question_standing::Standing) {
        let waits = standing.items.iter().any(ItemStanding::waits);
        if standing.state == QuestionState::Waiting && !waits {
            self.settle(standing, QuestionState::Approved);
        }
    }

    /// A grant is taken for these items; `false` takes that back.
    pub(crate) fn note_taken(&self, items: Items, taken: bool) {
        let mut standing = self.standing.lock();
        for item in items.iter() {
            if let Some(own) = standing.items.get_mut(item) {
                own.is_taken = taken;
            }
        }
        let given = standing.items.iter().filter(|own| own.good_until().is_some());
        let all_taken = given.into_iter().all(|own| own.is_taken);
        match standing.state {
            QuestionState::Approved if all_taken => standing.state = QuestionState::Spent,
            QuestionState::Spent if !all_taken => standing.state = QuestionState::Approved,
            _ => {}
        }
    }

    /// Whether the same is asked for, by the same holder for the same people.
    pub(crate) fn is_of_plan(&self, holder: &Identity, plan: &ScopePlan) -> bool {
        self.is_asked_by(holder) && self.plan().is_some_and(|own| own.is_same(plan))
    }

    /// The items that this ask withholds.
    pub(crate) fn items_of_ask(&self, ask: &str) -> Items {
        let items = self.plan().map_or(&[][..], |plan| &plan.items);
        let named = |item: &&(usize, &Item)| item.1.asks.iter().any(|own| **own == *ask);
        let all: Vec<(usize, &Item)> = items.iter().enumerate().collect();
        all.iter().filter(named).fold(Items::NONE, |found, (item, _)| found.and(*item))
    }
}
