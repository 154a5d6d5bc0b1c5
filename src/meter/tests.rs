//! What questions take, counted.

#[path = "prices.rs"]
mod prices;
#[path = "properties.rs"]
mod properties;
#[path = "question_prices.rs"]
mod question_prices;
#[path = "rows.rs"]
mod rows;
#[path = "spent.rs"]
mod spent;
#[path = "spent_rules.rs"]
mod spent_rules;
#[path = "spent_told.rs"]
mod spent_told;

use std::cell::Cell;

use super::*;
use crate as hallpass;

thread_local! {
    /// Steps that were taken on this thread, of rules' own and of questions', and how often some could
    /// not be.
    static COUNTED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };

    /// The steps that every question on this thread is given at most, if that is limited.
    static MOST: Cell<Option<u64>> = const { Cell::new(None) };
}

pub(super) fn at_most(steps: u64) -> u64 {
    MOST.get().map_or(steps, |most| steps.min(most))
}

/// Where steps are limited, rules have none of their own: every step that is taken is one of the limit.
pub(super) fn own_of_rule(steps: u64) -> u64 {
    MOST.get().map_or(steps, |_| 0)
}

/// Asks with no more than this many steps for each question.
fn limited<R>(steps: u64, ask: impl FnOnce() -> R) -> R {
    MOST.set(Some(steps));
    let answer = ask();
    MOST.set(None);
    answer
}

pub(super) fn note(paid: bool, steps: u64) {
    let (taken, refused) = COUNTED.get();
    COUNTED.set(if paid { (taken + steps, refused) } else { (taken, refused + 1) });
}

/// What was taken, how often nothing was left, and the answer.
fn counted<R>(work: impl FnOnce() -> R) -> ((u64, u64), R) {
    COUNTED.set((0, 0));
    let answer = work();
    (COUNTED.get(), answer)
}

#[test]
fn what_cannot_be_paid_for_is_not_done_nor_anything_after_it() {
    let meter = Meter::of(10);
    assert!(meter.charge(10, Work::Visiting) && !meter.is_spent());
    assert!(!meter.charge(1, Work::Matching) && meter.is_spent());
    let meter = Meter::of(10);
    assert!(!meter.charge(11, Work::Matching));
    assert!(!meter.charge(1, Work::Visiting), "what is cheap enough neither");
    assert!(!meter.for_rule(true, || meter.charge(1, Work::Visiting)), "for no rule either");
    assert!(!meter.at_most_half(|| meter.charge(1, Work::Visiting)));
    let denial = meter.settle(Ok(())).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooCostly);
    assert!(denial.explain().to_string().contains("matching texts with patterns"));
    assert!(meter.settle::<()>(Err(Denial::new(Reason::NoPermit))) == Err(meter.denial()));
}

#[test]
fn what_a_rule_leaves_is_not_the_next_ones() {
    let meter = Meter::of(10);
    for _ in 0..100 {
        assert!(meter.for_rule(true, || meter.charge(STEPS_PER_RULE as usize, Work::Visiting)));
    }
    assert_eq!(meter.taken(), 0);
    assert!(meter.for_rule(true, || meter.charge(STEPS_PER_RULE as usize + 4, Work::Visiting)));
    assert_eq!(meter.taken(), 4);
    assert!(meter.for_rule(true, || meter.charge(1, Work::Visiting)));
    assert_eq!(meter.taken(), 4);
    assert!(meter.charge(1, Work::Visiting));
    assert_eq!(meter.taken(), 5);
    // Once for each question.
    assert!(meter.for_rule(false, || meter.charge(1, Work::Visiting)));
    assert_eq!(meter.taken(), 6);
    assert!(meter.is_first("t", (1, 0)) && meter.is_first("u", (1, 0)));
    assert!(!meter.is_first("t", (1, 0)) && meter.is_first("t", (2, 0)));
}

#[test]
fn a_part_leaves_what_it_does_not_take() {
    let meter = Meter::of(10);
    assert!(!meter.at_most_half(|| meter.charge(6, Work::Containing)));
    assert!(!meter.is_spent() && meter.taken() == 5, "the part is spent, and not the whole");
    assert!(meter.at_most_half(|| meter.charge(1, Work::Containing)));
    assert_eq!(meter.taken(), 6);
    assert!(!meter.at_most_half(|| meter.charge(5, Work::Containing)));
    assert!(meter.is_spent(), "more would have been done, had there been more");
}

/// attacks 189, 190: what is dear in this table took up to half a minute.
#[test]
fn no_question_takes_more_than_its_steps() {
    for mut row in rows::rows() {
        let ((taken, refused), answer) = counted(&mut row.ask);
        let rules = row.rules as u64 * STEPS_PER_RULE;
        // Each value counts some bytes more than it has.
        let bytes = row.bytes as u64 * 102 / 100 + 100;
        let most = STEPS + bytes * STEPS_PER_BYTE + 2 * rules;
        assert!(taken <= most, "{}: {taken} of {most}", row.name);
        // What is spent goes on to ask for no more than a look at what is left to look at.
        assert!(refused < 100 + row.bytes as u64 / 8, "{}: {refused}", row.name);
        assert_eq!(answer.err().map(|denial| denial.reason()), row.refused, "{}", row.name);
    }
}
