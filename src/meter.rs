//! What one question may cost, counted in steps.
//!
//! Limits on a text, a scope or a constraint bound each of them alone; what a question costs is their
//! product, and an agent chooses both sides. So each question is given a number of steps, and whatever asks
//! something of values, texts or patterns takes its steps from there before it does the work. Steps are
//! counted, not timed: the same question always has the same price, on whatever machine.
//!
//! What cannot be paid for is unknown, and a question of which anything was left unknown so is denied as
//! a whole: see [`Meter::settle`]. Fewer steps never give more.

use std::cell::{Cell, RefCell};
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
pub(crate) const STEPS_PER_RULE: u64 = 256;

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
    /// Of which tools which parties were asked about, in order. A scope has few tools: they are found sooner in a
    /// row than hashed.
    asked: RefCell<Vec<Asked>>,
    taken: [Cell<u64>; Work::ALL.len()],
}

/// Rules asked about a tool, for a party.
#[derive(Debug)]
struct Asked {
    tool: Box<str>,
    party: (usize, u8),
}

impl Meter {
    /// The steps of a question about this many bytes of call and scope.
    pub(crate) fn of_question(bytes: usize) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Meter::of(STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)))
    }

    /// More steps than anything takes that is compared by hand.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn ample() -> Self {
        Meter::of(4_000_000)
    }

    /// This many steps.
    #[inline]
    pub(crate) fn of(steps: u64) -> Self {
        #[cfg(test)]
        let steps = tests::at_most(steps);
        Meter {
            allowed: steps,
            left: Cell::new(steps),
            of_rule: Cell::new(0),
            spent: Cell::new(false),
            asked: RefCell::default(),
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
                #[cfg(test)]
                tests::note(true, steps);
                true
            }
            _ => {
                let paid = self.charge_question(steps, work);
                #[cfg(test)]
                tests::note(paid, steps);
                paid
            }
        }
    }

    /// As [`charge`](Self::charge), for comparing this many bytes.
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
                self.spend_all();
                false
            }
        }
    }

    /// Asks one rule, which has its own steps first if it was `found` for what is asked first.
    #[inline]
    pub(crate) fn for_rule<R>(&self, found: bool, ask: impl FnOnce() -> R) -> R {
        let own = STEPS_PER_RULE;
        #[cfg(test)]
        let own = tests::own_of_rule(own);
        if found && !self.spent.get() {
            self.of_rule.set(own);
        }
        let answer = ask();
        self.of_rule.set(0);
        answer
    }

    /// Does work that takes at most half of all steps, of those that are left. It may take up all of its
    /// own without the question being spent: what it then cannot tell is for it to say.
    pub(crate) fn at_most_half<R>(&self, work: impl FnOnce() -> R) -> R {
        if self.is_spent() {
            return work();
        }
        let steps = self.allowed / 2;
        let (left, of_rule) = (self.left.get(), self.of_rule.get());
        let all = left.saturating_add(of_rule);
        let part = steps.min(all);
        let (answer, rest, is_spent) = self.apart(part, work);
        if is_spent && steps > all {
            self.spend_all();
            return answer;
        }
        let used = part - rest;
        self.of_rule.set(of_rule.saturating_sub(used));
        self.left.set(left - used.saturating_sub(of_rule));
        answer
    }

    /// Does work with this many steps; what is left of them, and whether they were not enough. What was
    /// there before is for the caller to bring back.
    fn apart<R>(&self, steps: u64, work: impl FnOnce() -> R) -> (R, u64, bool) {
        self.left.set(steps);
        self.of_rule.set(0);
        let answer = work();
        (answer, self.left.get(), self.spent.replace(false))
    }

    fn spend_all(&self) {
        self.left.set(0);
        self.of_rule.set(0);
        self.spent.set(true);
    }

    /// Whether it is the first time that rules are asked about a tool for this party. A scope may name a
    /// tool many times: the rules that speak of it have steps of their own once.
    pub(crate) fn is_first(&self, tool: &str, party: (usize, u8)) -> bool {
        let mut asked = self.asked.borrow_mut();
        match asked.binary_search_by(|own| (&*own.tool, own.party).cmp(&(tool, party))) {
            Ok(_) => false,
            Err(at) => {
                asked.insert(at, Asked { tool: tool.into(), party });
                true
            }
        }
    }

    /// Whether something could not be paid for.
    #[inline]
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

    /// As [`settle`](Self::settle), where there is an answer.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Denial> {
        if self.is_spent() { Err(self.denial()) } else { Ok(()) }
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
mod tests;
