//! A yes or a no, to items by number or to all of it.

use hallpass::QuestionState;
use hallpass::policy::Width;

use super::Model;
use super::plan::{GOOD_FOR, Item, PEOPLE, spelled};

impl Model {
    pub(super) fn answer(
        &mut self,
        at: usize,
        (who, spelling): (usize, usize),
        yes: bool,
        numbers: Option<&[u32]>,
    ) {
        let Some(plan) = self.plans.get_mut(at) else { return };
        let Some(question) = self.office.reviews.open(&plan.pending.id()) else { return };
        let (name, person) = (PEOPLE[who].0, self.office.attest(spelled(who, spelling)));
        let (reviews, shown) = (&self.office.reviews, question.view().digest());
        let counted = match (yes, numbers) {
            (true, None) => reviews.approve(&question, &person, &shown, Width::CALL),
            (true, Some(numbers)) => reviews.approve_items(&question, &person, &shown, numbers),
            (false, None) => reviews.deny(&question, &person, "no"),
            (false, Some(numbers)) => reviews.deny_items(&question, &person, numbers, "no"),
        };
        let (now, ops, halted) = (self.now, self.ops as usize, &self.halted);
        if halted.stops(who, spelling) {
            assert!(counted.is_err(), "{name} is halted");
            self.stopped += 1;
            return;
        }
        let all: Vec<usize> = match numbers {
            Some(numbers) => numbers.iter().map(|number| *number as usize - 1).collect(),
            None => (0..plan.items.len()).collect(),
        };
        if all.iter().any(|at| *at >= plan.items.len()) {
            assert!(counted.is_err(), "there is no such item");
            return;
        }
        let theirs: Vec<usize> = all.iter().copied().filter(|at| plan.may(who, *at)).collect();
        if theirs.is_empty() || (numbers.is_some() && theirs != all) || plan.over.is_some() {
            assert!(counted.is_err(), "{name} answers {all:?} of {plan:?}");
            return;
        }
        let awaits = plan.awaits(now);
        let latest = &mut plan.latest;
        let mut chosen = plan.items.iter_mut().enumerate().filter(|(at, _)| theirs.contains(at));
        let mut is_any = false;
        if yes {
            for (_, item) in chosen.filter(|(_, own)| own.is_good(now) || (awaits && own.waits())) {
                is_any = true;
                item.yes.insert((who, spelling));
                if item.waits() && item.has_enough(ops, halted) {
                    let until = now + GOOD_FOR.as_millis() as u64;
                    item.good = Some(until);
                    *latest = until.max(*latest);
                }
            }
            assert_eq!(counted.is_ok(), is_any, "{counted:?}");
            return;
        }
        for (_, item) in chosen.by_ref().filter(|(_, item)| item.no.is_none()) {
            is_any = true;
            item.no = Some(match item.good.take() {
                Some(_) => QuestionState::Withdrawn,
                None => QuestionState::Denied,
            });
        }
        assert_eq!(counted.is_ok(), is_any, "{counted:?}");
        let given = plan.items.iter().any(|item| item.good.is_some());
        let waits = plan.items.iter().any(Item::waits);
        if is_any && !given && (!waits || now >= plan.expires) {
            plan.over = Some(QuestionState::Withdrawn);
        }
    }
}
