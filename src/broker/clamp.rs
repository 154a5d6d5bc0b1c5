//! Holding a live grant to what is tighter today.

use std::sync::Arc;
use std::time::Duration;

use super::offer::Offer;
use crate::clock::Timestamp;
use crate::grant::{Pool, Row, Stamp, Terms, implies};
use crate::policy::Limits;

impl Row {
    /// Takes over whatever is tighter today. Nothing is reset, and nothing is widened.
    pub(super) fn clamp(&mut self, given: Offer, life_ends: Option<Timestamp>, pool: &Pool<Terms>) {
        let mut terms = given.terms;
        terms.idle = [self.terms.idle, terms.idle].into_iter().flatten().min();
        if let Some(end) = self.issued.checked_add(given.ttl) {
            self.expires = self.expires.min(end);
        }
        self.limit_life(life_ends);
        if let Some(end) = self.life_ends() {
            self.expires = self.expires.min(end);
        }
        for (new, old) in terms.scope.iter_mut().zip(&self.terms.scope) {
            let mut stamps = std::mem::take(&mut new.stamps).into_vec();
            for stamp in &old.stamps {
                match stamps.iter_mut().find(|own| own.shares_counter_with(stamp)) {
                    // Those of the rule are shared as long as they say the same.
                    Some(own) if own.limits == stamp.limits => {}
                    Some(own) => {
                        let more = Arc::make_mut(&mut own.limits).tighten(&stamp.limits);
                        let more = more.map(Arc::new);
                        stamps.extend(more.map(|limits| Stamp { limits, ..stamp.clone() }));
                    }
                    None => stamps.push(Stamp::clone(stamp)),
                }
            }
            new.stamps = stamps.into();
        }
        self.terms = pool.share(terms);
    }
}

impl Limits {
    /// The tighter of both, limit by limit. Of two limits within windows either can be the tighter, by how
    /// long one looks: the other's is handed back then, to be enforced in addition.
    #[must_use]
    fn tighten(&mut self, other: &Limits) -> Option<Limits> {
        self.uses = [self.uses, other.uses].into_iter().flatten().min();
        let second = Limits {
            rate: tighter(&mut self.rate, other.rate),
            uses_within: tighter(&mut self.uses_within, other.uses_within),
            ..Limits::default()
        };
        for budget in &other.budgets {
            if !self.budgets.iter().any(|own| own.implies(budget)) {
                self.budgets.retain(|own| !budget.implies(own));
                self.budgets.push(budget.clone());
            }
        }
        self.keeps_abandoned |= other.keeps_abandoned;
        // A rule that does not say accepts none.
        self.tail = self.tail.min(other.tail);
        self.depth = [self.depth, other.depth].into_iter().flatten().min();
        second.count_calls().then_some(Limits { tail: self.tail, ..second })
    }
}

/// Leaves the tighter of two limits within windows; where neither is, the other is handed back.
fn tighter(
    own: &mut Option<(u64, Duration)>,
    other: Option<(u64, Duration)>,
) -> Option<(u64, Duration)> {
    match (*own, other) {
        (Some(own), Some(other)) if implies(own, other) => None,
        (Some(own), Some(other)) if !implies(other, own) => Some(other),
        (before, other) => {
            *own = other.or(before);
            None
        }
    }
}
