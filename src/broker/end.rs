//! Ending a task or a grant.

use super::ended::Ended;
use super::shared::Shared;
use crate::audit::{Event, How};
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Row};
use crate::task::{EndedBy, EndedGrant, TaskCell};
use crate::visible::cut;

/// How many bytes of the reason for which a task failed the log keeps: as many as of a purpose's intent.
const MAX_FAIL_REASON: usize = 4096;

impl Shared {
    /// Ends a task, once. Nothing of it starts after this returns; the record is owed if the log
    /// refuses it.
    pub(super) fn end(&self, cell: &TaskCell, how: How, reason: Option<&str>) -> Ended {
        let Some((running, place)) = self.end_in_table(cell, how, reason) else {
            return Ended::default();
        };
        if let Some(place) = place {
            self.journal.owe(place);
        }
        Ended { running }
    }

    pub(super) fn end_without_waiting(&self, cell: &TaskCell, how: How) {
        if let Some((_, Some(place))) = self.end_in_table(cell, how, None) {
            self.journal.owe_without_waiting(place);
        }
    }

    /// The end itself: under the task's lock, with its place in the sequence.
    fn end_in_table(
        &self,
        cell: &TaskCell,
        how: How,
        reason: Option<&str>,
    ) -> Option<(Vec<u64>, Option<crate::audit::Place>)> {
        // An end goes through whatever the clock does.
        let at = self.keeper.now().unwrap_or_else(|_| self.keeper.latest());
        let mut life = cell.life.lock();
        let (running, grants) = life.end(how)?;
        let event = Event::Ended {
            task: (&*cell.name).into(),
            generation: cell.generation,
            how,
            reason: reason.map(|reason| cut(reason, MAX_FAIL_REASON)),
            running: running.clone(),
        };
        let place = self.place(at, &event).ok();
        drop(life);
        self.forget(cell);
        self.bury(grants);
        Some((running, place))
    }

    /// Ends a grant and all delegated from it, with their place in the sequence; the calls that were
    /// running, or `None` if it had ended before.
    pub(crate) fn end_grant(&self, cell: &TaskCell, id: GrantId, why: Reason) -> Option<Vec<u64>> {
        self.try_end_grant(cell, (id, None), why).ok()
    }

    /// As [`end_grant`](Self::end_grant), on the part of somebody who presents a token of this serial.
    ///
    /// # Errors
    /// Why there was nothing to end. What was past its time when it was to be revoked ends as expired.
    pub(super) fn try_end_grant(
        &self,
        cell: &TaskCell,
        (id, serial): (GrantId, Option<u32>),
        why: Reason,
    ) -> Result<Vec<u64>, Denial> {
        let (running, by, place) = self.end_grant_in_table(cell, (id, serial), why)?;
        if let Some(place) = place {
            self.journal.owe(place);
        }
        if by.reason() == why { Ok(running) } else { Err(by.denial()) }
    }

    pub(super) fn end_grant_without_waiting(&self, cell: &TaskCell, id: GrantId) {
        if let Ok((_, _, Some(place))) = self.end_grant_in_table(cell, (id, None), Reason::Revoked)
        {
            self.journal.owe_without_waiting(place);
        }
    }

    fn end_grant_in_table(
        &self,
        cell: &TaskCell,
        (id, serial): (GrantId, Option<u32>),
        why: Reason,
    ) -> Result<(Vec<u64>, EndedBy, Option<crate::audit::Place>), Denial> {
        let at = self.keeper.now().unwrap_or_else(|_| self.keeper.latest());
        let mut life = cell.life.lock();
        let superseded = |serial| life.grant(id).is_some_and(|row: &Row| row.serial != serial);
        if serial.is_some_and(superseded) {
            return Err(Denial::new(Reason::Superseded).because("the grant was renewed since"));
        }
        let expiry = match why {
            Reason::Expired | Reason::Revoked => cell.expiry(&life, id, self.as_of(at)),
            _ => None,
        };
        let by = expiry.map_or(EndedBy::Other(why), EndedBy::Time);
        let ended = life.end_grant(id, by).ok_or_else(|| life.gone(id))?;
        let place = self.place(at, &self.grant_ended(cell, &ended, by.reason())).ok();
        Ok((ended.running, by, place))
    }

    /// The record of a grant that has ended, and of what hung from it as far as that was put away in
    /// the same step. The rest is known by its parent.
    pub(crate) fn grant_ended<'e>(
        &self,
        cell: &'e TaskCell,
        ended: &EndedGrant,
        why: Reason,
    ) -> Event<'e> {
        let mut ids = ended.put_away.iter().map(GrantId::to_string);
        Event::GrantEnded {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: ids.next().unwrap_or_default().into(),
            why: why.as_str().into(),
            below: ids.map(Into::into).collect(),
            running: ended.running.clone(),
        }
    }
}
