//! An agent calls, redeems what people agreed to, and runs it.

use std::collections::BTreeSet;

use hallpass::prelude::*;
use hallpass::{Pending, QuestionState};

use super::asked::{Ask, Asked, Came, EXPIRES, asks_of};
use super::{Held, Model, Open, pay};

impl Model {
    /// The question of which a use lets the call pass, as those who agreed stand now: those that it finds not to be
    /// good any more are void.
    pub(super) fn serves(
        &mut self,
        task: usize,
        amount: i64,
        redeemed: Option<usize>,
    ) -> Option<usize> {
        let opening = self.tasks[task].as_ref()?.opening;
        let mut found = None;
        for at in (0..self.asked.len()).rev() {
            let own = &mut self.asked[at];
            let is_same = own.opening == opening && own.amount == amount;
            if !is_same || own.state(self.today.now) != QuestionState::Approved {
                continue;
            }
            if own.has_enough(self.today, false) {
                found = found.or(Some(at).filter(|at| redeemed.is_none_or(|own| own == *at)));
            } else if !own.has_enough(self.today, true) {
                own.came = Came::Over(QuestionState::Void);
                self.seen.voided += 1;
            }
        }
        found
    }

    /// What a denial says to come back with: the open question of an equal call, or a new one.
    pub(super) fn parks(&mut self, (task, amount): (usize, i64), denial: &Denial) {
        assert_eq!(denial.reason(), Reason::ApprovalRequired, "{}", denial.explain());
        let pending = denial.pending().unwrap_or_else(|| panic!("{}", denial.explain()));
        let (opening, now) = (self.tasks[task].as_ref().unwrap().opening, self.today.now);
        let asks = asks_of(amount);
        let is_same = |own: &&Asked| {
            own.opening == opening
                && own.amount == amount
                && own.waits(now)
                && asks.is_subset(&own.asks)
        };
        match self.asked.iter().rev().find(is_same) {
            Some(own) => assert_eq!(own.id, pending.id(), "the same is asked once"),
            None => self.add(pending.clone(), task, amount, (asks, BTreeSet::new())),
        }
    }

    pub(super) fn add(
        &mut self,
        pending: Pending,
        task: usize,
        amount: i64,
        (asks, amended_by): (BTreeSet<Ask>, BTreeSet<&'static str>),
    ) {
        let id = pending.id();
        assert!(self.asked.iter().all(|own| own.id != id), "another question");
        self.asked.push(Asked {
            id,
            text: pending.to_text().unwrap(),
            task,
            opening: self.tasks[task].as_ref().unwrap().opening,
            amount,
            asks,
            amended_by,
            yes: BTreeSet::new(),
            expires: self.today.now + EXPIRES,
            came: Came::Waits,
            left: false,
            unstarted: false,
            given_back: 0,
        });
    }

    pub(super) fn permitted(&mut self, permit: Permit, of: usize) {
        let own = &mut self.asked[of];
        (own.left, own.unstarted) = (false, true);
        let under = (self.today.finance, self.other);
        self.tasks[own.task].as_mut().unwrap().called_under.insert(under);
        self.held.push(Held { permit, of, is_old: false });
    }

    pub(super) fn authorize(&mut self, task: usize, amount: i64) {
        let Some(Open { grant, .. }) = &self.tasks[task] else { return };
        let answer = self.bank.authorize(grant, pay(amount));
        if self.payer_is_halted {
            let reason = answer.unwrap_err().reason();
            assert!(matches!(reason, Reason::Halted | Reason::Expired), "{reason:?}");
            return;
        }
        match (self.serves(task, amount, None), answer) {
            (Some(of), answer) => self.permitted(answer.unwrap_or_else(denied), of),
            (None, Ok(_)) => panic!("it runs, and no one agreed"),
            (None, Err(denial)) => self.parks((task, amount), &denial),
        }
    }

    pub(super) fn redeem(&mut self, at: usize, task: usize) {
        let Some(Open { grant, .. }) = &self.tasks[task] else { return };
        let pending = self.bank.gate().pending(&self.asked[at].text);
        let Some(pending) = pending else { return self.is_over(at) };
        let answer = self.bank.gate().redeem(&pending, grant, grant.holder(), &Context::new());
        let before = self.asked[at].state(self.today.now);
        let refused = |answer: Result<Permit, Denial>, reason: Reason| {
            let denial = answer.expect_err("it is redeemed");
            assert_eq!(denial.reason(), reason, "{}", denial.explain());
        };
        if self.payer_is_halted {
            let reason = answer.unwrap_err().reason();
            assert!(matches!(reason, Reason::Halted | Reason::Expired), "{reason:?}");
            return;
        }
        if task != self.asked[at].task || !self.is_of_today(&self.asked[at]) {
            return refused(answer, Reason::NotTheHolder);
        }
        let amount = self.asked[at].amount;
        match before {
            QuestionState::Approved => match self.serves(task, amount, Some(at)) {
                Some(of) => self.permitted(answer.unwrap_or_else(denied), of),
                None if self.asked[at].came == Came::Over(QuestionState::Void) => {
                    refused(answer, Reason::ApprovalVoid);
                }
                // As long as one who agreed is halted, others can be asked.
                None => self.parks((task, amount), &answer.expect_err("it is redeemed")),
            },
            QuestionState::Waiting => refused(answer, Reason::ApprovalRequired),
            QuestionState::Spent => refused(answer, Reason::ApprovalSpent),
            _ => refused(answer, Reason::ApprovalVoid),
        }
    }

    /// One of the permits in hand starts, and runs to its end or on; or never starts.
    pub(super) fn use_permit(&mut self, how: usize) {
        let Some(Held { permit, of, is_old }) = self.held.pop() else { return };
        let is_of_today = self.is_of_today(&self.asked[of]);
        let own = &mut self.asked[of];
        let stands = matches!(own.came, Came::Yes { .. }) && is_of_today;
        if how == 0 {
            drop(permit);
            return if stands {
                own.give_back()
            };
        }
        let started = permit.start();
        let can = stands && !is_old && !self.payer_is_halted;
        assert_eq!(started.is_ok(), can, "{:?}: {own:?}", started.err().map(|own| own.reason()));
        let Ok(running) = started else {
            return if stands {
                own.give_back()
            };
        };
        assert_eq!(running.args().number("amount").and_then(|own| own.to_i64()), Some(own.amount));
        own.unstarted = false;
        self.seen.ran += 1;
        match how {
            1 => self.running.push(running),
            _ => running.succeed(),
        }
    }
}

fn denied(denial: Denial) -> Permit {
    panic!("{}", denial.explain())
}
