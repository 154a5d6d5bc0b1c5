//! Reload: another policy in force at once, and what of the live grants it would not give.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::Broker;
use super::give::{Asking, Given};
use super::shared::{Current, Shared};
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Life, Pool, Row, Stamp, TaskCell, Terms};
use crate::identity::Identity;
use crate::policy::{Limits, Moment, Policy, When};
use crate::scope::Allowance;
use crate::value::Object;

/// How many tasks one step of an awaited scan looks at before it lets others go on.
const STEP: usize = 64;

/// A policy that has been put in force, and the scan of live grants that goes with it.
///
/// The new policy decides everything from the moment `reload` returns, whether anything is scanned or
/// not: a grant that has not been scanned is checked when it is used next. Scanning ends the drifted
/// ones before, and makes a report.
pub struct Reload {
    shared: Arc<Shared>,
    epoch: u64,
    waiting: VecDeque<Arc<TaskCell>>,
    report: Drift,
}

/// What a policy would not give any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The grants that ended, or would end.
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
    /// What a request for the same would be denied with today, for operators: the reason, and the
    /// rules that decided. Whoever presents its token is told `drifted`.
    pub why: Denial,
}

impl Broker {
    /// Puts another policy in force, at once: whatever starts after this returns is decided by it.
    ///
    /// Permits handed out under the policy before can no longer start; authorize again. Live grants
    /// whose who, why and scope the new policy would not give end as drifted: see [`Reload`]. Loading
    /// a policy that says the same is no new epoch and changes nothing.
    pub fn reload(&self, policy: &Policy) -> Reload {
        let shared = &self.shared;
        let mut current = shared.current.write();
        let digest = policy.digest().to_string();
        let same = *current.digest == *digest;
        let mut place = None;
        if !same {
            current.epoch += 1;
            current.policy = policy.0.clone();
            current.digest = digest.as_str().into();
            // The place in the sequence is taken before anyone can decide by the new policy.
            let event = Event::Reloaded { epoch: current.epoch, policy: digest.as_str().into() };
            place = shared.place(shared.keeper.latest(), &event).ok();
        }
        let epoch = current.epoch;
        drop(current);
        if let Some(place) = place {
            shared.journal.owe(place);
        }
        let waiting = if same { VecDeque::new() } else { shared.table.tasks().into() };
        Reload { shared: shared.clone(), epoch, waiting, report: Drift::default() }
    }

    /// What a policy would end if it were loaded now. Ends nothing.
    pub fn preview(&self, policy: &Policy) -> Drift {
        let shared = &self.shared;
        let now = shared.keeper.now().unwrap_or_else(|_| shared.keeper.latest());
        let current = shared.current();
        let mut drift = Drift::default();
        for cell in shared.table.tasks() {
            let life = cell.life.lock();
            for row in life.grants.iter() {
                let asking = Asking {
                    shared,
                    current: &current.with_policy(policy),
                    cell: &cell,
                    life: &life,
                    context: &NOTHING,
                    now,
                    when: When::Left,
                };
                if let Err(why) = asking.again(row) {
                    drift.grants.push(Drifted::new(row, &cell, why));
                }
            }
        }
        drift
    }
}

impl Reload {
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

