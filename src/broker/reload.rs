//! Reload: another policy in force at once, and what of the live grants it would not give.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::Broker;
use super::current::Current;
use super::offer::{Offer, OfferInputs};
use super::retire::End;
use super::shared::{Recorded, Shared};
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Pool, Row, Stamp, Terms, implies};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::{Limits, Moment, Policy, When};
use crate::sync::Apart;
use crate::task::{Life, TaskCell};
use crate::value::Object;

/// How many tasks one step of an awaited scan looks at before it lets others go on.
const STEP: usize = 64;

/// The scan of live grants that goes with a [reload](Broker::reload) or a
/// [restatement](crate::Control::restate).
///
/// What was put in force decides everything from the moment those return, whether anything is scanned or
/// not: a grant that has not been scanned is checked when it is used next. Scanning ends the drifted
/// ones before, and makes a report.
pub struct DriftScan {
    shared: Arc<Shared>,
    epoch: u64,
    waiting: VecDeque<Arc<TaskCell>>,
    report: Drift,
}

/// What a policy would not give any more.
///
/// A grant that was found drifted when it was used, before the scan came to its task, has ended by
/// then: the log has it, with the calls that were running, and this does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The grants that ended, or would end. What was delegated from one of them ends with it, and is
    /// not named next to it.
    pub grants: Vec<Drifted>,
}

/// One grant that today's policy would not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// The grant.
    pub id: GrantId,
    /// Its task.
    pub task: Arc<str>,
    /// Its holder.
    pub holder: Box<str>,
    /// The numbers, in the log, of the permits whose calls were running on it and on what hangs from
    /// it: these go on.
    pub running: Vec<u64>,
    /// What a request for the same would be denied with today, for operators: the reason, and the
    /// rules that decided. Presenting its token is answered `drifted`.
    pub why: Denial,
}

impl Broker {
    /// Puts another policy in force, at once: whatever starts after this returns is decided by it.
    ///
    /// Permits handed out under the policy before can no longer start; authorize again. Live grants
    /// whose who, why and scope the new policy would not give end as drifted: see [`DriftScan`]. Loading
    /// a policy that says the same is no new epoch and changes nothing.
    pub fn reload(&self, policy: &Policy) -> DriftScan {
        let shared = &self.shared;
        let (epoch, same) = shared.current.change(|current| {
            let Some(next) = current.next(policy) else { return (current.epoch, true) };
            *current = next;
            // The place in the sequence is taken before anyone can decide by the new policy.
            let (epoch, policy) = (current.epoch, (&*current.digest).into());
            shared.record(shared.keeper.latest(), &Event::Reloaded { epoch, policy });
            (current.epoch, false)
        });
        let waiting = if same { VecDeque::new() } else { shared.table.tasks().into() };
        DriftScan::new(shared.clone(), epoch, waiting)
    }

    /// What a policy would end if it were loaded now: what the report of its [`DriftScan`] then says, as
    /// long as nothing changes between the two. Ends nothing.
    pub fn preview(&self, policy: &Policy) -> Drift {
        let shared = &self.shared;
        let now = shared.keeper.now().unwrap_or_else(|_| shared.keeper.latest());
        let current = shared.current();
        let mut drift = Drift::default();
        let Some(next) = current.next(policy) else { return drift };
        let next = Current { ruling: Arc::new(Apart(next)), keys: current.keys.clone() };
        for cell in shared.table.tasks() {
            let life = cell.life.lock();
            let now = shared.as_of(now);
            // On a copy, since what is limited more tightly limits what hangs from it.
            let mut trial = life.trial();
            let mut survey = Survey::default();
            let rows = Stale::of(&trial, &next, now).rows.into_iter();
            let drifted: Vec<_> = rows
                .filter_map(|row| survey.look(shared, &next, &cell, &mut trial, row, now))
                .collect();
            let named = drifted.into_iter();
            drift.grants.extend(named.filter_map(|one| Drifted::new(&cell, &life, one)));
        }
        drift
    }
}

impl DriftScan {
    pub(super) fn new(shared: Arc<Shared>, epoch: u64, waiting: VecDeque<Arc<TaskCell>>) -> Self {
        DriftScan { shared, epoch, waiting, report: Drift::default() }
    }

