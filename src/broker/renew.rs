//! Renewal and checkpoints: a grant goes on only if it would be given again.

use std::borrow::Cow;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::lifetime::{expiry, no_time_left};
use super::mint::Made;
use super::offer::OfferInputs;
use super::retire::End;
use super::task::Task;
use crate::context::Context;
use crate::denial::{Denial, Reason};
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

    fn decide_anew(
        &self,
        grant: &mut Grant,
        holder: &Identity,
        context: &Context,
        moves: NewExpiry,
    ) -> Result<(), Denial> {
        let shared = &self.shared;
        let meter = || Meter::of_question(grant.scope.size());
        let request = |now, context| GrantRequest {
            shared,
            cell: &self.cell,
            holder,
            context,
            now,
            scope: &grant.scope,
            meter: meter(),
            occasion: Occasion::renewal_of(grant.id, false),
        };
        let decided = shared.moment(holder, None, context).and_then(|(now, known)| {
            if grant.cell.generation != self.cell.generation {
                return Err(Denial::new(Reason::UnknownGrant).because("it is of another task"));
            }
            again(&request(now, known), grant, moves)
        });
        match decided {
            Ok((made, rules, tokens)) => {
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
                let denied = request(shared.keeper.latest(), Cow::Borrowed(context));
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

type Again = (Made, Vec<std::sync::Arc<str>>, super::tokens::Tokens);

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
    let capabilities: Vec<_> = row.terms.scope.iter().map(|own| own.capability.clone()).collect();
    let asking = OfferInputs::at_request(request, &current, &life, context, now);
    let asking = OfferInputs { parent: row.parent, ..asking.recorded(request, false) };
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
            let asked = (&*capabilities, &*grant.scope);
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
    let tokens = request.tokens(&current, &made, (&grant.scope, &given), now)?;
    let event = request.event(&current, &made, (parent, None), &grant.scope, &given, plain);
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
        row.version = current.version;
    }
    drop(life);
    drop(current);
    // If the log refuses, the grant ends: its older tokens are superseded already.
    shared.settle(place).map_err(|unrecorded| unrecorded.denial)?;
    if terms.limit_time() {
        cell.life.lock().begin_spells(&terms, subject, first, now);
    }
    Ok((made, given.rules, tokens))
}
