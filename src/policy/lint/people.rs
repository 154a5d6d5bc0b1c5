//! Rules that match none of those who are there, and asks that they can't answer.

use std::cell::Cell;
use std::collections::HashMap;

use super::warning::{Findings, WarningCode};
use crate::approval::quorum::{Fits, MOST_PLACES};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::ApprovalTerms;
use crate::policy::effect::Effect;
use crate::policy::reviewer::Reviewer;
use crate::policy::rule::Rule;
use crate::scope::{Condition, Fact, Stance, Truth};

/// How many times an identity is compared with a rule, or with a line of reviewers, in all.
const MOST_COMPARED: usize = 50_000_000;

/// The steps that one such comparison may take.
const STEPS: u64 = 100_000;

/// All who call, and all who review.
pub(super) struct People<'i> {
    all: &'i [Identity],
    left: Cell<usize>,
}

impl<'i> People<'i> {
    pub(super) fn of(all: &'i [Identity]) -> Self {
        People { all, left: Cell::new(MOST_COMPARED) }
    }

    pub(super) fn look_at(&self, rule: &Rule, findings: &mut Findings<'_>) {
        if self.matches_no_one(rule) == Some(true) {
            let message = "it matches none of the identities that are given";
            findings.add(WarningCode::MatchesNoOne, "who", message);
        }
        let reviews = rule.break_glass.as_ref().map(|own| (&own.review, "break_glass.review"));
        let asks = rule.approval.as_deref().map(|own| (own, "approval.review"));
        for (terms, at) in asks.into_iter().chain(reviews) {
            if self.can_answer(terms) == Some(false) {
                let message = "those of the identities given that its lines describe can't fill all places, each \
                               filling one: they could never agree";
                findings.add(WarningCode::QuorumOfNone, at, message);
            }
        }
    }

    /// `None` where it can't be told, or takes too long.
    fn matches_no_one(&self, rule: &Rule) -> Option<bool> {
        let of_who: Vec<&Condition> = rule
            .conditions
            .iter()
            .filter(|own| own.fact.is_of_the_asker())
            .filter(|own| !own.constraint.compares_with(&|fact| !fact.is_of_the_asker()))
            .collect();
        if of_who.is_empty() {
            return None;
        }
        for who in self.all {
            self.pay(1)?;
            let meter = Meter::of(STEPS);
            let all = of_who.iter().all(|own| {
                let facts = Reviewer { who, asker: who };
                match rule.effect {
                    Effect::Permit => own.holds(Stance::Cover, facts, &meter) == Truth::True,
                    Effect::Ask | Effect::Forbid => {
                        own.holds(Stance::Guard, facts, &meter).may_hold()
                    }
                }
            });
            if all || meter.is_spent() {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether those who are there can fill all places of an ask, whichever of them asked; `None` where it asks no one to review, or
    /// it takes too long to tell.
    fn can_answer(&self, terms: &ApprovalTerms) -> Option<bool> {
        terms.quorum()?;
        let is_of_asker =
            |own: &Condition| own.constraint.compares_with(&|fact| matches!(fact, Fact::Asker(_)));
        let lines = terms.lines();
        let asks_the_asker = lines.iter().any(|line| line.iter().any(is_of_asker));
        let askers = if asks_the_asker { self.all } else { self.all.get(..1).unwrap_or_default() };
        for asker in askers {
            self.pay(self.all.len())?;
            // One who asks does not answer, which only a comparison with the asker leaves out here: what is told is so
            // whichever of them asks.
            let mut fitting: HashMap<Fits, u32> = HashMap::new();
            for who in self.all {
                let fits = terms.fits(Reviewer { who, asker });
                let is_asker = asks_the_asker && who.subject() == asker.subject();
                if !fits.is_none() && !is_asker {
                    let count = fitting.entry(fits).or_default();
                    // More who fit the same lines fill no more places.
                    *count = (*count + 1).min(MOST_PLACES);
                }
            }
            let people: Vec<Fits> = fitting
                .into_iter()
                .flat_map(|(fits, count)| std::iter::repeat_n(fits, count as usize))
                .collect();
            if people.len() > crate::approval::quorum::MOST_PEOPLE {
                return None;
            }
            if terms.reviewed_by(&people)?.is_met() {
                return Some(true);
            }
        }
        Some(false)
    }

    fn pay(&self, compared: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(compared)?);
        Some(())
    }
}
