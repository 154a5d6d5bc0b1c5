//! What a call is charged in counters that the nodes of a fleet share, and what comes back of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::spanning::Spanning;
use super::stamp::{Charge, Stamp};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex};

/// How many charges wait to be given back at most: what those beyond it took stays spent.
const MOST_WAITING: usize = 65_536;

/// Of how many charges it is kept that they were used.
const MOST_USED: usize = 256;

/// A charge, by which the counters know it: repeated after a lost answer, it is counted once.
pub(crate) type ChargeId = [u8; 16];

/// The limits of a call that are counted over the tasks of an identity, and so over nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharedDemand(Vec<Stamp>);

impl SharedDemand {
    /// Those of these stamps, if there are any.
    pub(crate) fn of<'s>(stamps: impl Iterator<Item = &'s Stamp>) -> Option<Self> {
        let counting = |stamp: &&Stamp| stamp.spanning.is_some() && stamp.limits.count_calls();
        let stamps: Vec<Stamp> = stamps.filter(counting).cloned().collect();
        (!stamps.is_empty()).then_some(SharedDemand(stamps))
    }

    #[cfg(feature = "fleet")]
    pub(super) fn stamps(&self) -> &[Stamp] {
        &self.0
    }
}

/// What one call was charged in shared counters. It comes back at most once, and only if its tool never starts.
#[derive(Debug)]
pub(crate) struct SharedCharge {
    id: ChargeId,
    charges: Vec<Charge>,
    waiting: Arc<WaitingReturns>,
    /// What becomes of it is known.
    closed: AtomicBool,
}

impl SharedCharge {
    #[cfg(feature = "fleet")]
    pub(super) fn new(id: ChargeId, charges: Vec<Charge>, waiting: Arc<WaitingReturns>) -> Self {
        SharedCharge { id, charges, waiting, closed: AtomicBool::new(false) }
    }

    pub(super) fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// Gives back what was never used, but where a rule keeps it.
    pub(crate) fn refund(&self) {
        self.close(|charge| if charge.kept { Use::Started } else { Use::Never });
    }

    /// Gives back what was not permitted after all.
    pub(crate) fn undo(&self) {
        self.close(|_| Use::Never);
    }

    /// Notes that the tool has started.
    pub(crate) fn settle(&self) {
        self.close(|_| Use::Started);
    }

    fn close(&self, used: impl Fn(&Charge) -> Use) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        for charge in &self.charges {
            if let Some(spanning) = &charge.spanning {
                let (rule, spanning, used) = (charge.rule.clone(), spanning.clone(), used(charge));
                self.waiting.push(Return { id: self.id, rule, spanning, used });
            }
        }
    }
}

/// What became of what a charge took of one counter.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no counter is shared"))]
pub(crate) struct Return {
    pub(crate) id: ChargeId,
    rule: Arc<str>,
    spanning: Arc<Spanning>,
    pub(crate) used: Use,
}

/// Whether what was charged was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It was not, and comes back.
    Never,
    /// It was: the counter need not know the charge by its id any more.
    Started,
}

impl Return {
    /// That a charge of which no answer came is given up: what it took, if it was made or is still to be, comes back.
    #[cfg(feature = "fleet")]
    pub(crate) fn of_given_up(id: ChargeId, demand: &SharedDemand) -> Vec<Return> {
        let stamps = demand.0.iter().filter_map(|stamp| Some((stamp.spanning.as_ref()?, stamp)));
        let mut counters: BTreeMap<u64, Return> = BTreeMap::new();
        for (spanning, Stamp { rule, .. }) in stamps {
            let (rule, spanning) = (rule.clone(), spanning.clone());
            let order = spanning.order();
            counters.insert(order, Return { id, rule, spanning, used: Use::Never });
        }
        counters.into_values().collect()
    }

    /// Whom the counter counts, and for which rule.
    #[cfg(feature = "fleet")]
    pub(crate) fn counter(&self) -> (&str, &str) {
        (self.spanning.subject(), &self.rule)
    }
}

/// What shared counters are to learn of charges: with the next charge of the same counter, or by itself.
#[derive(Debug, Default)]
pub(crate) struct WaitingReturns {
    waiting: Mutex<Waiting>,
    pushed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    /// What comes back, by the counter.
    coming_back: BTreeMap<u64, Vec<Return>>,
    count: usize,
    /// The counter whose turn is next.
    turn: u64,
    /// The latest that were used. No one waits for these: a counter forgets ids by itself, after a while.
    used: VecDeque<Return>,
}

#[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no counter is shared"))]
impl WaitingReturns {
    pub(crate) fn push(&self, own: Return) {
        self.waiting.lock().push(own);
        self.pushed.notify_all();
    }

    /// Takes out those of the counters that a call draws on.
    pub(crate) fn take_of(&self, demand: &SharedDemand) -> Vec<Return> {
        let mut waiting = self.waiting.lock();
        let orders = demand.0.iter().filter_map(|stamp| Some(stamp.spanning.as_ref()?.order()));
        orders.flat_map(|order| waiting.take(order)).collect()
    }

    /// Takes out all of one counter, of which something comes back; nothing where none does. Each time of another: one
    /// that can't be told holds up no other for long.
    pub(crate) fn take_next(&self) -> Vec<Return> {
        let mut waiting = self.waiting.lock();
        let behind = waiting.coming_back.range(waiting.turn..).next();
        let next = behind.or(waiting.coming_back.first_key_value()).map(|(order, _)| *order);
        let Some(order) = next else { return Vec::new() };
        waiting.turn = order.wrapping_add(1);
        waiting.take(order)
    }

    /// Puts back what the store is not known to have learned.
    pub(crate) fn put_back(&self, returns: Vec<Return>) {
        let mut waiting = self.waiting.lock();
        returns.into_iter().for_each(|own| waiting.push(own));
    }

    /// How many come back that the store has not learned of.
    pub(crate) fn coming_back(&self) -> usize {
        self.waiting.lock().count
    }

    /// Waits until something comes back, for this long at most.
    pub(crate) fn wait(&self, most: Duration) {
        let mut waiting = self.waiting.lock();
        if waiting.count == 0 {
            self.pushed.wait_for(&mut waiting, most);
        }
    }

    /// Waits for this long, or until the next comes back.
    pub(crate) fn pause(&self, most: Duration) {
        let mut waiting = self.waiting.lock();
        self.pushed.wait_for(&mut waiting, most);
    }

    /// Wakes the thread that waits.
    pub(crate) fn wake(&self) {
        self.pushed.notify_all();
    }
}

impl Waiting {
    fn push(&mut self, own: Return) {
        match own.used {
            Use::Started => {
                if self.used.len() == MOST_USED {
                    self.used.pop_front();
                }
                self.used.push_back(own);
            }
            Use::Never if self.count < MOST_WAITING => {
                self.count += 1;
                self.coming_back.entry(own.spanning.order()).or_default().push(own);
            }
            // What it took stays spent.
            Use::Never => {}
        }
    }

    #[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "no counter is shared"))]
    fn take(&mut self, order: u64) -> Vec<Return> {
        let mut taken = self.coming_back.remove(&order).unwrap_or_default();
        self.count = self.count.saturating_sub(taken.len());
        if self.used.iter().any(|own| own.spanning.order() == order) {
            let all = std::mem::take(&mut self.used);
            let (of_counter, left) =
                all.into_iter().partition(|own: &Return| own.spanning.order() == order);
            self.used = left;
            taken.extend::<VecDeque<Return>>(of_counter);
        }
        taken
    }
}
