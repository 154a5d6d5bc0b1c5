//! What must hold in the world, whatever happens in it.

use std::sync::Arc;

use super::life::{Basis, Life, longest};
use super::world::World;
use crate::fleet::act::Act;
use crate::fleet::agent::Stage;
use crate::fleet::progress::{Progress, Stage as ActStage};

/// An act that somebody asked for.
pub(super) struct Issued {
    actor: usize,
    pub(super) act: Act,
    progress: Arc<Progress>,
    /// The number of its entry, once it has returned.
    done: Option<u64>,
    conflict: bool,
}

/// A call that started: when its lease was read last, truly, and on what.
pub(super) struct Start {
    pub(super) at: u64,
    pub(super) life: usize,
    pub(super) on: Basis,
}

/// What has been seen, so that a run in which nothing happens shows.
#[derive(Default, Debug)]
pub(super) struct Seen {
    pub(super) starts: u64,
    pub(super) halfway: u64,
    pub(super) done: u64,
    pub(super) with_unheard: u64,
    pub(super) conflicts: u64,
    pub(super) given_up: u64,
    pub(super) silent: u64,
    /// Calls that started at another node than their task's home.
    pub(super) elsewhere: u64,
    /// Tasks that ended, and ends that waited for a leave.
    pub(super) ends: u64,
    pub(super) waited: u64,
    /// Calls that started of tools that are limited over all nodes, and answers of their store that were lost.
    pub(super) limited: u64,
    pub(super) lost_counts: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Seen) {
        self.starts += other.starts;
        self.halfway += other.halfway;
        self.done += other.done;
        self.with_unheard += other.with_unheard;
        self.conflicts += other.conflicts;
        self.given_up += other.given_up;
        self.silent += other.silent;
        self.elsewhere += other.elsewhere;
        self.ends += other.ends;
        self.waited += other.waited;
        self.limited += other.limited;
        self.lost_counts += other.lost_counts;
    }
}

impl Issued {
    pub(super) fn new(actor: usize, act: Act, progress: Arc<Progress>) -> Self {
        Issued { actor, act, progress, done: None, conflict: false }
    }
}

