//! Reload: another policy in force at once, and what of the live grants it would not give.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Broker;
use super::alert::check_alert;
use super::current::Current;
use super::drift_scan::{Drift, DriftScan, Drifted, Stale, Survey};
use super::offer::{Offer, OfferInputs};
use super::reload_error::ReloadError;
use super::retire::End;
use super::shared::{Recorded, Shared};
use crate::audit::{Event, GrantShortened};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Row};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::{Moment, Policy, When};
use crate::scope::Capability;
use crate::task::{Life, TaskCell};
use crate::value::Object;

impl Broker {
    /// Puts another policy in force, at once: whatever starts after this returns is decided by it.
    ///
    /// Permits handed out under the policy before can no longer start; authorize again. Live grants
    /// whose who, why and scope the new policy would not give end as drifted: see [`DriftScan`]. Loading
    /// a policy that says the same is not a new epoch and changes nothing.
    ///
    /// # Errors
    /// [`ReloadError`] of a policy that can't be in force here: the one before stays.
    pub fn reload(&self, policy: &Policy) -> Result<DriftScan, ReloadError> {
        if self.shared.member.is_in_fleet() {
            return Err(ReloadError::Fleet);
        }
        self.reload_here(policy, None)
    }

    /// Whether a policy can be in force here.
    pub(crate) fn check_policy(&self, policy: &Policy) -> Result<(), ReloadError> {
        let shared = &self.shared;
        if shared.is_forked() {
            return Err(ReloadError::Forked);
        }
        if policy.0.fold != shared.fold {
            return Err(ReloadError::Fold);
        }
        shared.sources.check(policy)?;
        check_alert(policy, shared.alert.as_ref())?;
        Ok(())
    }

    /// Puts another policy in force at this broker alone, as the next epoch, or as the one that its fleet says.
    pub(crate) fn reload_here(
        &self,
        policy: &Policy,
        fleet_epoch: Option<u64>,
    ) -> Result<DriftScan, ReloadError> {
        self.check_policy(policy)?;
        let shared = &self.shared;
        let (epoch, same) = shared.current.change(|current| {
            let before = current.epoch;
            let next = current.next(policy);
            let same = next.is_none();
            if let Some(next) = next {
                *current = next;
            }
            current.epoch = fleet_epoch.unwrap_or(current.epoch);
            // The place in the sequence is taken before anyone can decide by the new policy; in a fleet, under the
            // number of one that is the same, too.
            if !same || current.epoch != before {
                let (epoch, policy) = (current.epoch, (&*current.digest).into());
                shared.record(shared.keeper.latest(), &Event::Reloaded { epoch, policy });
            }
            (current.epoch, same)
        });
        if !same {
            shared.void_questions();
            shared.write_through();
        }
        let waiting = if same { VecDeque::new() } else { shared.table.tasks().into() };
        Ok(DriftScan::new(shared.clone(), epoch, waiting))
    }

    /// What a policy would end if it were loaded now: what the report of its [`DriftScan`] then says, as
    /// long as nothing changes between the two. Ends nothing.
    pub fn preview(&self, policy: &Policy) -> Drift {
        let shared = &self.shared;
        let mut drift = Drift::default();
        let Some(now) = shared.time_of_end() else { return drift };
        // What is in force is not held meanwhile, or a reload or a rotation would wait for all grants.
        let Some(next) = shared.current().previewing(policy) else { return drift };
        for cell in shared.table.tasks() {
            // On a copy, since what is limited more tightly limits what hangs from it; and with no lock held, so
            // that no end and no reload waits for what policy says of thousands of grants.
            let (mut trial, now) = {
                let life = cell.life.lock();
                (life.trial(), shared.as_of(now))
            };
            let mut survey = Survey::default();
            let rows = Stale::of(&trial, &next, now).rows.into_iter();
            let drifted: Vec<_> = rows
                .filter_map(|row| survey.look(shared, &next, &cell, &mut trial, row, now).drifted())
                .collect();
            // What has ended meanwhile would not be ended by a reload.
            let life = cell.life.lock();
            let named = drifted.into_iter();
            drift.grants.extend(named.filter_map(|one| Drifted::new(&cell, &life, one)));
        }
        drift
    }
}

impl Shared {
    /// Makes sure that a grant about to be used, and all it was delegated from, would be given by
    /// today's policy, if that has not been asked since it was loaded.
    pub(super) fn keep_up(
        &self,
        current: &Current,
        cell: &Arc<TaskCell>,
        life: &mut Life,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let mut stale = Vec::new();
        let mut next = Some(grant);
        while let Some(id) = next {
            // What is dead anyway is found so by the next question.
            let Some(row) = life.grant(id).filter(|row| !row.is_past(now)) else { return Ok(()) };
            next = row.parent;
            if row.version != current.version {
                stale.push(id);
            }
        }
        for id in stale.into_iter().rev() {
            match self.keep_up_one(current, cell, life, id, now) {
                Ok(None) => {}
                Ok(Some(expires)) => {
                    self.record_shortened(current, cell, life, (id, expires), now);
                }
                Err(why) if why.reason() == Reason::TooCostly => return Err(why),
                Err(why) => {
                    self.end_drifted(cell, life, id, now);
                    return Err(Denial::new(Reason::Drifted).explained_by(why));
                }
            }
        }
        Ok(())
    }

