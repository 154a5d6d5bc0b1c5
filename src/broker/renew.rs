//! Renewal and checkpoints: a grant goes on only if it would be given again.

use std::borrow::Cow;
use std::sync::Arc;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::lifetime::{expiry, no_time_left};
use super::mint::Made;
use super::offer::OfferInputs;
use super::retire::End;
use super::task::Task;
use super::tokens::Tokens;
use super::waits::Waits;
use crate::audit::Place;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Terms};
use crate::identity::Identity;
use crate::meter::Meter;

/// Whether a fresh decision also moves the expiry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewExpiry {
    Moves,
    Stays,
}

impl Task {
    /// Decides a grant afresh, for its holder as attested now and in today's context, and gives it
    /// its time anew, as much as was [asked for](crate::Scope::ttl) at most, within its `max_life`, its parent and the
    /// task's ceiling.
    ///
    /// Its id, counters, children and history stay; its serial rises, and older tokens are refused
    /// from then on. Permits handed out on them before start still, if the renewal gave no less (no earlier
    /// end, no tighter limit) and the same is attested of the holder as of who asked for the permit: the
    /// renewal has confirmed them. If policy would not give the grant again, it ends. A revoke that comes
    /// first wins.
    ///
    /// # Errors
    /// A [`Denial`]; the grant has ended then, unless it had before, has not [started](crate::Scope::starting), or people
    /// have to agree first ([`Denial::pending`]): then it lives on to its old expiry.
    pub fn renew(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
    ) -> Result<(), Denial> {
        self.decide_again(grant, holder, context, NewExpiry::Moves)
    }

    /// As [`renew`](Task::renew), at a point of the errand where something has changed: the expiry
    /// stays, or comes earlier where policy gives less time today than when it was issued or renewed last.
    /// Permits handed out before end: what has changed is theirs, too.
    ///
    /// # Errors
    /// As [`renew`](Task::renew).
    pub fn checkpoint(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
    ) -> Result<(), Denial> {
        self.decide_again(grant, holder, context, NewExpiry::Stays)
    }

    fn decide_again(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
        moves: NewExpiry,
    ) -> Result<(), Denial> {
        let decided = self.decide_anew(grant, holder, context, moves);
        if !self.shared.is_forked() {
            // What was permitted before at another node has started by now, or does not any more.
            self.shared.await_leaves(self.cell.generation);
        }
        decided
    }

    /// As [`renew`](Task::renew), as [`request_for_async`](Task::request_for_async) does. Dropped before it is done, the
    /// grant has ended: its older tokens are superseded, and the new one was not handed out.
    ///
    /// # Errors
    /// As [`renew`](Task::renew).
    pub async fn renew_async(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
    ) -> Result<(), Denial> {
        let moves = NewExpiry::Moves;
        let decided = match self.place_anew(grant, holder, context, moves) {
            Ok(again) => {
                let mut unsettled = Superseded { task: self, grant: Some(grant.id) };
                let settled = self.shared.settle_as(again.place, Waits::AsFuture).await;
                unsettled.grant = None;
                settled.map(|_| again.made).map_err(|unrecorded| unrecorded.denial)
            }
            Err(denial) => Err(denial),
        };
        let decided = self.conclude_anew(grant, holder, context, moves, decided);
        if !self.shared.is_forked() {
            self.shared.await_leaves(self.cell.generation);
        }
        decided
    }

    fn decide_anew(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
        moves: NewExpiry,
    ) -> Result<(), Denial> {
        let decided = self.place_anew(grant, holder, context, moves).and_then(|again| {
            // If the log refuses, the grant ends: its older tokens are superseded already.
            let settled = self.shared.settle(again.place);
            settled.map(|_| again.made).map_err(|unrecorded| unrecorded.denial)
        });
        self.conclude_anew(grant, holder, context, moves, decided)
    }

