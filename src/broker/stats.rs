//! What the broker can say about itself.

use super::Broker;
use crate::clock::NoTime;
use crate::denial::Reason;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Figures of one broker, each as it was when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerStats {
    /// Tasks in the table.
    pub tasks: usize,
    /// Grants in the table.
    pub grants: usize,
    /// Permits whose outcome is not known yet.
    pub permits: usize,
    /// Calls that run on after their task's end. They are not among the permits of live tasks.
    pub late_calls: usize,
    /// Permits since the broker was built whose call never started: dropped, lapsed, or refused when
    /// it was about to start. Many of them may come from a host that takes a permit for a yes or no.
    pub abandoned: u64,
    /// Tasks and grants that are past their time and not swept away yet. They give nothing.
    pub sweep_debts: usize,
    /// Counters of identities (`per = "identity"`) that are kept. Those of uses and budgets stay for
    /// good once something is spent; one of a rate alone is forgotten some time after its window.
    pub identity_counters: usize,
    /// Records that have their place and that the log has not taken yet.
    pub record_debts: usize,
    /// Denials since the broker was built, by reason; reasons without any are left out.
    pub denials: Vec<(Reason, u64)>,
}

/// How often each reason was given.
pub(crate) struct DenialCounts([AtomicU64; Reason::ALL.len()]);

impl Default for DenialCounts {
    fn default() -> Self {
        DenialCounts([const { AtomicU64::new(0) }; Reason::ALL.len()])
    }
}

impl DenialCounts {
    pub(crate) fn count(&self, reason: Reason) {
        if let Some(count) = self.0.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn all(&self) -> Vec<(Reason, u64)> {
        Reason::ALL
            .into_iter()
            .zip(&self.0)
            .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

impl Broker {
    /// Figures about this broker. Looks at every task, one after the other, and stops none for long.
    pub fn stats(&self) -> BrokerStats {
        let now = match self.shared.keeper.now() {
            Err(NoTime::Forked) => return BrokerStats::default(),
            read => read.ok(),
        };
        let mut stats = BrokerStats {
            identity_counters: self.shared.spanning.len(),
            record_debts: self.shared.journal.debts(),
            abandoned: self.shared.abandoned.load(Ordering::Relaxed),
            denials: self.shared.denials.all(),
            ..BrokerStats::default()
        };
        stats.sweep_debts += self.shared.remains.slots();
        for task in self.shared.table.late() {
            stats.late_calls += task.life.lock().running().len();
        }
        for task in self.shared.table.tasks() {
            let life = task.life.lock();
            stats.tasks += 1;
            stats.grants += life.grants.len();
            stats.permits += life.permits().len();
            stats.sweep_debts += usize::from(now.is_some_and(|now| now >= task.ceiling));
            stats.sweep_debts += life.grants.iter().filter(|row| !life.is_live(row, now)).count();
        }
        stats
    }
}
