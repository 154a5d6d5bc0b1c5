//! A new grant, from the decision to its handle: recorded and entered under the task's lock, and handed out once the
//! log has its record. Each step takes what the one before left, so that no path to a grant goes past one.

use std::sync::Arc;

use super::changes::Change;
use super::current::Current;
use super::grant::Grant;
use super::grant_request::GrantRequest;
use super::lifetime::Lifetime;
use super::mint::Made;
use super::offer::Offer;
use super::remains::FOR_EACH_MADE;
use super::retire::End;
use super::shared::{Recorded, Shared, Unrecorded};
use super::tokens::Tokens;
use crate::audit::{Event, Place, Settling};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, RareTerms, Row, Terms};
use crate::identity::Identity;
use crate::scope::Scope;
use crate::sync::{MutexGuard, RwLockReadGuard};
use crate::task::{Life, TaskCell};

/// A grant that policy gives, before it is recorded.
pub(super) struct NewGrant<'q, 'r> {
    request: &'q GrantRequest<'r>,
    pub(super) made: Made,
    pub(super) given: Offer,
    pub(super) scope: Arc<Scope>,
    tokens: Tokens,
    descent: Descent,
    lifetime: Lifetime,
    now: Timestamp,
}

/// Where a grant is in the tree of delegations.
#[derive(Clone, Copy)]
pub(super) struct Descent {
    /// The grant it is delegated from.
    pub(super) parent: Option<GrantId>,
    /// How many delegations below a root it is.
    pub(super) hops: u8,
    /// When it ends at the latest.
    pub(super) latest: Timestamp,
}

/// A grant in the table whose record the log is not known to have. Its token was not handed out, so it is of no use to
/// anyone yet.
#[must_use = "a grant that the log refuses has to be taken back"]
pub(super) struct EnteredGrant<'r> {
    grant: LoggedGrant<'r>,
    place: Place,
}

/// A grant in the table whose record is in the log.
#[must_use = "a grant in the table is handed out, or taken back"]
pub(super) struct LoggedGrant<'r> {
    shared: &'r Arc<Shared>,
    cell: &'r Arc<TaskCell>,
    holder: &'r Identity,
    made: Made,
    scope: Arc<Scope>,
    rules: Vec<Arc<str>>,
    terms: Arc<Terms>,
    tokens: Tokens,
    starts: Option<Timestamp>,
    now: Timestamp,
}

impl<'q, 'r> NewGrant<'q, 'r> {
    /// What policy gives, with its times and tokens.
    ///
    /// # Errors
    /// A [`Denial`] if no time is left for it, or its tokens can't be made.
    pub(super) fn of(
        request: &'q GrantRequest<'r>,
        (current, life): (&Current, &Life),
        id: GrantId,
        (scope, given): (Arc<Scope>, Offer),
        descent: Descent,
        now: Timestamp,
    ) -> Result<Self, Denial> {
        let lifetime = Lifetime::of(&given, request.holder, life, descent.latest, now)?;
        let lifetime = lifetime.cut_to(&scope, given.terms.idle, now)?;
        let made = Made { id, serial: 1, expires: lifetime.expires };
        let tokens = request.tokens(current, &made, (&scope, &given), now)?;
        Ok(NewGrant { request, made, given, scope, tokens, descent, lifetime, now })
    }

    /// When it can be used from, if that is to come.
    pub(super) fn starts(&self) -> Option<Timestamp> {
        self.lifetime.starts
    }

    /// Takes the place of its record, with the values that it commits to: called under the task's lock.
    pub(super) fn record(
        &self,
        event: &Event<'_>,
        plain: Option<Box<str>>,
    ) -> Result<Place, Denial> {
        let shared = self.request.shared;
        let changing = shared.changes.change();
        let place = shared.place_with(self.now, event, plain)?;
        changing.has_begun(place.seq(), Change::Given(self.made.id));
        Ok(place)
    }