    fn request_anew<'r>(
        &'r self,
        grant: &'r Grant,
        holder: &'r Identity,
        (now, context): (Timestamp, Cow<'r, Context>),
    ) -> GrantRequest<'r> {
        GrantRequest {
            shared: &self.shared,
            cell: &self.cell,
            holder,
            context,
            now,
            scope: &grant.scope,
            meter: Meter::of_question(grant.scope.size()),
            occasion: Occasion::renewal_of(grant.id, false),
        }
    }

    /// Decides, and takes the place of the record.
    fn place_anew(
        &self,
        grant: &Grant,
        holder: &Identity,
        context: &Context,
        moves: NewExpiry,
    ) -> Result<Again, Denial> {
        let moment = self.shared.moment(holder, None, context)?;
        if grant.cell.generation != self.cell.generation {
            return Err(Denial::new(Reason::UnknownGrant).because("it is of another task"));
        }
        again(&self.request_anew(grant, holder, moment), grant, moves)
    }

    fn conclude_anew(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
        moves: NewExpiry,
        decided: Result<Renewed, Denial>,
    ) -> Result<(), Denial> {
        let shared = &self.shared;
        match decided {
            Ok(Renewed { made, rules, tokens, begins }) => {
                if let Some(Begins { terms, first, now }) = begins {
                    let mut life = self.cell.life.lock();
                    life.begin_spells(&terms, holder.subject(), first, now);
                }
                grant.serial = made.serial;
                grant.expires = made.expires;
                grant.tokens = tokens;
                grant.rules = rules;
                grant.holder = holder.clone();
                grant.context = context.clone();
                Ok(())
            }
            Err(denial) => {
                let break_glass =
                    !shared.is_forked() && grant.cell.life.lock().is_of_glass(grant.id);
                let occasion = Occasion::renewal_of(grant.id, break_glass);
                let moment = (shared.keeper.latest(), Cow::Borrowed(context));
                let denied = self.request_anew(grant, holder, moment);
                let denial = GrantRequest { occasion, ..denied }.record(denial);
                // Doubt ends the grant, whatever the doubt was about; that people are asked first is none,
                // and a renewal leaves it as it was meanwhile, as it does one that has not started. A grant of another task is none of this one's.
                let waits = (moves == NewExpiry::Moves && denial.pending().is_some())
                    || denial.reason() == Reason::NotYet;
                if !waits && grant.cell.generation == self.cell.generation {
                    let _ =
                        shared.end(&self.cell, End::Grant { id: grant.id, why: Reason::Revoked });
                }
                Err(denial)
            }
        }
    }
}

/// A renewal whose record has its place in the log's order.
struct Again {
    place: Place,
    made: Renewed,
}

/// What a grant is from now on.
struct Renewed {
    made: Made,
    rules: Vec<Arc<str>>,
    tokens: Tokens,
    begins: Option<Begins>,
}

/// The times of rules that run from now on.
struct Begins {
    terms: Arc<Terms>,
    first: Timestamp,
    now: Timestamp,
}

/// A grant whose older tokens are superseded while the log has yet to say whether it has a new one: it ends if that is
/// not waited for.
struct Superseded<'t> {
    task: &'t Task,
    grant: Option<GrantId>,
}

impl Drop for Superseded<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.grant {
            let _ = self.task.shared.end(&self.task.cell, End::Grant { id, why: Reason::Revoked });
        }
    }
}

