//! The conditions of a rule, of which those that many rules end in are kept once.

use std::iter::Chain;
use std::slice::Iter;
use std::sync::Arc;

use crate::scope::{Condition, Constraint, Fact};

/// Everything that a rule asks of the question, in the order in which it was written.
///
/// Rules mostly end in conditions that others end in, too (`env = "prod"`, one purpose): once a policy is built, those
/// are one allocation for all of these rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// INVARIANT: every condition on the call is one of these.
    own: Box<[Condition]>,
    /// Behind its own; none of them on the call.
    shared: Option<Arc<[Condition]>>,
}

/// The most conditions at the end of a rule that are looked for at the end of others.
const MOST_SHARED: usize = 8;

impl Conditions {
    pub(crate) fn add(&mut self, fact: Fact, constraint: Constraint) {
        self.change(|own| Condition::add(own, fact, constraint));
    }

    /// Changes each of them.
    pub(super) fn try_for_each_mut<E>(
        &mut self,
        mut change: impl FnMut(&mut Condition) -> Result<(), E>,
    ) -> Result<(), E> {
        self.change(|own| own.iter_mut().try_for_each(&mut change))
    }

    /// A rule of a policy that was built may be changed and built again.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Vec<Condition>) -> T) -> T {
        let mut own = std::mem::take(&mut self.own).into_vec();
        own.extend(self.shared.take().iter().flat_map(|shared| shared.iter().cloned()));
        let changed = change(&mut own);
        self.own = own.into();
        changed
    }

    pub(crate) fn iter(&self) -> Chain<Iter<'_, Condition>, Iter<'_, Condition>> {
        self.own.iter().chain(self.shared())
    }

    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.shared().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those among which all conditions on the call are.
    pub(crate) fn own(&self) -> &[Condition] {
        &self.own
    }

    /// The others, which are behind these.
    pub(crate) fn shared(&self) -> &[Condition] {
        self.shared.as_deref().unwrap_or_default()
    }

    /// Has the last of its own be those that others end in, too: as many as there are of these.
    pub(super) fn share_end(&mut self, shared: Arc<[Condition]>) {
        let mut own = std::mem::take(&mut self.own).into_vec();
        own.truncate(own.len() - shared.len());
        *self = Conditions { own: own.into(), shared: Some(shared) };
    }

    /// What it ends in and could share, the longest first: conditions that are not on the call.
    pub(super) fn ends(&self) -> impl Iterator<Item = &[Condition]> {
        let on_the_call = self.own.iter().rposition(|own| own.fact.is_of_the_call());
        let first = on_the_call.map_or(0, |at| at + 1);
        let first = first.max(self.own.len().saturating_sub(MOST_SHARED));
        (first..self.own.len()).filter_map(|at| self.own.get(at..))
    }
}

impl<'c> IntoIterator for &'c Conditions {
    type Item = &'c Condition;
    type IntoIter = Chain<Iter<'c, Condition>, Iter<'c, Condition>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