    /// The epoch in force.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many tasks have not been scanned yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Scans some more tasks, and ends their drifted grants; `false` once all are scanned.
    pub fn scan(&mut self, tasks: usize) -> bool {
        for cell in self.waiting.drain(..tasks.min(self.waiting.len())) {
            scan_task(&self.shared, &cell, &mut self.report);
        }
        !self.waiting.is_empty()
    }

    /// Scans all that is left, and reports which grants ended.
    pub fn finish(mut self) -> Drift {
        while self.scan(STEP) {}
        self.report
    }

    /// As [`finish`](DriftScan::finish), a few tasks at a time, letting other futures go on in between.
    pub async fn finished(mut self) -> Drift {
        poll_fn(move |waker| {
            if self.scan(STEP) {
                waker.waker().wake_by_ref();
                Poll::Pending
            } else {
                Poll::Ready(std::mem::take(&mut self.report))
            }
        })
        .await
    }
}

fn scan_task(shared: &Shared, cell: &Arc<TaskCell>, report: &mut Drift) {
    let now = shared.keeper.now().unwrap_or_else(|_| shared.keeper.latest());
    let stale = {
        // In the order of locks: what is in force, then the task.
        let current = shared.current();
        Stale::of(&cell.life.lock(), &current, now)
    };
    let mut survey = Survey::default();
    // One look at a time under the locks: an end, a halt or another reload waits for no more than that.
    for row in stale.rows {
        let current = shared.current();
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        let Some(one) = survey.look(shared, &current, cell, &mut life, row, now) else { continue };
        let id = one.0;
        report.grants.extend(Drifted::new(cell, &life, one));
        shared.end_drifted(cell, &mut life, id, now);
    }
}

/// The live grants of a task that today's policy has not been asked about: each with how many hops down it
/// is, and its parent. From the top: what hangs from a grant is held to what that is held to today. The
/// oldest first: a whole life that the policy limits now began with it.
struct Stale {
    rows: Vec<(u8, GrantId, Option<GrantId>)>,
}

impl Stale {
    fn of(life: &Life, current: &Current, now: Timestamp) -> Self {
        let stale = life.grants.iter().filter(|row| row.version != current.version);
        let live = stale.filter(|row| life.is_live(row, Some(now)));
        let mut rows: Vec<_> =
            live.map(|row| (row.first_issued, (row.hops, row.id, row.parent))).collect();
        rows.sort_by_key(|(first_issued, (hops, ..))| (*hops, *first_issued));
        Stale { rows: rows.into_iter().map(|(_, row)| row).collect() }
    }
}

/// Which grants were found that policy would not give, and what hangs from them.
#[derive(Default)]
struct Survey {
    doomed: HashSet<GrantId>,
}

impl Survey {
    /// Asks today's policy about one grant, takes over what it limits more tightly, and names it if policy
    /// would not give it: of those that hang from one another only the highest.
    fn look(
        &mut self,
        shared: &Shared,
        current: &Current,
        cell: &TaskCell,
        life: &mut Life,
        (_, id, parent): (u8, GrantId, Option<GrantId>),
        now: Timestamp,
    ) -> Option<(GrantId, Denial)> {
        if parent.is_some_and(|parent| self.doomed.contains(&parent)) {
            self.doomed.insert(id);
            return None;
        }
        let why = shared.keep_up_one(current, cell, life, id, now).err()?;
        // Where nothing could be told of it, its next use decides.
        if why.reason() == Reason::TooCostly {
            return None;
        }
        self.doomed.insert(id);
        Some((id, why))
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
            if let Err(why) = self.keep_up_one(current, cell, life, id, now) {
                if why.reason() == Reason::TooCostly {
                    return Err(why);
                }
                self.end_drifted(cell, life, id, now);
                return Err(Denial::new(Reason::Drifted).explained_by(why));
            }
        }
        Ok(())
    }

    /// Asks today's policy about one grant, and takes over what it limits more tightly.
    fn keep_up_one(
        &self,
        current: &Current,
        cell: &TaskCell,
        life: &mut Life,
        id: GrantId,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let Some(row) = life.grant(id) else { return Ok(()) };
        if row.version >= current.loaded_at {
            // The policy gave it: only those who were restated since can have changed that.
            let concerned = life.holders(id).chain([&cell.requester]);
            if !current.are_restated_since(row.version, concerned) {
                if let Some(row) = life.grant_mut(id) {
                    row.version = current.version;
                }
                return Ok(());
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
        };
        let given = asking.again(row)?;
        let (holder, first) = (row.holder.subject().clone(), row.first_issued);
        let ends = life.begin_spells(&given.terms, &holder, first, now);
        if let Some(row) = life.grant_mut(id) {
            row.clamp(given, ends, &self.terms);
            row.version = current.version;
        }
        Ok(())
    }

    /// Ends a drifted grant under a lock that is held already.
    fn end_drifted(&self, cell: &Arc<TaskCell>, life: &mut Life, id: GrantId, now: Timestamp) {
        let drifted = End::Grant { id, why: Reason::Drifted };
        let _ = self.retire(cell, life, drifted, now, Recorded::Yes);
    }
}