fn again(request: &GrantRequest<'_>, grant: &Grant, moves: NewExpiry) -> Result<Again, Denial> {
    let GrantRequest { shared, cell, holder, now, .. } = *request;
    shared.attested(holder, now)?;
    if holder.subject() != grant.holder.subject() {
        return Err(Denial::new(Reason::NotTheHolder)
            .because(format_args!("`{}` does not hold it", holder.subject())));
    }
    let context = request.checked_context()?;
    let current = shared.current();
    let mut life = cell.life.lock();
    request.check_task(&life)?;
    if let Some(parent) = life.grant(grant.id).and_then(|row| row.parent) {
        shared.keep_up(&current, cell, &mut life, parent, shared.as_of(now))?;
    }
    let live = request.prove_live(&life, grant.id)?;
    // As of when it was found to live: the clock was read before the lock was held.
    let now = live.at();
    if life.is_of_glass(grant.id) {
        return Err(Denial::new(Reason::NotCovered).because(
            "what breaking the glass gave is not renewed: it lasts as long as was given",
        ));
    }
    let row = life.row(&live)?;
    let asking = OfferInputs::at_request(request, &current, &life, context, now);
    let (capabilities, as_granted) = asking.read_today(row)?;
    let asking =
        OfferInputs { parent: row.parent, ..asking.recorded(request, as_granted.is_some()) };
    // People and the log are told what it means from now on, in today's spelling.
    let scope = match as_granted {
        None => Cow::Borrowed(&*grant.scope),
        Some(_) => Cow::Owned(grant.scope.with(&capabilities)),
    };
    let (proposal, latest) = match row.parent {
        None => (asking.give(&request.parties(), &capabilities)?, cell.ceiling),
        Some(parent) => {
            let parent = request.prove_live(&life, parent)?;
            let (given, _, latest) = asking.give_child(&parent, holder, &capabilities)?;
            (given, latest)
        }
    };
    let parent = row.parent;
    let given = match proposal.agreed() {
        Ok(given) => given,
        Err(withheld) => {
            let asked = (&*capabilities, &*scope);
            return Err(request.park(&current, &mut life, parent, asked, (&withheld, now)));
        }
    };
    let (plain, values) = asking.plain_given()?;
    let row = life.row(&live)?;
    let (subject, first) = (holder.subject(), row.first_issued);
    let (life_ends, _) = life.time_left(&given.terms, subject, first, now);
    // What limited its whole life before still does.
    let life_ends = [life_ends, row.life_ends()].into_iter().flatten().min();
    let expires = match moves {
        NewExpiry::Moves => {
            let asked = grant.scope.asked_ttl().and_then(|own| now.checked_add(own));
            let given = expiry(&given, life_ends, now)?;
            asked.map_or(given, |asked| asked.min(given))
        }
        // Today's time to live counts from where it counted before, as after a reload.
        NewExpiry::Stays => row.issued.checked_add(given.ttl).unwrap_or(latest).min(row.expires),
    };
    let expires = expires.min(life_ends.unwrap_or(latest)).min(latest);
    if expires <= now {
        return Err(no_time_left());
    }
    let serial =
        row.serial.checked_add(1).ok_or_else(|| Denial::new(Reason::TooMany).because("serials"))?;
    let made = Made { id: grant.id, serial, expires };
    let tokens = request.tokens(&current, &made, (&scope, &given), now)?;
    let event = request.event(&current, &made, (parent, None), &scope, &given, plain);
    let place = shared.place_with(now, &event, values)?;
    let terms = shared.terms.share(given.terms);
    if let Some(row) = life.grant_mut(grant.id) {
        // Only a renewal for the same attested facts that takes nothing away says of what was permitted
        // before that it may be.
        let confirms = moves == NewExpiry::Moves
            && holder.states_as(&row.holder)
            && expires >= row.expires
            && life_ends == row.life_ends()
            && terms.give_no_less_than(&row.terms);
        row.supersede(serial, confirms);
        row.limit_life(life_ends);
        row.expires = expires;
        row.holder = holder.clone();
        // A checkpoint gives no time, idle time neither.
        if moves == NewExpiry::Moves {
            row.issued = now;
            row.last_used = now;
        }
        row.terms = terms.clone();
        row.read_from(as_granted);
        row.version = current.version;
    }
    drop(life);
    drop(current);
    let begins = terms.limit_time().then_some(Begins { terms, first, now });
    Ok(Again { place, made: Renewed { made, rules: given.rules, tokens, begins } })
}
