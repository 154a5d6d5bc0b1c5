//! What the store's answers mean to a node.

use std::time::Duration;

use super::act::Act;
use super::agent::{Agent, Applies, Ask, Reply, Stage, Why};
use super::entry::{Entry, EntryFault};
use super::neighbours::Neighbours;
use super::row::{NodeRow, NodeState, RowVersion, Said};
use super::store::{Snapshot, StoreError};
use super::wait::Wait;
use crate::clock::Reading;

/// A reply, with the readings before it was asked for and after it came.
pub(super) struct Answer<'a> {
    pub(super) asked: Reading,
    pub(super) now: Reading,
    pub(super) target: &'a dyn Applies,
}

/// Why a node gives nothing.
struct Fault {
    why: Box<str>,
    /// Whether no member of the fleet wrote it, or the store is not the one it was: that is recorded.
    is_foreign: bool,
}

impl Fault {
    fn foreign(why: &str) -> Fault {
        Fault { why: why.into(), is_foreign: true }
    }

    fn of(why: impl std::fmt::Display) -> Fault {
        Fault { why: why.to_string().into(), is_foreign: false }
    }
}

impl Agent {
    /// Takes the answer to what was asked last. An error says that nothing is known.
    pub(super) fn answer(&mut self, reply: Result<Reply, StoreError>, answer: &Answer<'_>) {
        let Some((ask, why)) = self.asked.take() else { return };
        match (why, ask, reply) {
            (Why::Look, _, Ok(Reply::Read(snapshot))) => self.looked(&snapshot, answer),
            (Why::Enter, Ask::Write { row, .. }, Ok(Reply::Written(done, snapshot))) => {
                self.entered(row.version(), done, &snapshot, answer);
            }
            (Why::Renew { gives }, Ask::Write { row, .. }, Ok(Reply::Written(true, snapshot))) => {
                self.renewed(row.version(), gives, &snapshot, answer);
            }
            (Why::Renew { .. }, _, Ok(Reply::Written(false, snapshot))) => {
                self.refused(&snapshot, answer);
            }
            (Why::Rows, _, Ok(Reply::Read(snapshot))) => self.saw_rows(&snapshot, answer),
            (Why::Append, Ask::Append { entry, .. }, Ok(Reply::Appended(true))) => {
                if let Err(why) = self.take_entry(&entry, answer) {
                    self.in_trouble(why, answer);
                }
            }
            (Why::Append, _, Ok(Reply::Appended(false))) => {
                self.reread = Some(answer.now.monotonic);
            }
            (Why::MarkOther(name), _, _) => self.neighbours.forget(&name),
            (Why::Leave, _, Ok(Reply::Written(true, _))) => {
                self.stage = Stage::Over(NodeState::Left);
            }
            (Why::Leave, _, Ok(Reply::Written(false, snapshot))) => {
                self.row = self.own_in(&snapshot).map(NodeRow::version);
            }
            (why, ..) => self.not_answered(&why, answer.now.monotonic),
        }
    }

    /// Renews soon, where an entry is heard of that is not applied: after a random part of the time between two looks, so that
    /// not all nodes ask at once. What is heard within that time is asked for once more, at its end: who can do no more than
    /// tell of entries makes little work.
    pub(super) fn hear(&mut self, number: u64, now: Duration) {
        let between = self.terms.between_looks();
        if number <= self.applied.number || self.stage != Stage::In {
            return;
        }
        if self.heard > now {
            self.due = self.due.min(self.heard);
            return;
        }
        self.heard = now.saturating_add(between);
        let random = self.random_byte();
        self.due = self.due.min(now.saturating_add(between * u32::from(random) / 256));
    }

    fn not_answered(&mut self, why: &Why, now: Duration) {
        let random = self.random_byte();
        let again = now.saturating_add(self.terms.until_retry(random));
        match why {
            // It may be there: what is new is read before it is tried again.
            Why::Append => self.reread = Some(again),
            Why::Rows => {
                self.reread = self.reread.map(|_| again);
                self.look_due = again;
                self.rows_due = self.rows_due.map(|_| again);
                self.due = self.due.max(again.min(now.saturating_add(self.terms.lease / 3)));
            }
            Why::Renew { .. } => {
                self.renewals.missed += 1;
                self.due = again;
            }
            _ => self.due = again,
        }
    }