impl OfferInputs<'_> {
    /// Whether policy would give a grant again, as far as who, why and scope go.
    fn again(&self, row: &Row) -> Result<Offer, Denial> {
        let capabilities: Vec<_> =
            row.terms.scope.iter().map(|own| own.capability.clone()).collect();
        let mut parties: Vec<(&Identity, Moment)> = vec![(&row.holder, Moment::Request)];
        let requester = &self.cell.requester;
        if row.parent.is_none() && !row.holder.is_shared_with(requester) {
            parties.push((requester, Moment::Request));
        }
        let mut given = self.give(&parties, &capabilities)?;
        if row.parent.is_some() {
            let above = self.life.above(row);
            let delegators: Vec<_> =
                above.iter().map(|row| (&row.holder, Moment::Delegate)).collect();
            let delegated = self.give(&delegators, &capabilities)?;
            delegated.reaches(row.hops, &above)?;
            given.narrow_by(delegated);
        }
        Ok(given)
    }
}

impl Row {
    /// Takes over whatever is tighter today. Nothing is reset, and nothing is widened.
    fn clamp(&mut self, given: Offer, life_ends: Option<Timestamp>, pool: &Pool<Terms>) {
        let mut terms = given.terms;
        terms.idle = [self.terms.idle, terms.idle].into_iter().flatten().min();
        if let Some(end) = self.issued.checked_add(given.ttl) {
            self.expires = self.expires.min(end);
        }
        self.limit_life(life_ends);
        if let Some(end) = self.life_ends() {
            self.expires = self.expires.min(end);
        }
        for (new, old) in terms.scope.iter_mut().zip(&self.terms.scope) {
            for stamp in &old.stamps {
                match new.stamps.iter_mut().find(|own| own.shares_counter_with(stamp)) {
                    Some(own) => {
                        let more = own.limits.tighten(&stamp.limits);
                        new.stamps.extend(more.map(|limits| Stamp { limits, ..stamp.clone() }));
                    }
                    None => new.stamps.push(Stamp::clone(stamp)),
                }
            }
        }
        self.terms = pool.share(terms);
    }
}

impl Limits {
    /// The tighter of both, limit by limit. Of two rates either can be the tighter, by how long one
    /// looks: the other's is handed back then, to be enforced in addition.
    #[must_use]
    fn tighten(&mut self, other: &Limits) -> Option<Limits> {
        self.uses = [self.uses, other.uses].into_iter().flatten().min();
        let mut second = None;
        match (self.rate, other.rate) {
            (Some(own), Some(other)) if implies(own, other) => {}
            (Some(own), Some(other)) if !implies(other, own) => second = Some(other),
            (own, other) => self.rate = other.or(own),
        }
        for budget in &other.budgets {
            match self.budgets.iter_mut().find(|own| own.argument == budget.argument) {
                Some(own) => own.most = own.most.min(budget.most),
                None => self.budgets.push(budget.clone()),
            }
        }
        self.keeps_abandoned |= other.keeps_abandoned;
        self.depth = [self.depth, other.depth].into_iter().flatten().min();
        second.map(|rate| Limits { rate: Some(rate), ..Limits::default() })
    }
}

impl Drifted {
    fn new(cell: &TaskCell, life: &Life, (id, why): (GrantId, Denial)) -> Option<Self> {
        Some(Drifted {
            id,
            task: (&*cell.name).into(),
            holder: life.grant(id)?.holder.subject().as_str().into(),
            running: life.running_below(id),
            why,
        })
    }
}

static NOTHING: Object = Object::new();

impl std::fmt::Debug for DriftScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriftScan")
            .field("epoch", &self.epoch)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