    /// Asks today's policy about one grant, and takes over what it limits more tightly. Where the grant ends sooner
    /// than it was given for, until when it is.
    pub(super) fn keep_up_one(
        &self,
        current: &Current,
        cell: &TaskCell,
        life: &mut Life,
        id: GrantId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Denial> {
        let Some(row) = life.grant(id) else { return Ok(None) };
        if row.version >= current.loaded_at {
            // The policy gave it: only those who were restated since can have changed that.
            let concerned = life.holders(id).chain([&*cell.requester]);
            if !current.are_restated_since(row.version, concerned) {
                if let Some(row) = life.grant_mut(id) {
                    row.version = current.version;
                }
                return Ok(None);
            }
        }
        let meter = Meter::of_question(row.size());
        let asking = OfferInputs {
            shared: self,
            current,
            cell,
            life,
            context: &NOTHING,
            now,
            when: When::Left,
            meter: &meter,
            holder: &row.holder,
            parent: None,
            recorded: None,
        };
        let (capabilities, as_granted) = asking.read_today(row)?;
        let given = asking.again(row, &capabilities)?;
        let (holder, first) = (row.holder.subject().clone(), row.first_issued);
        let ends = life.begin_spells(&given.terms, &holder, first, now);
        let Some(row) = life.grant_mut(id) else { return Ok(None) };
        let before = row.expires;
        row.clamp(given, ends, &self.terms);
        row.read_from(as_granted);
        row.version = current.version;
        Ok((row.expires < before).then_some(row.expires))
    }

    /// Records that a grant ends sooner than it was given for, under the task's lock: what its time was over for is
    /// in the log then.
    pub(super) fn record_shortened(
        &self,
        current: &Current,
        cell: &TaskCell,
        life: &Life,
        (id, expires): (GrantId, Timestamp),
        now: Timestamp,
    ) {
        let (generation, epoch, break_glass) =
            (cell.generation, current.epoch, life.is_of_glass(id));
        let (task, grant) = ((&*cell.name).into(), id.to_string().into());
        let shortened = Event::GrantShortened(GrantShortened {
            task,
            generation,
            grant,
            expires,
            epoch,
            break_glass,
        });
        self.record(now, &shortened);
    }

    /// Ends a drifted grant under a lock that is held already.
    pub(super) fn end_drifted(
        &self,
        cell: &Arc<TaskCell>,
        life: &mut Life,
        id: GrantId,
        now: Timestamp,
    ) {
        let drifted = End::Grant { id, why: Reason::Drifted };
        let _ = self.retire(cell, life, drifted, now, Recorded::Yes);
    }
}

/// Capabilities as today's catalogue spells them, and as they were granted, if that is another way.
type Today = (Vec<Capability>, Option<Box<[Capability]>>);

impl OfferInputs<'_> {
    /// The capabilities of a grant in the spelling of today's catalogue; and how they were granted, if that is
    /// another.
    pub(super) fn read_today(&self, row: &Row) -> Result<Today, Denial> {
        let mut capabilities = row.as_granted();
        let respelled = self.current.policy.catalogue.canonical(&mut capabilities)?;
        Ok((capabilities, respelled.then(|| row.as_granted().into())))
    }

    /// Whether policy would give a grant again, as far as who, why and scope go.
    fn again(&self, row: &Row, capabilities: &[Capability]) -> Result<Offer, Denial> {
        if self.life.is_of_glass(row.id) {
            return self.give_by_glass(&row.holder, capabilities);
        }
        let mut parties: Vec<(&Identity, Moment)> = vec![(&row.holder, Moment::Request)];
        let requester: &Identity = &self.cell.requester;
        if row.parent.is_none() && !row.holder.is_shared_with(requester) {
            parties.push((requester, Moment::Request));
        }
        let mut given = self.give(&parties, capabilities)?;
        if row.parent.is_some() {
            let above = self.life.above(row);
            let delegators: Vec<_> =
                above.iter().map(|row| (&row.holder, Moment::Delegate)).collect();
            let delegated = self.give(&delegators, capabilities)?;
            delegated.offer().reaches(row.hops, &above)?;
            given.narrow_by(delegated);
        }
        given.unasked(self.current)
    }
}

static NOTHING: Object = Object::new();

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use crate::prelude::*;

    /// A rotation or a reload has to wait for whatever holds what is in force, and calls then wait for it.
    #[test]
    fn a_preview_holds_nothing_in_force_while_it_looks_at_grants() {
        let rule = || Rule::permit("p").tool("t");
        let broker = Broker::new(Policy::builder().rule(rule()).build().unwrap()).unwrap();
        let agent = broker.assert_identity("agent").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grant = task.request(Scope::tool("t"), &Context::new()).unwrap();
        let none = Policy::builder().build().unwrap();
        let drift = thread::scope(|threads| {
            let life = task.cell.life.lock();
            let known = Arc::strong_count(&task.cell);
            let previewing = threads.spawn(|| broker.preview(&none));
            // It has the list of tasks, and waits for this one.
            while Arc::strong_count(&task.cell) == known {
                thread::yield_now();
            }
            assert!(broker.shared.current.is_free());
            drop(life);
            previewing.join().unwrap()
        });
        assert_eq!(drift.grants.iter().map(|own| own.id).collect::<Vec<_>>(), [grant.id()]);
        // Another policy was loaded and gave the grant, at whatever version.
        broker
            .reload(&Policy::builder().rule(rule().owner("a")).build().unwrap())
            .unwrap()
            .finish();
        assert_eq!(broker.preview(&none).grants.len(), 1);
    }
}
