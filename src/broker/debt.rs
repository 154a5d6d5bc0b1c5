//! Review debts: what was done when the glass was broken is looked at by somebody else.

use std::sync::Arc;

use super::current::Current;
use super::debts::Owed;
use super::not_counted::NotCounted;
use super::retire::End;
use super::reviews::Reviews;
use super::shared::Shared;
use crate::approval::name::Names;
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::denial::Reason;
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::sync::Apart;
use crate::visible::cut;

/// How many bytes of a verdict the log keeps.
const MAX_VERDICT: usize = 128;
/// How many bytes of a note the log keeps.
const MAX_NOTE: usize = 4096;

/// A use of the emergency path that owes a review: see [`Task::break_glass`](crate::Task::break_glass).
#[derive(Clone)]
pub struct Debt {
    shared: Arc<Apart<Arc<Shared>>>,
    owed: Arc<Owed>,
}

impl Debt {
    /// The grant that breaking the glass gave: the log's records of it say what was done.
    pub fn grant(&self) -> GrantId {
        self.owed.grant
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.owed.task
    }

    /// Who broke the glass.
    pub fn who(&self) -> &str {
        self.owed.who.subject().as_str()
    }

    /// Why, in that person's words: escape it before a person sees it.
    pub fn justification(&self) -> &str {
        &self.owed.justification
    }

    /// The permits that gave it.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.owed.rules.iter().map(|rule| &*rule.id)
    }

    /// When the glass was broken.
    pub fn since(&self) -> Timestamp {
        self.owed.since
    }

    /// Until when it has to be reviewed. From then on this person can't break the glass again.
    pub fn due(&self) -> Timestamp {
        self.owed.due
    }

    /// Whether it is past its time.
    pub fn is_overdue(&self) -> bool {
        self.shared.time_of_end().is_none_or(|now| now >= self.owed.due)
    }
}

impl Reviews {
    /// Every use of the emergency path that is not reviewed, the oldest first.
    pub fn debts(&self) -> Vec<Debt> {
        if self.shared.is_forked() {
            return Vec::new();
        }
        let debt = |owed: &Arc<Owed>| Debt { shared: self.shared.clone(), owed: owed.clone() };
        self.shared.debts.book().all().map(debt).collect()
    }

    /// Somebody else has looked at what was done: what they found, in a word, and a note. The grant ends, if
    /// it lives, so that nothing is done on it that was not looked at.
    ///
    /// They fit the `review` line of every rule that gave it, as it stands today or, where there is no such rule any
    /// more, as it stood then; and are, by none of their names, who broke the glass. It is never too late: what is
    /// overdue keeps that person from the next use, and is closed like any other.
    ///
    /// # Errors
    /// [`NotCounted`] says why it does not count.
    pub fn close_debt(
        &self,
        debt: &Debt,
        who: &Identity,
        verdict: &str,
        note: &str,
    ) -> Result<(), NotCounted> {
        let (shared, owed) = (&self.shared, &debt.owed);
        if debt.shared.id != shared.id {
            return Err(NotCounted::NotOwed);
        }
        let now = shared.time_of_answer()?;
        let counted = shared.may_close(owed, who, (verdict, note), now);
        if counted.is_ok()
            && let Some(cell) = shared.table.task(owed.generation)
        {
            let _ = shared.end(&cell, End::Grant { id: owed.grant, why: Reason::Revoked });
        }
        let mut book = shared.debts.book();
        let counted = counted.and_then(|()| match book.remove(owed.grant) {
            true => Ok(()),
            false => Err(NotCounted::NotOwed),
        });
        let event = Event::DebtClosed {
            task: (&*owed.task).into(),
            generation: owed.generation,
            grant: owed.grant.to_string().into(),
            who: who.subject().as_str().into(),
            aliases: who.aliases().map(Into::into).collect(),
            verdict: cut(verdict, MAX_VERDICT),
            note: cut(note, MAX_NOTE),
            refused: counted.err().map(|refused| refused.as_str().into()),
        };
        shared.record(now, &event);
        drop(book);
        shared.journal.write_if_many();
        counted
    }
}

impl Shared {
    fn may_close(
        &self,
        owed: &Owed,
        who: &Identity,
        (verdict, note): (&str, &str),
        now: Timestamp,
    ) -> Result<(), NotCounted> {
        self.check_answerer(who, now)?;
        if verdict.trim().is_empty() || note.trim().is_empty() {
            return Err(NotCounted::Unsaid);
        }
        let is_another = !Names::of_party(who).meet(&Names::of_party(&owed.who));
        match is_another && owed.is_described(&self.current(), who) {
            true => Ok(()),
            false => Err(NotCounted::NotEligible),
        }
    }
}

impl Owed {
    /// Whether the lines of every rule that gave it describe somebody.
    fn is_described(&self, current: &Current, who: &Identity) -> bool {
        let policy = &current.policy;
        let (who, broke) = (current.restated.seen(who), current.restated.seen(&self.who));
        let describes = |own: &super::debts::OwedRule| {
            let today = policy.place_of(&own.id).and_then(|at| policy.rule(at));
            let today = today.and_then(|rule| rule.break_glass.as_deref());
            let terms = today.or(own.terms.as_deref());
            terms.is_some_and(|terms| terms.describe(&who, &broke))
        };
        !self.rules.is_empty() && self.rules.iter().all(describes)
    }
}

/// The grant, who and when.
impl std::fmt::Debug for Debt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Debt")
            .field("grant", &self.owed.grant)
            .field("who", &self.who())
            .field("due", &self.owed.due)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::debts::Owed;
    use crate::prelude::*;

    /// Doubt denies: where no rule is known to have given it, no one is known to be who may review it.
    #[test]
    fn what_no_rule_gave_is_reviewed_by_no_one() {
        let broker = Broker::new(Policy::builder().build().unwrap()).unwrap();
        let [ada, eve] =
            ["ada", "eve"].map(|name| broker.assert_identity(Assertion::human(name)).unwrap());
        let shared = &broker.shared;
        let now = shared.now().unwrap();
        let owed = Owed {
            grant: shared.ids.next(1).unwrap(),
            task: "incident".into(),
            generation: 1,
            who: ada,
            justification: "orders are down".into(),
            rules: [].into(),
            since: now,
            due: now,
            refuses_while_open: false,
        };
        assert!(!owed.is_described(&shared.current(), &eve));
    }
}
