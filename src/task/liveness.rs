//! The one proof that a grant lives.

use super::cell::TaskCell;
use super::halt::Halts;
use super::life::Life;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Row};
use crate::identity::Identity;

/// What is claimed to live, and on whose part.
pub(crate) struct Claim<'a> {
    pub(crate) grant: GrantId,
    pub(crate) basis: Basis,
    /// Who presents the token, or holds the grant as attested now.
    pub(crate) who: &'a Identity,
    /// The tool that is to be called, if it is about a call.
    pub(crate) tool: Option<&'a str>,
}

/// What a claim rests on.
#[derive(Clone, Copy)]
pub(crate) enum Basis {
    /// The host's own handle.
    Handle,
    /// A token of this serial.
    Token(u32),
    /// A permit that was handed out on a token of this serial.
    Permit(u32),
}

/// Proof that at one instant the task was open, that the grant and all it was delegated from lived, that
/// its token was not superseded, that who claims it was attested still, and that no halt stopped it.
///
/// Only [`TaskCell::prove_live`] makes one, under the task's lock, and it is worth something as long as that
/// lock is held. Whatever gives access on a grant (a call's commit, its start, a listing, a renewal, a
/// delegation) demands one, so that no way to access can leave a check out. Not `Clone`.
#[must_use = "a proof is demanded by what gives access"]
pub(crate) struct Liveness {
    grant: GrantId,
    at: Timestamp,
}

impl Liveness {
    /// The grant that lives.
    pub(crate) fn grant(&self) -> GrantId {
        self.grant
    }

    /// The instant at which it was found to live.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }
}

impl TaskCell {
    /// Whether the task can be given anything.
    ///
    /// # Errors
    /// [`Reason::TaskOver`], or [`Reason::Expired`] from its ceiling on.
    pub(crate) fn check_open(&self, life: &Life, now: Timestamp) -> Result<(), Denial> {
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        if now >= self.ceiling {
            return Err(Denial::new(Reason::Expired).because("the task has reached its ceiling"));
        }
        Ok(())
    }

    /// Proves that a grant of this task lives. `life` is this task's, its lock held by the caller.
    ///
    /// # Errors
    /// The first [`Denial`]: of the task, of the grant, of its token, of what it was delegated from, of
    /// its time, of the identity, of a halt, in this order.
    pub(crate) fn prove_live(
        &self,
        life: &Life,
        halts: &Halts,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<Liveness, Denial> {
        let Claim { grant, basis, who, tool } = *claim;
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        let row = life.grant(grant).ok_or_else(|| Denial::new(life.why_gone(grant)))?;
        let current = match basis {
            Basis::Handle => true,
            Basis::Token(serial) => row.serial == serial,
            Basis::Permit(serial) => row.honours(serial, who),
        };
        if !current {
            return Err(Denial::new(Reason::Superseded).because("the grant was renewed since"));
        }
        self.check_open(life, now)?;
        check_time(row, life, now)?;
        who.check_validity(now)?;
        match halts.stopping_grant(self, life, grant, who, tool) {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(Liveness { grant, at: now }),
        }
    }
}

impl Life {
    /// The row of a grant that was found to live.
    ///
    /// # Errors
    /// [`Reason::UnknownGrant`], which the proof excludes while the lock is held.
    pub(crate) fn row(&self, live: &Liveness) -> Result<&Row, Denial> {
        self.grant(live.grant()).ok_or_else(|| Denial::new(Reason::UnknownGrant))
    }

    /// A grant that lives, and all it was delegated from, the grant first.
    pub(crate) fn lineage(&self, live: &Liveness) -> Vec<&Row> {
        self.upwards(live.grant()).filter_map(Result::ok).collect()
    }

    /// Moves a permit from handed out to running.
    pub(crate) fn start(&mut self, _live: Liveness, seq: u64) {
        if let Some(permit) = self.permit_mut(seq) {
            permit.running = true;
        }
    }
}

/// Whether the grant and all it was delegated from are there and within their time.
fn check_time(row: &Row, life: &Life, now: Timestamp) -> Result<(), Denial> {
    if row.is_past(now) {
        return Err(Denial::new(Reason::Expired));
    }
    let mut next = row.parent;
    while let Some(id) = next {
        let above = life.grant(id).ok_or_else(|| Denial::new(life.why_gone(id)))?;
        if above.is_past(now) {
            return Err(Denial::new(Reason::Expired).because("a grant above it is past its time"));
        }
        next = above.parent;
    }
    Ok(())
}
