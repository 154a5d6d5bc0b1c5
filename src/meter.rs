//! What one question may cost, counted in steps.
//!
//! Limits on a text, a scope or a constraint bound each of them alone; what a question costs is their
//! product, and an agent chooses both sides. So each question is given so many steps, and whatever asks
//! something of values, texts or patterns takes its steps from there before it does the work. Steps are
//! counted, not timed: the same question always has the same price, on whatever machine.
//!
//! What cannot be paid for is unknown, and a question of which anything was left unknown so is denied as
//! a whole: see [`Meter::settle`]. Fewer steps never give more.

use std::cell::Cell;
use std::fmt;

use crate::denial::{Denial, Reason};

/// The steps of every question. A step is some five nanoseconds of work: one comparison of two small
/// values, one position of a pattern moved on by one character, 32 bytes compared. All of them are
/// about two milliseconds.
pub(crate) const STEPS: u64 = 400_000;

/// The steps added for each byte of the call, and of the scope asked for: what is longer takes longer to
/// look through once, however cheap the look.
pub(crate) const STEPS_PER_BYTE: u64 = 1;

/// What a rule that the index finds may cost before anything is taken from the question's own steps:
/// most rules are done with less. So rules that have nothing to do with a call don't make it dear. What
/// one rule leaves is not the next one's: a rule that is added never leaves more to the others.
pub(crate) const STEPS_PER_RULE: u64 = 32;

/// How many bytes of two texts are compared in one step.
const BYTES_PER_STEP: usize = 32;

/// What steps are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Going from rule to rule, condition to condition, element to element.
    Visiting,
    /// Comparing values with values, and with sets of them.
    Comparing,
    /// Looking through texts, and matching them with patterns.
    Matching,
    /// Reading texts as URLs, as JSON, as addresses.
    Reading,
    /// Comparing what is asked for with what rules cover.
    Containing,
}

impl Work {
    const ALL: [Work; 5] =
        [Work::Visiting, Work::Comparing, Work::Matching, Work::Reading, Work::Containing];
}

/// For operators, behind "most of it".
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Visiting => "going through rules, conditions and elements",
            Work::Comparing => "comparing values with sets of values",
            Work::Matching => "matching texts with patterns",
            Work::Reading => "reading texts as URLs, JSON or addresses",
            Work::Containing => "comparing the scope asked for with what rules cover",
        })
    }
}

/// The steps of one question: how many are left, and what the others were taken for.
#[derive(Debug)]
pub(crate) struct Meter {
    allowed: u64,
    left: Cell<u64>,
    /// What the rule that is being asked may still take before it takes from `left`.
    of_rule: Cell<u64>,
    spent: Cell<bool>,
    taken: [Cell<u64>; Work::ALL.len()],
}

