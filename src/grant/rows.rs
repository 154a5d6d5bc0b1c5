//! The live grants of one task: one for most tasks, a hundred thousand for some.

use std::collections::HashMap;

use super::id::GrantId;
use super::row::Row;

/// How many grants below one that ends are put away in the same step. All of them are dead from that
/// step on, because the grant they hang from is gone; the rest is put away by sweeping.
pub(super) const AT_ONCE: usize = 1024;

/// The grants of one task.
///
/// Finding one, adding one and ending one without children cost the same however many there are.
#[derive(Default)]
pub(crate) enum Rows {
    #[default]
    None,
    One(Row),
    Many(Box<Tree>),
}

impl Rows {
    /// Live grants, those included that hang from one that has ended and are not put away yet.
    pub(crate) fn len(&self) -> usize {
        match self {
            Rows::None => 0,
            Rows::One(_) => 1,
            Rows::Many(tree) => tree.places.len(),
        }
    }

    /// How many there is room taken by, dead ones included.
    pub(crate) fn slots(&self) -> usize {
        match self {
            Rows::None => 0,
            Rows::One(_) => 1,
            Rows::Many(tree) => tree.slots.len(),
        }
    }

    pub(crate) fn get(&self, id: GrantId) -> Option<&Row> {
        match self {
            Rows::None => None,
            Rows::One(row) => Some(row).filter(|row| row.id == id),
            Rows::Many(tree) => tree.slots.get(*tree.places.get(&id)? as usize)?.row.as_ref(),
        }
    }

