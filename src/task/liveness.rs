//! The one proof that a grant lives.

use super::cell::TaskCell;
use super::expiry::Expiry;
use super::halts::Halts;
use super::life::Life;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Row, Spells};
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
            return Err(self.ceiling_reached().denial());
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
        let row = life.grant(grant).ok_or_else(|| life.gone(grant))?;
        let current = match basis {
            Basis::Handle => true,
            Basis::Token(serial) => row.serial == serial,
            Basis::Permit(serial) => row.honours(serial, who),
        };
        if !current {
            return Err(Denial::new(Reason::Superseded).because("the grant was renewed since"));
        }
        // No grant ends later than its task's ceiling: its time says when that is reached, too.
        self.check_time(row, life, now)?;
        who.check_validity(now)?;
        if life.is_of_glass(grant) {
            who.check_is_one_human()?;
        }
        match halts.stopping_grant(self, life, (grant, who), tool, now) {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(Liveness { grant, at: now }),
        }
    }

    /// Whether the grant and all it was delegated from are there and within their time.
    fn check_time(&self, row: &Row, life: &Life, now: Timestamp) -> Result<(), Denial> {
        let mut past = row.is_past(now);
        let mut next = row.parent;
        while let Some(id) = next.filter(|_| !past) {
            let above = life.grant(id).ok_or_else(|| life.gone(id))?;
            past = above.is_past(now);
            next = above.parent;
        }
        // Those above have started: nothing is delegated from a grant before, and a start never moves.
        match row.starts() {
            _ if past => Err(self.expired(life, row.id, now)),
            Some(starts) if now < starts => Err(not_yet(starts, now)),
            _ => Ok(()),
        }
    }

    #[cold]
    fn expired(&self, life: &Life, grant: GrantId, now: Timestamp) -> Denial {
        let expiry = self.expiry(life, grant, now);
        expiry.map_or_else(|| Denial::new(Reason::Expired), Expiry::denial)
    }
}

#[cold]
fn not_yet(starts: Timestamp, now: Timestamp) -> Denial {
    let denial = Denial::new(Reason::NotYet).free_after(starts.since(now));
    denial.because(format_args!("it was asked for from {starts} on"))
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

    /// Moves a permit from handed out to running: its grant, and all that it was delegated from, is in use.
    pub(crate) fn start(&mut self, live: Liveness, seq: u64) {
        if let Some(permit) = self.permit_mut(seq) {
            permit.running = true;
            let begin =
                |row: &mut Row, _: Option<&mut Spells>| row.running = row.running.saturating_add(1);
            self.for_each_upwards(live.grant(), begin);
        }
    }

    /// Moves a permit back: its call was marked as running, and did not start.
    pub(crate) fn unstart(&mut self, seq: u64) {
        let Some(permit) = self.permit_mut(seq).filter(|permit| permit.running) else { return };
        permit.running = false;
        let grant = permit.grant;
        self.for_each_upwards(grant, |row, _| row.running = row.running.saturating_sub(1));
    }
}
