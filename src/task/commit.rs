//! The commit: the one way to spend a grant.

use super::approval::Approval;
use super::history::Listing;
use super::life::Life;
use super::liveness::Liveness;
use super::open_permit::OpenPermit;
use crate::args::Args;
use crate::audit::Place;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{Coverage, Reservation, SharedCharge, SharedDemand};
use crate::identity::Identity;
use crate::tool::ToolName;
use crate::value::Value;
use std::sync::Arc;

/// What a permitted call spends.
pub(crate) struct Spend<'a> {
    pub(crate) coverage: &'a Coverage,
    pub(crate) args: &'a Args,
    /// Of the token that was presented.
    pub(crate) serial: u32,
    pub(crate) caller: &'a Identity,
    pub(crate) tool: &'a ToolName,
    /// The labels of the tool: from now on they are in the task's history.
    pub(crate) labels: &'a Value,
    /// The catalogue that has them.
    pub(crate) listing: Listing<'a>,
    /// When the permit is worth nothing any more, unless it was started.
    pub(crate) lapses: Timestamp,
    /// What people agreed to, if they had to: spent in the same step.
    pub(crate) approval: Option<Box<Approval>>,
    /// What it was charged already in counters that the nodes of a fleet share.
    pub(crate) shared: Option<Arc<SharedCharge>>,
}

impl Life {
    /// Checks what is left, reserves it, takes the record's place in the log's sequence, adds to the
    /// history and hands out the permit, in one step under the task's lock. On an error nothing has
    /// changed.
    ///
    /// # Errors
    /// The [`Denial`] of a limit, of too many open permits, or of `place`.
    pub(crate) fn commit(
        &mut self,
        live: &Liveness,
        spend: Spend<'_>,
        most_permits: usize,
        place: impl FnOnce(&Reservation) -> Result<Place, Denial>,
    ) -> Result<Place, Denial> {
        self.check_room(most_permits)?;
        let Spend {
            coverage,
            args,
            serial,
            caller,
            tool,
            labels,
            listing,
            lapses,
            approval,
            shared,
        } = spend;
        let stamps = || coverage.stamps(&self.grants);
        let reservation = match (coverage.is_unlimited(), shared) {
            (true, _) => Reservation::default(),
            (false, None) => self.counters.reserve(stamps(), args, live.at())?,
            (false, Some(shared)) => {
                let own = stamps().filter(|stamp| stamp.spanning.is_none());
                self.counters.reserve(own, args, live.at())?.with_shared(shared)
            }
        };
        let place = match place(&reservation) {
            Ok(place) => place,
            Err(denial) => {
                self.counters.undo(&reservation);
                return Err(denial);
            }
        };
        self.remember(tool, labels, place.seq(), listing);
        self.touch(live.grant(), live.at());
        self.note_glass_permit(live.grant(), place.seq());
        approval.iter().for_each(|own| own.spend());
        self.hand_out(OpenPermit {
            seq: place.seq(),
            grant: live.grant(),
            serial,
            caller: caller.clone(),
            tool: tool.clone(),
            recorded: false,
            running: false,
            noted: 0,
            lapses,
            reservation,
            approval,
        });
        Ok(place)
    }

    /// The limits of the call that the nodes of a fleet count together, if there are any.
    pub(crate) fn shared_demand(&self, coverage: &Coverage) -> Option<Box<SharedDemand>> {
        match coverage.is_unlimited() {
            true => None,
            false => SharedDemand::of(coverage.stamps(&self.grants)).map(Box::new),
        }
    }

    /// Whether [`commit`](Self::commit) would find what the call spends, now; of what nodes count together, where they
    /// do, this says nothing. Takes nothing.
    ///
    /// # Errors
    /// As `commit`, but for the log's.
    pub(crate) fn check_spend(
        &mut self,
        live: &Liveness,
        coverage: &Coverage,
        args: &Args,
        most_permits: usize,
        is_shared: bool,
    ) -> Result<(), Denial> {
        self.check_room(most_permits)?;
        let stamps = coverage.stamps(&self.grants);
        match (coverage.is_unlimited(), is_shared) {
            (true, _) => Ok(()),
            (false, false) => self.counters.probe(stamps, args, live.at()),
            (false, true) => {
                let own = stamps.filter(|stamp| stamp.spanning.is_none());
                self.counters.probe(own, args, live.at())
            }
        }
    }

    fn check_room(&self, most_permits: usize) -> Result<(), Denial> {
        if self.permits().len() >= most_permits {
            return Err(Denial::new(Reason::TooMany)
                .because("the task has too many permits open: finish or drop some"));
        }
        Ok(())
    }
}
