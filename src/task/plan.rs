//! A plan: what calls may be, waiting until people agree to it item by item.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::grant::GrantId;
use crate::scope::{Capability, Scope, encode_scope};
use crate::value::Digest;

/// How many items a plan may have: as many as a person can be asked to read at once.
pub(crate) const MOST_ITEMS: usize = 64;

/// What was asked for at a request, a delegation or a renewal.
pub(crate) struct ScopePlan {
    /// All of it, in order.
    pub(crate) capabilities: Box<[Capability]>,
    /// The same as it was written, and what else it says.
    pub(crate) scope: Scope,
    /// The grant that it is to be delegated from.
    pub(crate) parent: Option<GrantId>,
    /// What asks withhold of it: the items that people answer, numbered from 1.
    pub(crate) items: Box<[Item]>,
}

/// A capability that asks withhold.
pub(crate) struct Item {
    /// Which of the plan's capabilities it is.
    pub(crate) at: usize,
    /// The asks that withhold this one, by id.
    pub(crate) asks: Box<[Arc<str>]>,
    /// The tool's entry in the catalogue.
    pub(crate) listed: Option<Digest>,
}

impl ScopePlan {
    pub(crate) fn capability(&self, item: &Item) -> Option<&Capability> {
        self.capabilities.get(item.at)
    }

    /// The capabilities of the items, in order.
    pub(crate) fn withheld(&self) -> impl Iterator<Item = &Capability> {
        self.items.iter().filter_map(|item| self.capability(item))
    }

    /// Whether it is the same that is asked for, and of each item all are asked whom the other asks.
    pub(crate) fn is_same(&self, other: &ScopePlan) -> bool {
        let asks_all = |(own, other): (&Item, &Item)| {
            own.at == other.at && other.asks.iter().all(|ask| own.asks.contains(ask))
        };
        self.capabilities.len() == other.capabilities.len()
            && self.capabilities.iter().zip(&other.capabilities).all(says_the_same)
            && self.scope.verifiers() == other.scope.verifiers()
            && self.scope.is_digested() == other.scope.is_digested()
            && self.scope.asked_times() == other.scope.asked_times()
            && self.parent == other.parent
            && self.items.len() == other.items.len()
            && self.items.iter().zip(&other.items).all(asks_all)
    }

    /// What is left of the scope where only these of its items are given.
    pub(crate) fn part(&self, given: Items) -> Scope {
        let is_given = |at: usize| {
            let item = self.items.iter().position(|item| item.at == at);
            item.is_none_or(|item| given.has(item))
        };
        let all = self.capabilities.iter().enumerate();
        let kept: Vec<Capability> =
            all.filter(|(at, _)| is_given(*at)).map(|(_, own)| own.clone()).collect();
        self.scope.with(&kept)
    }
}

/// Whether two capabilities say the same, in whatever order.
fn says_the_same((own, other): (&Capability, &Capability)) -> bool {
    let bytes = |own: &Capability| encode_scope(&[own]).ok();
    own == other || bytes(own).is_some_and(|own| bytes(other) == Some(own))
}

/// Some of a plan's items: one bit for each. Of a question about a call, the first is the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items(u64);

impl Items {
    pub(crate) const NONE: Items = Items(0);
    pub(crate) const FIRST: Items = Items(1);

    /// The first of them, this number.
    pub(crate) fn all(number: usize) -> Items {
        (0..number.min(MOST_ITEMS)).fold(Items::NONE, Items::and)
    }

    pub(crate) fn and(self, item: usize) -> Items {
        let bit = u32::try_from(item).ok().and_then(|item| 1_u64.checked_shl(item));
        Items(self.0 | bit.unwrap_or(0))
    }

    pub(crate) fn or(self, other: Items) -> Items {
        Items(self.0 | other.0)
    }

    pub(crate) fn meet(self, other: Items) -> Items {
        Items(self.0 & other.0)
    }

    pub(crate) fn has(self, item: usize) -> bool {
        !self.meet(Items::NONE.and(item)).is_none()
    }

    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Their places, counted from 0.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..MOST_ITEMS).filter(move |item| self.has(*item))
    }

    /// Their numbers, counted from 1, as people and records count them.
    pub(crate) fn numbers(self) -> impl Iterator<Item = u32> {
        (1..).zip(0..MOST_ITEMS).filter(move |(_, item)| self.has(*item)).map(|(number, _)| number)
    }
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ItemStanding {
    pub(super) answer: ItemAnswer,
    /// Whether a grant was taken for it.
    pub(super) is_taken: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum ItemAnswer {
    #[default]
    Waiting,
    Approved {
        good_until: Timestamp,
    },
    Denied,
    /// A no took back a yes.
    Withdrawn,
}

impl ItemStanding {
    pub(super) fn waits(&self) -> bool {
        matches!(self.answer, ItemAnswer::Waiting)
    }

    pub(super) fn is_denied(&self) -> bool {
        matches!(self.answer, ItemAnswer::Denied | ItemAnswer::Withdrawn)
    }

    /// What a no makes of it.
    pub(super) fn refused(&self) -> ItemAnswer {
        match self.good_until() {
            Some(_) => ItemAnswer::Withdrawn,
            None => ItemAnswer::Denied,
        }
    }

    /// Until when a yes to it is good, if there is one.
    pub(super) fn good_until(&self) -> Option<Timestamp> {
        match self.answer {
            ItemAnswer::Approved { good_until } => Some(good_until),
            ItemAnswer::Waiting | ItemAnswer::Denied | ItemAnswer::Withdrawn => None,
        }
    }
}