    /// Before joining: everything is applied, then the name is looked at.
    fn looked(&mut self, snapshot: &Snapshot, answer: &Answer<'_>) {
        let now = answer.now.monotonic;
        self.due = now;
        if !self.follow(snapshot, answer) {
            return;
        }
        if self.past.is_some_and(|past| self.applied.number < past.number) {
            let why = "the store's mark is behind the one that was given";
            return self.in_trouble(Fault::foreign(why), answer);
        }
        if let Some((number, act)) = self.newest_reload.take()
            && let Err(why) = answer.target.apply(&act, number)
        {
            self.newest_reload = Some((number, act));
            return self.in_trouble(Fault::of(why), answer);
        }
        answer.target.has_caught_up();
        for row in snapshot.rows.iter().filter(|row| row.name != self.name) {
            let said = self.neighbours.look(&self.keys, row, now);
            note_strange(&mut self.neighbours, row, said.is_some(), answer);
        }
        let own = self.own_in(snapshot);
        let over = own.map(NodeRow::version);
        // What is not a member's word that a node is over is none.
        let lives =
            own.is_some_and(|row| row.state == NodeState::Live || row.open(&self.keys).is_none());
        if let (true, Some(other)) = (lives, over) {
            match self.stage {
                Stage::Watching { other: before, since } if before == other => {
                    let still = answer.asked.monotonic.saturating_sub(since);
                    if still < self.terms.surely_over() {
                        self.due = now.saturating_add(self.terms.lease / 3);
                        return;
                    }
                }
                _ => {
                    self.stage = Stage::Watching { other, since: now };
                    self.due = now.saturating_add(self.terms.lease / 3);
                    return;
                }
            }
        }
        let mut incarnation = [0; 16];
        match (self.random)(&mut incarnation) {
            Ok(()) => self.stage = Stage::Entering { incarnation, over },
            Err(error) => self.in_trouble(Fault::of(error), answer),
        }
    }

    /// The row is visible, and gives no lease: the renewal that does begins after this.
    fn entered(
        &mut self,
        written: RowVersion,
        done: bool,
        snapshot: &Snapshot,
        answer: &Answer<'_>,
    ) {
        let found = self.own_in(snapshot).map(NodeRow::version);
        // Where an answer was lost, the row may be there already.
        let entered = if done { Some(written) } else { found };
        let entered = entered.filter(|own| own.incarnation == written.incarnation);
        self.stage = entered.map_or(Stage::Looking, |_| Stage::In);
        self.row = entered;
        self.due = answer.now.monotonic;
    }

    /// A renewal that the store took: it extends the lease if what the node has applied is all there was, and the
    /// fleet knew of the node before.
    fn renewed(
        &mut self,
        written: RowVersion,
        gives: bool,
        snapshot: &Snapshot,
        answer: &Answer<'_>,
    ) {
        self.row = Some(written);
        let random = self.random_byte();
        if snapshot.head == self.applied {
            self.due = answer.now.monotonic;
            if gives {
                answer.target.extend_lease(&answer.asked);
                self.renewals.given += 1;
                let took = answer.now.monotonic.saturating_sub(answer.asked.monotonic);
                self.renewals.took = Some(took);
                let until = self.terms.until_renewal(random);
                self.due = answer.asked.monotonic.saturating_add(until);
            }
        } else {
            // There is something new: it is applied, and asked again at once.
            self.due = answer.now.monotonic;
            self.follow(snapshot, answer);
        }
    }

    /// A renewal that the store did not take: the row is not what it was.
    fn refused(&mut self, snapshot: &Snapshot, answer: &Answer<'_>) {
        let Some(own) = self.own_in(snapshot) else {
            return self.give_up(NodeState::Gone, answer);
        };
        let (found, is_ours) = (own.version(), own.open(&self.keys).is_some());
        let known = self.row.unwrap_or(found);
        if is_ours
            && (found.incarnation != known.incarnation
                || matches!(found.state, NodeState::Gone | NodeState::Left))
        {
            return self.give_up(NodeState::Gone, answer);
        }
        if !is_ours || found.counter < known.counter {
            let why = "the node's row in the store is not the one it wrote";
            return self.in_trouble(Fault::foreign(why), answer);
        }
        // An answer was lost, or the node was silent for so long that it was marked so.
        self.row = Some(found);
        self.due = answer.now.monotonic;
    }

    fn saw_rows(&mut self, snapshot: &Snapshot, answer: &Answer<'_>) {
        let now = answer.now.monotonic;
        self.reread = None;
        (self.rows_read, self.rows_due) = (now, None);
        self.look_due = now.saturating_add(self.terms.between_looks());
        if self.trouble.is_some() {
            // Tried again at the next renewal that is due.
            self.due = self.due.max(now);
        }
        self.follow(snapshot, answer);
        // What is not this fleet's store says nothing of who is there.
        if self.trouble.is_none() {
            self.look_at_rows(&snapshot.rows, answer);
        }
    }

    fn look_at_rows(&mut self, rows: &[NodeRow], answer: &Answer<'_>) {
        let now = answer.now.monotonic;
        // Once it is over, its name may be another's.
        let own = if matches!(self.stage, Stage::Over(_)) { "" } else { &*self.name };
        let others = rows.iter().filter(|row| *row.name != *own);
        let rows: Vec<(&NodeRow, Option<Said>)> =
            others.map(|row| (row, self.neighbours.look(&self.keys, row, now))).collect();
        for (row, said) in &rows {
            note_strange(&mut self.neighbours, row, said.is_some(), answer);
        }
        for wait in &mut self.waits {
            wait.look(own, &rows);
        }
        self.finish_waits(now);
    }

