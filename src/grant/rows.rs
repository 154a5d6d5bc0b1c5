//! The live grants of one task: one for most tasks, a hundred thousand for some.

use std::collections::HashMap;

use super::id::GrantId;
use super::row::Row;

/// How many descendants of an ended grant are removed in one step. All of them are dead from that
/// step on, because the grant they hang from is gone; sweeping removes the rest.
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
    /// Live grants, those included that descend from one that has ended and are not removed yet.
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
    /// they were removed [at once](AT_ONCE).
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

    /// Removes up to `most` descendants of grants that have ended; returns how many.
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

    /// Drops up to `most` grants of a task that is over; returns whether any is left.
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
/// ended, and its children are being removed) or free.
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

    /// Removes children of the dying, and the dying that have none left, down to the first `others`.
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
mod tests;