impl Meter {
    /// The steps of a question about so many bytes of call and scope.
    pub(crate) fn of_question(bytes: usize) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Meter::of(STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)))
    }

    /// As many steps as it takes: where nobody but the asker waits.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn unlimited() -> Self {
        Meter::of(u64::MAX)
    }

    /// So many steps.
    pub(crate) fn of(steps: u64) -> Self {
        Meter {
            allowed: steps,
            left: Cell::new(steps),
            of_rule: Cell::new(0),
            spent: Cell::new(false),
            taken: Default::default(),
        }
    }

    /// Takes steps, before the work is done; whether it may be done. Once it may not, nothing may.
    #[inline]
    #[must_use = "what cannot be paid for must not be done"]
    pub(crate) fn charge(&self, steps: usize, work: Work) -> bool {
        let steps = steps as u64;
        match self.of_rule.get().checked_sub(steps) {
            Some(left) if steps > 0 => {
                self.of_rule.set(left);
                true
            }
            _ => self.charge_question(steps, work),
        }
    }

    /// As [`charge`](Self::charge), for comparing so many bytes.
    #[inline]
    #[must_use = "what cannot be paid for must not be done"]
    pub(crate) fn charge_bytes(&self, bytes: usize, work: Work) -> bool {
        self.charge(1 + bytes / BYTES_PER_STEP, work)
    }

    /// Takes what the rule that is being asked may take, and the rest from the question.
    fn charge_question(&self, steps: u64, work: Work) -> bool {
        let steps = steps - self.of_rule.replace(0).min(steps);
        if let Some(taken) = self.taken.get(work as usize) {
            taken.set(taken.get().saturating_add(steps));
        }
        match self.left.get().checked_sub(steps) {
            Some(left) if !self.spent.get() => {
                self.left.set(left);
                true
            }
            _ => {
                self.left.set(0);
                self.spent.set(true);
                false
            }
        }
    }

    /// Asks one rule, which has its own steps first.
    pub(crate) fn for_rule<R>(&self, ask: impl FnOnce() -> R) -> R {
        if !self.spent.get() {
            self.of_rule.set(STEPS_PER_RULE);
        }
        let answer = ask();
        self.of_rule.set(0);
        answer
    }

    /// Does work that takes at most so many steps, of those that are left. It may take up all of its
    /// own without the question being spent: what it then cannot tell is for it to say.
    pub(crate) fn at_most<R>(&self, steps: u64, work: impl FnOnce(&Meter) -> R) -> R {
        let left = self.left.get().saturating_add(self.of_rule.get());
        let part = Meter::of(steps.min(left));
        if self.spent.get() {
            part.spent.set(true);
        }
        let answer = work(&part);
        let used = part.allowed - part.left.get();
        if used > 0 {
            // No more than is left.
            let _ = self.charge(usize::try_from(used).unwrap_or(usize::MAX), part.dearest());
        }
        if part.is_spent() && steps > left {
            self.left.set(0);
            self.of_rule.set(0);
            self.spent.set(true);
        }
        answer
    }

    /// Whether something could not be paid for.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// How many steps were taken of those that the question was given.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn taken(&self) -> u64 {
        self.allowed - self.left.get()
    }

    /// The answer to a question, unless it was too dear to be told: then whatever was found is worth
    /// nothing, a denial for another reason included.
    pub(crate) fn settle<T>(&self, answer: Result<T, Denial>) -> Result<T, Denial> {
        if self.is_spent() { Err(self.denial()) } else { answer }
    }

    #[cold]
    fn denial(&self) -> Denial {
        Denial::new(Reason::TooCostly).because(self.said())
    }

    /// What was dear, for operators.
    pub(crate) fn said(&self) -> String {
        format!("it takes more than {} steps, most of them for {}", self.allowed, self.dearest())
    }

    fn dearest(&self) -> Work {
        let most = Work::ALL.iter().zip(&self.taken).max_by_key(|(_, taken)| taken.get());
        most.map_or(Work::Visiting, |(work, _)| *work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_paid_for_is_not_done_nor_anything_after_it() {
        let meter = Meter::of(10);
        assert!(meter.charge(10, Work::Visiting) && !meter.is_spent());
        assert!(!meter.charge(1, Work::Matching) && meter.is_spent());
        let meter = Meter::of(10);
        assert!(!meter.charge(11, Work::Matching));
        assert!(!meter.charge(1, Work::Visiting), "what is cheap enough neither");
        assert!(!meter.for_rule(|| meter.charge(1, Work::Visiting)), "for no rule either");
        assert!(!meter.at_most(5, |part| part.charge(1, Work::Visiting)));
        let denial = meter.settle(Ok(())).unwrap_err();
        assert_eq!(denial.reason(), Reason::TooCostly);
        assert!(denial.explain().to_string().contains("matching texts with patterns"));
        assert!(meter.settle::<()>(Err(Denial::new(Reason::NoPermit))) == Err(meter.denial()));
    }

    #[test]
    fn what_a_rule_leaves_is_not_the_next_ones() {
        let meter = Meter::of(10);
        for _ in 0..100 {
            assert!(meter.for_rule(|| meter.charge(STEPS_PER_RULE as usize, Work::Visiting)));
        }
        assert_eq!(meter.taken(), 0);
        assert!(meter.for_rule(|| meter.charge(STEPS_PER_RULE as usize + 4, Work::Visiting)));
        assert_eq!(meter.taken(), 4);
        assert!(meter.charge(1, Work::Visiting));
        assert_eq!(meter.taken(), 5);
    }

    #[test]
    fn a_part_leaves_what_it_does_not_take() {
        let meter = Meter::of(10);
        assert!(!meter.at_most(4, |part| part.charge(5, Work::Containing)));
        assert!(!meter.is_spent() && meter.taken() == 4, "the part is spent, and not the whole");
        assert!(meter.at_most(4, |part| part.charge(1, Work::Containing)));
        assert_eq!(meter.taken(), 5);
        assert!(!meter.at_most(6, |part| part.charge(6, Work::Containing)));
        assert!(meter.is_spent(), "more would have been done, had there been more");
    }
}