    /// As [`finish`](Reload::finish), a few tasks at a time, letting other futures go on in between.
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

fn scan_task(shared: &Shared, cell: &TaskCell, report: &mut Drift) {
    let now = shared.keeper.now().unwrap_or_else(|_| shared.keeper.latest());
    let current = shared.current();
    let mut life = cell.life.lock();
    let mut ids: Vec<(u8, GrantId)> = life.grants.iter().map(|row| (row.hops, row.id)).collect();
    // Those above first: what hangs from one that has drifted ends with it, and what is tighter for
    // one above is so for those below.
    ids.sort_unstable_by_key(|(hops, _)| *hops);
    let mut drifted = Vec::new();
    for (_, id) in ids {
        if let Some(row) = life.grant(id)
            && row.epoch != current.epoch
            && let Err(why) = shared.keep_up_one(&current, cell, &mut life, id, now)
            && let Some(row) = life.grant(id)
        {
            drifted.push(Drifted::new(row, cell, why));
        }
    }
    drop(life);
    drop(current);
    for one in drifted {
        // Somebody else may have ended it since: then it is theirs to report.
        if shared.end_grant(cell, one.id, Reason::Drifted).is_some() {
            report.grants.push(one);
        }
    }
}

impl Shared {
    /// Makes sure that a grant about to be used, and all it was delegated from, would be given by
    /// today's policy, if that has not been asked since it was loaded.
    pub(super) fn keep_up(
        &self,
        current: &Current,
        cell: &TaskCell,
        life: &mut Life,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let mut next = Some(grant);
        while let Some(id) = next {
            let Some(row) = life.grant(id) else { return Ok(()) };
            next = row.parent;
            if row.epoch != current.epoch
                && let Err(why) = self.keep_up_one(current, cell, life, id, now)
            {
                self.end_drifted(cell, life, id, now);
                return Err(Denial::new(Reason::Drifted).because(why.explain()));
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
        let asking =
            Asking { shared: self, current, cell, life, context: &NOTHING, now, when: When::Left };
        let given = asking.again(row)?;
        if let Some(row) = life.grant_mut(id) {
            row.clamp(given, &self.terms);
            row.epoch = current.epoch;
        }
        Ok(())
    }

    /// Ends a drifted grant under a lock that is held already.
    fn end_drifted(&self, cell: &TaskCell, life: &mut Life, id: GrantId, now: Timestamp) {
        if let Some(ended) = life.end_grant(id, Reason::Drifted)
            && let Ok(place) = self.place(now, &self.grant_ended(cell, &ended, Reason::Drifted))
        {
            self.journal.owe_later(place);
        }
    }
}

impl Asking<'_> {
    /// Whether policy would give a grant again, as far as who, why and scope go.
    fn again(&self, row: &Row) -> Result<Given, Denial> {
        let _allowance = Allowance::for_one_request();
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
    fn clamp(&mut self, given: Given, pool: &Pool<Terms>) {
        let tightest = |own: Option<_>, other| [own, other].into_iter().flatten().min();
        let mut terms = given.terms;
        terms.max_life = tightest(self.terms.max_life, terms.max_life);
        terms.idle = tightest(self.terms.idle, terms.idle);
        if let Some(end) = self.issued.checked_add(given.ttl) {
            self.expires = self.expires.min(end);
        }
        if let Some(end) = terms.max_life.and_then(|life| self.first_issued.checked_add(life)) {
            self.expires = self.expires.min(end);
        }
        for (new, old) in terms.scope.iter_mut().zip(&self.terms.scope) {
            for stamp in &old.stamps {
                match new.stamps.iter_mut().find(|own| own.shares_counter_with(stamp)) {
                    Some(own) => own.limits.tighten(&stamp.limits),
                    None => new.stamps.push(Stamp::clone(stamp)),
                }
            }
        }
        self.terms = pool.share(terms);
    }
}

impl Limits {
    /// The tighter of both, limit by limit.
    fn tighten(&mut self, other: &Limits) {
        self.uses = [self.uses, other.uses].into_iter().flatten().min();
        // Two rates do not compare: the one with fewer calls a second is kept, the other's window
        // was the policy's to drop.
        self.rate = match (self.rate, other.rate) {
            (Some(new), Some(old)) if per_second(old) < per_second(new) => Some(old),
            (new, old) => new.or(old),
        };
        for budget in &other.budgets {
            match self.budgets.iter_mut().find(|own| own.argument == budget.argument) {
                Some(own) => own.most = own.most.min(budget.most),
                None => self.budgets.push(budget.clone()),
            }
        }
        self.depth = [self.depth, other.depth].into_iter().flatten().min();
    }
}

fn per_second((calls, window): (u64, std::time::Duration)) -> f64 {
    calls as f64 / window.as_secs_f64()
}

impl Drifted {
    fn new(row: &Row, cell: &TaskCell, why: Denial) -> Self {
        Drifted {
            id: row.id,
            task: (&*cell.name).into(),
            holder: row.holder.subject().as_str().into(),
            why,
        }
    }
}

static NOTHING: Object = Object::new();

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload")
            .field("epoch", &self.epoch)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
