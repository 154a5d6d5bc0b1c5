//! Giving nodes up, by an operator.

use std::time::Duration;

use super::{Operator, OperatorError};
use crate::fleet::act::Act;
use crate::fleet::mark::Mark;
use crate::fleet::row::{NodeRow, NodeState, RowVersion};
use crate::membership::Bell;
use crate::sync::Deadline;

/// Nodes that are to be given up, once they can have no lease.
#[must_use = "a node is given up once `look` or `wait` says so"]
pub struct Removal<'o> {
    operator: &'o mut Operator,
    /// Those that are not given up yet, each with the life that is meant; none where no member wrote the row so far.
    left: Vec<(Box<str>, Option<[u8; 16]>)>,
}

impl Operator {
    /// Takes a node out of the fleet: one that lives is told to end its tasks and give nothing any more; and when it can have no lease,
    /// it is given up. It never comes back under this incarnation: a process that is started under its name is another.
    ///
    /// # Errors
    /// [`OperatorError`]; [`OperatorError::NoNode`]; [`OperatorError::Fault`] of a row that no member wrote.
    pub fn remove(&mut self, node: &str) -> Result<Removal<'_>, OperatorError> {
        let rows = self.read_rows()?.rows;
        let found = rows.iter().find(|(row, _)| *row.name == *node);
        let (row, said) = found.ok_or_else(|| OperatorError::NoNode(node.into()))?;
        if said.is_none() {
            // It may say that the node is over, or is another one, while it lives on.
            let why = format!(
                "no member wrote the row of `{}` as it is: put it right in the store, or take it out",
                node.escape_debug()
            );
            return Err(OperatorError::Fault(why.into()));
        }
        if is_over(row) {
            return Ok(Removal { operator: self, left: Vec::new() });
        }
        let (node, incarnation) = (row.name.clone(), row.incarnation);
        let left = vec![(node.clone(), Some(incarnation))];
        let _ = self.act(&Act::RemoveNode { node, incarnation })?;
        Ok(Removal { operator: self, left })
    }

    /// Goes on with a store that is not the one it was, as one that was restored from a backup: gives up every node that it says is there, so that
    /// none is taken for one that goes on. Nodes that know better give nothing until their processes are started anew. The
    /// [mark](Operator::look) is what they may be told then to be [past](super::super::FleetBuilder::past).
    ///
    /// A node that renews its lease takes this store for the one it was, and is an error: there is nothing to reset.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn reset(&mut self) -> Result<Removal<'_>, OperatorError> {
        let rows = self.read_rows()?.rows.into_iter();
        // What is not a member's word says neither that a node is over nor which one it is.
        let left = rows.filter(|(row, said)| said.is_none() || !is_over(row));
        let left = left.map(|(row, said)| (row.name, said.map(|_| row.incarnation))).collect();
        Ok(Removal { operator: self, left })
    }
}

impl Removal<'_> {
    /// Gives up what has stood still for as long as a lease can last; what is left to be.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn look(&mut self) -> Result<usize, OperatorError> {
        let read = self.operator.read_rows()?;
        let mut left = Vec::new();
        for (node, meant) in std::mem::take(&mut self.left) {
            let found = read.rows.iter().find(|(row, _)| row.name == node);
            // A row that was taken away, or that no member wrote, may be put back as it was.
            let Some((row, Some(_))) = found else {
                left.push((node, meant));
                continue;
            };
            // One that was taken over by another process had to wait as long.
            let is_meant = meant.is_none_or(|meant| meant == row.incarnation);
            if is_meant && !is_over(row) && !self.operator.give_up(row, read.now) {
                left.push((node, Some(row.incarnation)));
            }
        }
        self.left = left;
        Ok(self.left.len())
    }

    /// Looks again and again until all are given up, for `timeout` at the longest: where the mark is then, or who is left.
    ///
    /// # Errors
    /// [`OperatorError`]: of a node that goes on renewing its lease, too.
    pub fn wait(mut self, timeout: Duration) -> Result<Mark, OperatorError> {
        let (deadline, pause) = (Deadline::after(timeout), Bell::default());
        loop {
            match self.look() {
                Ok(0) => return Ok(self.operator.mark),
                Ok(_) if deadline.is_over() => {
                    let names = self.left.iter().map(|(name, _)| name.escape_debug().to_string());
                    let why = format!(
                        "`{}` can't be given up: it renews its lease, or no member wrote its row",
                        names.collect::<Vec<_>>().join("`, `")
                    );
                    return Err(OperatorError::Fault(why.into()));
                }
                Err(error) if deadline.is_over() => return Err(error),
                Ok(_) | Err(_) => {
                    pause.wait(self.operator.terms.between_looks().min(deadline.left()));
                }
            }
        }
    }
}

impl Operator {
    /// Marks as silent, or gone, what has stood still for so long, so that no act waits for it any more.
    pub(super) fn mark_still(&mut self) {
        while let Some((name, found, said)) = self.neighbours.to_mark(&self.terms) {
            let state = match found.state {
                NodeState::Live => NodeState::Silent,
                _ => NodeState::Gone,
            };
            let row = NodeRow::seal(&self.keys, &name, RowVersion { state, ..found }, &said);
            // Whether it is written or not, it is looked at anew.
            let _ = self.store.write(&row, Some(&found), self.mark.number);
            self.neighbours.forget(&name);
        }
    }

    /// Marks a node as gone that has stood still for as long as a lease can last; whether it did.
    fn give_up(&mut self, row: &NodeRow, now: Duration) -> bool {
        let over = row.version();
        let stood = self.neighbours.since(&row.name, &over);
        let Some((since, said)) = stood else { return false };
        if now.saturating_sub(since) < self.terms.surely_over() {
            return false;
        }
        let gone = RowVersion { state: NodeState::Gone, ..over };
        let row = NodeRow::seal(&self.keys, &row.name, gone, &said);
        self.store.write(&row, Some(&over), self.mark.number).is_ok_and(|(done, _)| done)
    }
}

fn is_over(row: &NodeRow) -> bool {
    matches!(row.state, NodeState::Gone | NodeState::Left)
}

impl std::fmt::Debug for Removal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Removal").field("left", &self.left).finish_non_exhaustive()
    }
}
