//! People answer, amend and take back.

use hallpass::policy::Width;
use hallpass::prelude::*;
use hallpass::value::Digest;
use hallpass::{NotCounted, Question, QuestionState};

use super::asked::{ACCOUNTS, Asked, BOB, Came, GOOD_FOR, Today, asks_of};
use super::{Model, pay};

impl Model {
    pub(super) fn attest(&self, who: usize) -> Identity {
        let own = &ACCOUNTS[who];
        let facts = Assertion::human(own.id).groups(own.groups.iter().copied());
        self.bank.attest(own.aliases.iter().fold(facts, |facts, alias| facts.alias(*alias)))
    }

    /// A yes or a no; a no needs to have been shown nothing.
    pub(super) fn answer(&mut self, at: usize, who: usize, yes: bool, stale: bool) {
        let Some(question) = self.bank.reviews().open(&self.asked[at].id) else {
            return self.is_over(at);
        };
        let (reviews, person) = (self.bank.reviews(), self.attest(who));
        let shown = shown_to(&question, stale);
        let answer = match yes {
            true => reviews.approve(&question, &person, &shown, Width::CALL),
            false => reviews.deny(&question, &person, "no"),
        };
        let (today, now) = (self.today, self.today.now);
        let own = &mut self.asked[at];
        let state = own.state(now);
        let is_stale = yes && stale;
        if let Some(refused) = refused(own, who, today, yes, is_stale) {
            let refused: Vec<NotCounted> = refused;
            let told = answer.expect_err("it counts");
            assert!(refused.contains(&told), "{told:?}, expected {refused:?} of {own:?}");
            self.seen.refused += 1;
            return;
        }
        let tally = answer.unwrap_or_else(|error| panic!("{error}: {own:?}"));
        self.seen.answered += 1;
        if !yes {
            let waited = state == QuestionState::Waiting;
            let to = if waited { QuestionState::Denied } else { QuestionState::Withdrawn };
            own.came = Came::Over(to);
        } else {
            own.yes.insert(who);
            if state == QuestionState::Waiting && own.has_enough(today, false) {
                (own.came, own.left) = (Came::Yes { good_until: now + GOOD_FOR }, true);
            }
        }
        assert_eq!(tally.state, own.state(now), "{own:?}");
    }

    pub(super) fn amend(&mut self, at: usize, who: usize, amount: i64, stale: bool) {
        let Some(question) = self.bank.reviews().open(&self.asked[at].id) else {
            return self.is_over(at);
        };
        let shown = shown_to(&question, stale);
        let answer = self.bank.reviews().amend(&question, &self.attest(who), &shown, pay(amount));
        let (today, now) = (self.today, self.today.now);
        let own = &self.asked[at];
        let can = own.waits(now)
            && own.may(who, today)
            && !stale
            && !(who == BOB && today.bob_is_halted)
            && !self.payer_is_halted;
        assert_eq!(answer.is_ok(), can, "{answer:?}: {own:?}");
        if !can {
            return;
        }
        let asks = &own.asks | &asks_of(amount);
        let by = own.amended_by.iter().copied().chain([ACCOUNTS[who].person]).collect();
        let (task, text) = (own.task, own.text.clone());
        let fresh = self.bank.gate().pending(&text).and_then(|own| own.amended());
        self.asked[at].came = Came::Over(QuestionState::Amended);
        self.add(fresh.expect("it is found by the one before"), task, amount, (asks, by));
        self.seen.amended += 1;
    }

    pub(super) fn cancel(&mut self, at: usize, by_the_asker: bool) {
        let answer = match by_the_asker {
            true => self.bank.gate().pending(&self.asked[at].text).map(|own| own.cancel()),
            false => {
                let question = self.bank.reviews().open(&self.asked[at].id);
                question.map(|own| self.bank.reviews().cancel(&own))
            }
        };
        let Some(answer) = answer else { return self.is_over(at) };
        let own = &mut self.asked[at];
        assert_eq!(answer.is_ok(), own.waits(self.today.now), "{answer:?}: {own:?}");
        if answer.is_ok() {
            own.came = Came::Over(QuestionState::Cancelled);
        }
    }
}

fn shown_to(question: &Question, stale: bool) -> Digest {
    if stale { Digest::of(b"an older page") } else { question.view().digest() }
}

/// Why an answer does not count: any of these is told.
fn refused(
    own: &Asked,
    who: usize,
    today: Today,
    yes: bool,
    stale: bool,
) -> Option<Vec<NotCounted>> {
    let state = own.state(today.now);
    if who == BOB && today.bob_is_halted {
        return Some(vec![NotCounted::Halted]);
    }
    if state == QuestionState::Void {
        return Some(vec![NotCounted::NotWaiting(state)]);
    }
    if !own.may(who, today) {
        return Some(vec![NotCounted::NotEligible, NotCounted::NotWaiting(state)]);
    }
    let can = match yes {
        true => matches!(state, QuestionState::Waiting | QuestionState::Approved),
        false => own.is_open(today.now),
    };
    match (can, stale) {
        (false, _) => Some(vec![NotCounted::NotWaiting(state)]),
        (true, true) => Some(vec![NotCounted::StaleView]),
        (true, false) => None,
    }
}