    /// Enters it, and lets go of what it was decided under.
    pub(super) fn enter(
        self,
        place: Place,
        current: RwLockReadGuard<'_, Current>,
        mut life: MutexGuard<'_, Life>,
    ) -> EnteredGrant<'r> {
        let NewGrant { request, made, given, scope, tokens, descent, lifetime, now } = self;
        let terms = request.shared.terms.share(given.terms);
        // What hung from grants that have ended is removed at the pace at which grants are made.
        life.grants.bury(FOR_EACH_MADE);
        life.grants.push(Row {
            id: made.id,
            serial: made.serial,
            holder: request.holder.clone(),
            terms: terms.clone(),
            parent: descent.parent,
            hops: descent.hops,
            first_issued: now,
            issued: now,
            expires: made.expires,
            last_used: lifetime.last_used,
            running: 0,
            version: current.version,
            more: RareTerms::of(lifetime.life_ends, lifetime.starts),
        });
        drop(life);
        drop(current);
        request.shared.remains.drop_for_one();
        let rules = given.rules;
        let starts = lifetime.starts;
        let GrantRequest { shared, cell, holder, .. } = *request;
        let grant =
            LoggedGrant { shared, cell, holder, made, scope, rules, terms, tokens, starts, now };
        EnteredGrant { grant, place }
    }
}

impl<'r> EnteredGrant<'r> {
    /// Waits for the log, with no lock held.
    ///
    /// # Errors
    /// A [`Denial`] if the log refuses: it was taken back.
    pub(super) fn settle(self) -> Result<LoggedGrant<'r>, Denial> {
        let EnteredGrant { grant, place } = self;
        let settled = grant.shared.settle(place);
        grant.settled(settled)
    }

    /// As [`settle`](Self::settle), without holding the thread. Dropped before it is done, it was taken back.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn settled(self) -> Result<LoggedGrant<'r>, Denial> {
        let EnteredGrant { grant, place } = self;
        let shared = grant.shared;
        let Some(timer) = &shared.log_timer else { return EnteredGrant { grant, place }.settle() };
        let settling = shared.journal.settling(place, timer);
        let mut waiting = WaitingGrant { grant: Some(grant), settling };
        let settled = (&mut waiting.settling).await.map_err(Unrecorded::from);
        match waiting.grant.take() {
            Some(grant) => grant.settled(settled),
            None => Err(Denial::new(Reason::LogRefused)),
        }
    }
}

/// A grant that waits for the log.
struct WaitingGrant<'r> {
    /// Nothing once there is an answer.
    grant: Option<LoggedGrant<'r>>,
    settling: Settling<'r>,
}

impl Drop for WaitingGrant<'_> {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take()
            && !grant.shared.is_forked()
        {
            grant.take_back(Recorded::of_given_up(&self.settling.give_up()));
        }
    }
}

impl LoggedGrant<'_> {
    /// What the log has answered.
    fn settled(self, settled: Result<u64, Unrecorded>) -> Result<Self, Denial> {
        if let Err(Unrecorded { denial, end }) = settled {
            self.take_back(end);
            return Err(denial);
        }
        Ok(self)
    }

    fn take_back(&self, end: Recorded) {
        let refused = End::Grant { id: self.made.id, why: Reason::LogRefused };
        self.shared.take_back(self.cell, refused, end);
    }

    /// Its handle, as it was asked for in this context. From now on its rules' times run.
    pub(super) fn hand_out(self, asked_in: &Context) -> Grant {
        let LoggedGrant { shared, cell, holder, made, scope, rules, terms, tokens, starts, now } =
            self;
        if terms.limit_time() {
            cell.life.lock().begin_spells(&terms, holder.subject(), now, now);
        }
        Grant {
            shared: shared.clone(),
            cell: cell.clone(),
            id: made.id,
            serial: made.serial,
            tokens,
            expires: made.expires,
            starts,
            rules,
            holder: holder.clone(),
            scope,
            context: asked_in.clone(),
        }
    }
}