    pub(crate) fn get_mut(&mut self, id: GrantId) -> Option<&mut Row> {
        match self {
            Rows::None => None,
            Rows::One(row) => Some(row).filter(|row| row.id == id),
            Rows::Many(tree) => tree.slots.get_mut(*tree.places.get(&id)? as usize)?.row.as_mut(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> {
        let (one, many) = match self {
            Rows::None => (None, None),
            Rows::One(row) => (Some(row), None),
            Rows::Many(tree) => {
                (None, Some(tree.slots.iter().filter_map(|slot| slot.row.as_ref())))
            }
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(crate) fn push(&mut self, row: Row) {
        match std::mem::take(self) {
            Rows::None => *self = Rows::One(row),
            Rows::One(first) => {
                let mut tree = Box::new(Tree::default());
                tree.add(first);
                tree.add(row);
                *self = Rows::Many(tree);
            }
            Rows::Many(mut tree) => {
                tree.add(row);
                *self = Rows::Many(tree);
            }
        }
    }

    /// Takes a grant out, and with it all that hangs from it: their ids, its own first, as far as
    /// they were put away [at once](AT_ONCE).
    pub(crate) fn end(&mut self, id: GrantId) -> Vec<GrantId> {
        self.end_and_bury(id, AT_ONCE)
    }

    fn end_and_bury(&mut self, id: GrantId, most: usize) -> Vec<GrantId> {
        match self {
            Rows::One(row) if row.id == id => {
                *self = Rows::None;
                vec![id]
            }
            Rows::Many(tree) => {
                let mut ended = Vec::new();
                // Others that ended before wait below in the pile, and are none of this one's.
                let others = tree.dying.len();
                tree.end(id, &mut ended);
                tree.bury(most, others, |id| ended.push(id));
                ended
            }
            Rows::None | Rows::One(_) => Vec::new(),
        }
    }

    /// Puts away up to so many of those that hang from a grant that has ended; how many it was.
    pub(crate) fn bury(&mut self, most: usize) -> usize {
        let mut buried = 0;
        if let Rows::Many(tree) = self {
            tree.bury(most, 0, |_| buried += 1);
            if tree.places.is_empty() && tree.dying.is_empty() {
                *self = Rows::None;
            }
        }
        buried
    }

    /// Drops up to so many grants of a task that is over; whether any is left.
    pub(crate) fn drop_some(&mut self, most: usize) -> bool {
        match self {
            Rows::Many(tree) if tree.slots.len() > most => {
                tree.slots.truncate(tree.slots.len() - most);
                true
            }
            _ => {
                *self = Rows::None;
                false
            }
        }
    }
}

/// No slot.
const NONE: u32 = u32::MAX;

/// Grants in slots that stay where they are, linked to their children.
///
/// INVARIANT: a slot that holds a row has its place in `places`. One without is either dying (it has
/// ended, and its children are being put away) or free.
#[derive(Default)]
pub(crate) struct Tree {
    slots: Vec<Slot>,
    places: HashMap<GrantId, u32>,
    /// Ended, with children left; the last is at work.
    dying: Vec<u32>,
    free: Vec<u32>,
}

struct Slot {
    row: Option<Row>,
    child: u32,
    next: u32,
    /// The sibling before; the first child has its parent's slot here.
    before: u32,
}

impl Tree {
    fn add(&mut self, row: Row) {
        let parent = row.parent.and_then(|parent| self.places.get(&parent).copied());
        let id = row.id;
        let mut slot = Slot { row: Some(row), child: NONE, next: NONE, before: NONE };
        let at = self.free.pop().unwrap_or(self.slots.len() as u32);
        if let Some(parent) = parent
            && let Some(above) = self.slot(parent)
        {
            slot.next = std::mem::replace(&mut above.child, at);
            slot.before = parent;
            let next = slot.next;
            if let Some(next) = self.slot(next) {
                next.before = at;
            }
        }
        match self.slot(at) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.places.insert(id, at);
    }

    /// Ends one: from here on nothing finds it, and so nothing below it counts.
    fn end(&mut self, id: GrantId, ended: &mut Vec<GrantId>) {
        if let Some(at) = self.places.remove(&id) {
            self.unlink(at);
            if let Some(slot) = self.slot(at) {
                slot.row = None;
            }
            self.dying.push(at);
            ended.push(id);
        }
    }

    /// Puts away children of the dying, and the dying that have none left, down to the first `others`.
    fn bury(&mut self, most: usize, others: usize, mut buried: impl FnMut(GrantId)) {
        let mut left = most;
        while let Some(at) = self.dying.get(others..).and_then(<[u32]>::last).copied() {
            let child = self.slot(at).map_or(NONE, |slot| slot.child);
            if child == NONE {
                self.dying.pop();
                self.free.push(at);
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            self.unlink(child);
            if let Some(row) = self.slot(child).and_then(|slot| slot.row.take()) {
                self.places.remove(&row.id);
                buried(row.id);
            }
            self.dying.push(child);
        }
        self.give_back_memory();
    }

    /// Takes a slot out of its parent's list of children.
    fn unlink(&mut self, at: u32) {
        let Some(slot) = self.slot(at) else { return };
        let (before, next) = (slot.before, slot.next);
        (slot.before, slot.next) = (NONE, NONE);
        if let Some(before) = self.slot(before) {
            if before.child == at {
                before.child = next;
            } else {
                before.next = next;
            }
        }
        if let Some(next) = self.slot(next) {
            next.before = before;
        }
    }

    /// Moves together once three quarters have gone, so that memory follows what is live, and each
    /// grant that ends pays for its own share of the moving.
    fn give_back_memory(&mut self) {
        if self.slots.len() < 64 || self.places.len() * 4 > self.slots.len() {
            return;
        }
        if !self.dying.is_empty() {
            return;
        }
        let mut moved: Vec<u32> = Vec::with_capacity(self.slots.len());
        let mut live = 0;
        for slot in &self.slots {
            moved.push(if slot.row.is_some() { live } else { NONE });
            live += u32::from(slot.row.is_some());
        }
        let to = |at: u32| moved.get(at as usize).copied().unwrap_or(NONE);
        let slots = std::mem::take(&mut self.slots).into_iter().filter(|slot| slot.row.is_some());
        self.slots = Vec::with_capacity(live as usize);
        self.slots.extend(slots.map(|slot| Slot {
            child: to(slot.child),
            next: to(slot.next),
            before: to(slot.before),
            row: slot.row,
        }));
        self.free = Vec::new();
        for at in self.places.values_mut() {
            *at = to(*at);
        }
        self.places.shrink_to_fit();
    }

    fn slot(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;
    use crate::identity::{Assertion, Identity};

    fn id(n: u8) -> GrantId {
        GrantId::from_bytes([n; 16])
    }

    fn row(who: &Identity, n: u8, parent: Option<u8>) -> Row {
        let now = Timestamp::MIN;
        Row {
            id: id(n),
            serial: 1,
            holder: who.share(),
            terms: Arc::default(),
            parent: parent.map(id),
            hops: 0,
            first_issued: now,
            issued: now,
            expires: now,
            last_used: now,
            epoch: 1,
            nonces: None,
        }
    }

    /// Which grants live, by a list of children and parents and nothing else.
    fn lives(parents: &BTreeMap<u8, Option<u8>>, n: u8) -> bool {
        match parents.get(&n) {
            None => false,
            Some(None) => true,
            Some(Some(parent)) => lives(parents, *parent),
        }
    }

    fn found(rows: &Rows, n: u8) -> bool {
        let mut next = Some(id(n));
        while let Some(id) = next {
            let Some(row) = rows.get(id) else { return false };
            next = row.parent;
        }
        true
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(u8, Option<u8>),
        End(u8, usize),
        Bury(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let add = (0_u8..=255, prop::option::weighted(0.8, 0_u8..=255));
        prop_oneof![
            6 => add.prop_map(|(n, parent)| Step::Add(n, parent)),
            2 => (0_u8..=255, 0_usize..3).prop_map(|(n, most)| Step::End(n, most)),
            1 => (0_usize..3).prop_map(Step::Bury),
        ]
    }

    proptest! {
        #[test]
        fn rows_say_what_a_list_of_parents_says(steps in prop::collection::vec(step(), 1..150)) {
            let who = Assertion::agent("a").attest(1).unwrap();
            let (mut rows, mut parents) = (Rows::default(), BTreeMap::new());
            let mut used = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Add(n, parent) => {
                        // Ids are never used twice, and a parent lives when it is asked.
                        let parent = parent.filter(|parent| lives(&parents, *parent));
                        if used.insert(n) {
                            rows.push(row(&who, n, parent));
                            parents.insert(n, parent);
                        }
                    }
                    Step::End(n, most) => {
                        let ended = rows.end_and_bury(id(n), most);
                        prop_assert_eq!(!ended.is_empty(), parents.remove(&n).is_some());
                        parents.retain(|own, _| rows.get(id(*own)).is_some());
                    }
                    Step::Bury(most) => {
                        rows.bury(most);
                        parents.retain(|own, _| rows.get(id(*own)).is_some());
                    }
                }
                for n in used.iter().copied() {
                    prop_assert_eq!(found(&rows, n), lives(&parents, n), "{}", n);
                }
                prop_assert_eq!(rows.iter().count(), parents.len());
                prop_assert_eq!(rows.len(), parents.len());
            }
            let roots: Vec<u8> = parents.keys().copied().collect();
            for n in roots {
                rows.end(id(n));
            }
            rows.bury(0);
            prop_assert!(matches!(rows, Rows::None), "memory is given back");
        }
    }

    #[test]
    fn a_large_family_is_dead_at_once_and_put_away_in_steps() {
        let who = Assertion::agent("a").attest(1).unwrap();
        let mut rows = Rows::default();
        let number = |n: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            GrantId::from_bytes(bytes)
        };
        rows.push(row(&who, 255, None));
        rows.push(Row { id: number(0), ..row(&who, 0, None) });
        for n in 1..10_000 {
            // Half hang from the first, half each from the one before.
            let parent = if n % 2 == 0 { number(0) } else { number(n - 1) };
            rows.push(Row { id: number(n), parent: Some(parent), ..row(&who, 0, None) });
        }
        let ended = rows.end(number(0));
        assert_eq!(ended.len(), AT_ONCE + 1);
        assert_eq!(ended[0], number(0));
        assert_eq!(rows.len(), 10_000 - AT_ONCE);
        let mut steps = 0;
        while rows.bury(AT_ONCE) > 0 {
            steps += 1;
        }
        assert_eq!((steps, rows.len()), (9, 1));
        assert!(rows.get(id(255)).is_some());
        let Rows::Many(tree) = &rows else { panic!("it has been many") };
        assert!(tree.slots.capacity() < 64, "memory is given back");
    }
}
