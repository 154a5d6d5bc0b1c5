//! The debts: what was done when the glass was broken, and is not reviewed.

use std::sync::Arc;

use crate::approval::name::Names;
use crate::audit::{LeftDebt, SinkError};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::{Assertion, Identity};
use crate::policy::BreakGlassTerms;
use crate::sync::{Mutex, MutexGuard};

/// How many debts of one person are open at most. Each is a use of the emergency path that somebody has to
/// look at.
const MOST_OF_ONE: usize = 64;

/// One use of the emergency path that owes a review.
pub(crate) struct Owed {
    pub(crate) grant: GrantId,
    pub(crate) task: Box<str>,
    pub(crate) generation: u64,
    pub(crate) who: Identity,
    pub(crate) justification: Box<str>,
    pub(crate) rules: Box<[OwedRule]>,
    pub(crate) since: Timestamp,
    pub(crate) due: Timestamp,
    /// It refuses the next use before it is due, too.
    pub(crate) refuses_while_open: bool,
}

/// A permit that gave it, and its terms then, unless a restart has lost them.
pub(crate) struct OwedRule {
    pub(crate) id: Arc<str>,
    pub(crate) terms: Option<Box<BreakGlassTerms>>,
}

/// Every debt that is open, the oldest first. Its lock is taken after a task's, and held until the record of a
/// change has its place, so that the log has changes in the order in which they were made.
#[derive(Default)]
pub(crate) struct Debts(Mutex<Book>);

#[derive(Default)]
pub(crate) struct Book(Vec<(Names, Arc<Owed>)>);

impl Owed {
    /// What a log says was owed when it ended. Whom the rules of then described is lost with the process: those
    /// of today do.
    pub(super) fn again(left: &LeftDebt, broker: u64) -> Result<Owed, SinkError> {
        let unreadable = || {
            SinkError::new(&format!(
                "the log owes a review of grant `{}`, which can't be read",
                left.grant()
            ))
        };
        let named = Assertion::human(left.who());
        let named = left.aliases().fold(named, Assertion::alias);
        let rule = |id: &str| OwedRule { id: id.into(), terms: None };
        Ok(Owed {
            grant: GrantId::parse(left.grant()).ok_or_else(unreadable)?,
            task: left.task().into(),
            generation: left.generation(),
            who: named.attest(broker).map_err(|_| unreadable())?,
            justification: left.justification().into(),
            rules: left.rules().map(rule).collect(),
            since: left.since(),
            due: left.due(),
            refuses_while_open: left.refuses_while_open(),
        })
    }
}

impl Debts {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock()
    }
}

impl Book {
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Owed>> {
        self.0.iter().map(|(_, owed)| owed)
    }

    /// Whether the person may break the glass, as far as debts go.
    ///
    /// # Errors
    /// [`Reason::ReviewOwed`], or [`Reason::TooMany`].
    pub(super) fn check(
        &self,
        who: &Identity,
        refuses_while_open: bool,
        now: Timestamp,
    ) -> Result<(), Denial> {
        // Who was known by two names once is known by either.
        let names = Names::of_party(who).linked_by(self.0.iter().map(|(own, _)| own));
        let theirs = self.0.iter().filter(|(own, _)| own.meet(&names)).map(|(_, owed)| owed);
        let refusing =
            |owed: &&Arc<Owed>| refuses_while_open || owed.refuses_while_open || now >= owed.due;
        if let Some(owed) = theirs.clone().find(refusing) {
            let Owed { grant, due, .. } = &**owed;
            return Err(Denial::new(Reason::ReviewOwed).because(format_args!(
                "what was done on grant `{grant}` has not been reviewed, due {due}"
            )));
        }
        if theirs.count() >= MOST_OF_ONE {
            let who = who.subject();
            return Err(Denial::new(Reason::TooMany).because(format_args!(
                "`{who}` has {MOST_OF_ONE} reviews open: have some of them closed"
            )));
        }
        Ok(())
    }

    pub(super) fn add(&mut self, owed: Arc<Owed>) {
        self.0.push((Names::of_party(&owed.who), owed));
    }

    /// Takes a debt out; whether it was there.
    pub(super) fn remove(&mut self, grant: GrantId) -> bool {
        let before = self.0.len();
        self.0.retain(|(_, owed)| owed.grant != grant);
        self.0.len() < before
    }
}