impl World {
    pub(super) fn violated(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// Notes what has returned, and holds it to what it says.
    pub(super) fn look_at_acts(&mut self) {
        for at in 0..self.acts.len() {
            let own = &mut self.acts[at];
            if own.done.is_some() || own.conflict {
                continue;
            }
            match own.progress.stage() {
                ActStage::Owed | ActStage::Numbered { .. } => {}
                ActStage::Conflict { .. } => {
                    own.conflict = true;
                    self.seen.conflicts += 1;
                }
                ActStage::Done(done) => {
                    own.done = Some(done.number);
                    self.seen.done += 1;
                    self.seen.with_unheard += u64::from(!done.unheard.is_empty());
                    let act = own.act.clone();
                    self.check_final(done.number, &act);
                }
            }
        }
    }

    /// Nothing is said to be final that is not: who has a good lease has applied it.
    fn check_final(&mut self, number: u64, act: &Act) {
        let index = usize::try_from(number - 1).unwrap();
        if self.engine.committed.get(index).map(|(_, own)| own) != Some(act) {
            return self.violated(format!("act {number} is not what the store has: it is lost"));
        }
        let without = self
            .lives
            .iter()
            .find(|life| !life.is_dead && life.has_lease() && !life.has_applied(number));
        if let Some(life) = without {
            let what = format!(
                "act {number} ({act:?}) has returned, and {} has a lease without it",
                life.name
            );
            self.violated(what);
        }
    }

    /// No node is given a lease that has not applied what has returned.
    pub(super) fn check_lease(&mut self, life: usize) {
        let done = self.acts.iter().filter_map(|act| act.done);
        let own = &self.lives[life];
        if own.has_lease()
            && let Some(number) = done.into_iter().find(|number| !own.has_applied(*number))
        {
            let what =
                format!("{} was given a lease without act {number}, which had returned", own.name);
            self.violated(what);
        }
    }

    /// No call starts on what was taken away by an act that has returned.
    pub(super) fn started(&mut self, start: Start) {
        if self.lives[start.life].is_dead {
            return;
        }
        self.seen.starts += 1;
        let Start { at, life, on } = &start;
        let own = &self.lives[*life];
        let leased = *own.leased_at.borrow();
        let told =
            |what: String| format!("{} called `{}` at {}: {what}", on.agent, on.tool, own.name);
        if leased.is_none_or(|leased| at.saturating_sub(leased) > longest(&self.terms)) {
            let what = told(format!("its lease was asked for at {leased:?}"));
            return self.violated(what);
        }
        let other = self.lives.iter().position(|other| {
            !std::ptr::eq(other, own)
                && other.name == own.name
                && !other.is_dead
                && other.has_lease()
        });
        if other.is_some() {
            let what = told("another process of that name has a lease".into());
            return self.violated(what);
        }
        let taken = self.acts.iter().find_map(|act| {
            let number = act.done?;
            self.takes(act, number, own, on).then(|| told(format!("{:?} had returned", act.act)))
        });
        if let Some(what) = taken {
            self.violated(what);
        }
    }

    /// No call of a task at home elsewhere starts on what was taken away by an act that has returned, or by an end of
    /// its task that has.
    pub(super) fn started_elsewhere(
        &mut self,
        asker: usize,
        home: usize,
        generation: u64,
        on: &Basis,
    ) {
        self.seen.elsewhere += 1;
        let (own, its) = (&self.lives[asker], &self.lives[home]);
        let leased = *own.leased_at.borrow();
        let told = |what: String| {
            let (own, its) = (&own.name, &its.name);
            format!("{} called `{}` at {own}, of {its}: {what}", on.agent, on.tool)
        };
        let what = if leased.is_none_or(|at| self.at.saturating_sub(at) > longest(&self.terms)) {
            Some(told(format!("its lease was asked for at {leased:?}")))
        } else if self.errands.has_returned(home, generation) {
            Some(told("the end of its task had returned".into()))
        } else {
            self.acts.iter().find_map(|act| {
                let number = act.done?;
                self.takes(act, number, its, on)
                    .then(|| told(format!("{:?} had returned", act.act)))
            })
        };
        if let Some(what) = what {
            self.violated(what);
        }
    }

    /// Whether an act that has returned forbids a call.
    fn takes(&self, act: &Issued, number: u64, life: &Life, on: &Basis) -> bool {
        let later = || {
            let index = usize::try_from(number).unwrap();
            self.engine.committed.iter().skip(index).map(|(_, act)| act)
        };
        // What a node gave after it had applied an end is not what was ended.
        let before = |given: u64| life.applied_at(number).is_none_or(|applied| given < applied);
        match &act.act {
            Act::Halt { what, .. } | Act::HaltAndRevoke { what } => {
                let names = **what == *"everything"
                    || **what == *format!("tool {}", on.tool)
                    || **what == *format!("identity {}", on.agent);
                let resumed = |own: &Act| matches!(own, Act::Resume { what: own } if own == what);
                names && !later().any(resumed)
            }
            Act::Reload { policy, .. } => {
                let permits = |policy: &str| policy.contains("any") && policy.contains("\"all\"");
                let widened =
                    |own: &Act| matches!(own, Act::Reload { policy, .. } if permits(policy));
                on.tool == "b" && !permits(policy) && !later().any(widened)
            }
            Act::RevokeIdentity { id } => **id == *on.agent && before(on.granted.max(on.opened)),
            Act::RevokeTool { name } => **name == *on.tool && before(on.granted),
            Act::EndTask { node, task } => {
                *node == life.name && **task == *on.agent && before(on.opened)
            }
            Act::RemoveNode { node, .. } => *node == life.name,
            Act::Resume { .. } | Act::Restate { .. } => false,
        }
    }

    /// Once all is well again, all is done, and everybody knows the same.
    pub(super) fn check_end(&mut self) {
        let head = self.engine.entries.last().map(|entry| entry.mark());
        for life in self.lives.iter().filter(|life| !life.is_dead) {
            let stuck = match life.agent.stage {
                Stage::In => {
                    !life.has_lease() || head.is_some_and(|head| head != life.agent.applied)
                }
                Stage::Over(_) => {
                    self.seen.given_up += 1;
                    life.has_lease()
                }
                Stage::Watching { .. } => life.has_lease(),
                Stage::Looking | Stage::Entering { .. } | Stage::Leaving => true,
            };
            if stuck {
                let (name, agent) = (&life.name, &life.agent);
                let what = format!("{name} is stuck {:?}: {:?}", agent.stage, agent.trouble);
                return self.violated(what);
            }
        }
        let undelivered = self
            .lives
            .iter()
            .find(|life| !life.is_dead && life.agent.stage == Stage::In && life.asker.owed() > 0);
        if let Some(life) = undelivered {
            let what = format!("{} owes {} outcomes", life.name, life.asker.owed());
            return self.violated(what);
        }
        for (at, own) in self.acts.iter().enumerate() {
            let actor = &self.lives[own.actor];
            let is_in = !actor.is_dead && actor.agent.stage == Stage::In;
            if is_in && own.done.is_none() && !own.conflict {
                let what = format!(
                    "act {at} of {} never returned: {:?}",
                    actor.name,
                    own.progress.stage()
                );
                return self.violated(what);
            }
        }
        self.seen.silent += self.engine.silenced;
    }
}