    pub(super) fn finish_waits(&mut self, now: Duration) {
        let surely_over = self.terms.surely_over();
        let before = self.waits.len();
        self.waits.retain_mut(|wait| !wait.is_over(now, surely_over));
        if self.waits.len() < before && self.waits.is_empty() {
            // Once more: who stood still all the time is marked, and no later act waits for it.
            let look = self.terms.between_looks() * 2;
            self.reread = self.reread.or(Some(now.saturating_add(look)));
        }
    }

    /// Takes what is new, in order; whether it has all there is.
    fn follow(&mut self, snapshot: &Snapshot, answer: &Answer<'_>) -> bool {
        for entry in &snapshot.entries {
            if entry.number > self.applied.number
                && let Err(why) = self.take_entry(entry, answer)
            {
                self.in_trouble(why, answer);
                return false;
            }
        }
        if snapshot.head == self.applied {
            self.trouble = None;
            return true;
        }
        if snapshot.head.number <= self.applied.number || snapshot.entries.is_empty() {
            let why = "the store's mark is not the one that this node has applied";
            self.in_trouble(Fault::foreign(why), answer);
        }
        false
    }

    /// Takes the next entry: verified, applied, and only then counted as applied.
    fn take_entry(&mut self, entry: &Entry, answer: &Answer<'_>) -> Result<(), Fault> {
        let number = entry.number;
        let act = entry.open(&self.keys, &self.applied).map_err(|fault| Fault {
            // What this version does not know, a member may have written.
            is_foreign: !matches!(fault, EntryFault::Unknown(_)),
            why: fault.to_string().into(),
        })?;
        if self.past.is_some_and(|past| past.number == number && past != entry.mark()) {
            let why = "the store's mark is another than the one that was given";
            return Err(Fault::foreign(why));
        }
        let own = self.owed.iter().position(|owed| owed.id == Some(entry.id));
        let in_effect = own.and_then(|at| self.owed.get(at)?.in_effect);
        let running = self
            .apply(&act, number, in_effect, answer.target)
            .map_err(|why| Fault::of(format_args!("entry {number}: {why}")))?;
        self.applied = entry.mark();
        answer.target.note_applied(number);
        self.tell_running(number, running);
        if self.is_removed_by(&act) {
            self.give_up(NodeState::Gone, answer);
        }
        let now = answer.now.monotonic;
        if let Some(owed) = own.and_then(|at| self.owed.remove(at)) {
            if owed.in_effect.is_some() {
                answer.target.is_numbered(&owed.act);
            }
            self.waits.push(Wait::new(number, now, running, owed.progress));
            self.look_due = now;
        }
        // The others wait to hear of it.
        self.due = now;
        Ok(())
    }

    fn apply(
        &mut self,
        act: &Act,
        number: u64,
        in_effect: Option<u32>,
        target: &dyn Applies,
    ) -> Result<u32, Box<str>> {
        match act {
            Act::Halt { .. } if in_effect.is_some() => Ok(in_effect.unwrap_or_default()),
            // It was void when it was numbered, at every node.
            Act::Reload { replaces, .. } if *replaces != self.epoch => Ok(0),
            Act::Reload { .. } => {
                let joining = self.stage != Stage::In;
                if joining {
                    self.newest_reload = Some((number, act.clone()));
                } else {
                    target.apply(act, number)?;
                }
                self.epoch = number;
                Ok(0)
            }
            Act::EndTask { node, .. } if *node != self.name => Ok(0),
            _ => Ok(target.apply(act, number)?.max(in_effect.unwrap_or_default())),
        }
    }

    /// Whether an act ends this life of the node.
    fn is_removed_by(&self, act: &Act) -> bool {
        let Act::RemoveNode { node, incarnation } = act else { return false };
        *node == self.name && self.row.is_some_and(|row| row.incarnation == *incarnation)
    }

    fn own_in<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s NodeRow> {
        snapshot.rows.iter().find(|row| row.name == self.name)
    }

    /// The node gives nothing until what is wrong is set right: it looks again.
    fn in_trouble(&mut self, fault: Fault, answer: &Answer<'_>) {
        answer.target.end_lease();
        // Once, however often it is looked at again.
        if fault.is_foreign && self.trouble.as_ref() != Some(&fault.why) {
            answer.target.note_foreign(&fault.why);
        }
        self.trouble = Some(fault.why);
        self.due = answer.now.monotonic.saturating_add(self.terms.lease / 3);
    }

    fn give_up(&mut self, state: NodeState, answer: &Answer<'_>) {
        answer.target.end_lease();
        self.stage = Stage::Over(state);
        answer.target.lost();
    }
}

/// Records a row that no member wrote as it is, or an old one that was put back: once, as long as it stays so.
fn note_strange(neighbours: &mut Neighbours, row: &NodeRow, is_known: bool, answer: &Answer<'_>) {
    if neighbours.is_strange_anew(row, is_known) {
        let name = row.name.escape_debug();
        let why =
            format!("a row of the node `{name}` in the store that no member wrote, or an old one");
        answer.target.note_foreign(&why);
    }
}

#[cfg(test)]
mod tests;
