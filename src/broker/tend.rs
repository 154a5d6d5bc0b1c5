//! Tending: withdrawing what was minted, and making sure that it is gone.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Broker;
use super::downstream::{Downstream, Obligation};
use super::provider_text::scrubbed;
use super::shared::Shared;
use crate::audit::{Event, GoneHow};
use crate::clock::Timestamp;
use crate::credential::{Debt, Entry, Gone, Job, Passed, Withdrawn};
use crate::sync::Deadline;
use crate::task::{Basis, Claim};
use crate::vault::Secret;
use crate::visible::cut;

/// How many bytes of a provider's words the log keeps.
const MAX_WHY: usize = 512;

/// What one round of tending came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tended {
    /// How many credentials were withdrawn.
    pub withdrawn: usize,
    /// How many are known to be gone now.
    pub gone: usize,
    /// How many are owed still.
    pub owed: usize,
}

impl Broker {
    /// What was minted for tasks and grants that have ended, and is not known to be gone.
    pub fn obligations(&self) -> Vec<Obligation> {
        match &self.shared.downstream {
            Some(downstream) if !self.shared.is_forked() => downstream.obligations(),
            // What the parent owes, it works off.
            Some(_) | None => Vec::new(),
        }
    }

    /// Withdraws what is due and makes sure that it is gone, provider by provider, for `most` at the longest: no call
    /// to a provider begins after that. What fails is due again later: after a second, twice as long each time, five minutes at
    /// the longest, without end.
    ///
    /// Call it often, on a thread that may wait for providers; or have the [reaper](crate::Broker::start_reaper) do it.
    /// Several threads share the work. What has expired or was halted is found here, too. Asynchronous providers are left
    /// to [`tended`](Broker::tended).
    pub fn tend(&self, most: Duration) -> Tended {
        self.shared.tend(most)
    }

    /// As [`tend`](Broker::tend), of all providers, as a future of any runtime, until nothing is due. Blocking
    /// providers are called by the thread that polls it.
    pub async fn tended(&self) -> Tended {
        self.shared.tend_each(None, |_| true).await
    }
}

impl Shared {
    pub(super) fn tend(&self, most: Duration) -> Tended {
        let by_blocking =
            |entry: &Entry| entry.provider.as_ref().is_none_or(|provider| provider.blocks());
        let tended = pin!(self.tend_each(Some(Deadline::after(most)), by_blocking));
        match tended.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(tended) => tended,
            // Only providers that answer when their calls return are asked.
            Poll::Pending => Tended::default(),
        }
    }

    async fn tend_each(
        &self,
        deadline: Option<Deadline>,
        which: impl Fn(&Entry) -> bool,
    ) -> Tended {
        let mut tended = Tended::default();
        let Some(downstream) = &self.downstream else { return tended };
        if self.is_forked() {
            // What the parent owes, it works off.
            return tended;
        }
        self.end_dead_leases(downstream);
        downstream.ledger.wake();
        // A provider may fork: from then on, this is the child.
        let is_over = || self.is_forked() || deadline.as_ref().is_some_and(Deadline::is_over);
        if !is_over() {
            self.sweep_downstream(downstream, deadline.is_some()).await;
        }
        for entry in downstream.ledger.due(self.time_or_latest(), which) {
            if is_over() {
                break;
            }
            let Some(job) = downstream.ledger.take_up(entry, self.time_or_latest()) else {
                continue;
            };
            let held = Held { shared: self, downstream, entry, passed: None };
            self.work_off(job, held, &mut tended).await;
        }
        if !self.is_forked() {
            tended.owed = downstream.obligations().len();
        }
        tended
    }

    /// Ends the credentials of grants that are past their time, or that a halt is over: no other end comes for these.
    fn end_dead_leases(&self, downstream: &Downstream) {
        let now = self.time_or_latest();
        for (key, tool, expires) in downstream.ledger.leases() {
            let Some(cell) = self.table.task(key.generation) else { continue };
            let life = &*cell.life.lock();
            let lives = life.grant(key.grant).is_some_and(|row| {
                let claim = Claim {
                    grant: key.grant,
                    basis: Basis::Handle,
                    who: &row.holder,
                    tool: Some(&tool),
                };
                cell.prove_live(life, &self.halts, &claim, now).is_ok()
            });
            if !lives || now >= expires {
                downstream.ledger.end_one(&key, now);
            }
        }
    }

    /// Asks each provider, once, what an earlier life of the broker has left.
    async fn sweep_downstream(&self, downstream: &Downstream, blocking: bool) {
        let asks = |provider: &crate::credential::Provider| !blocking || provider.blocks();
        if !self.sources.providers.values().all(|own| asks(own)) || downstream.ledger.was_swept() {
            return;
        }
        let owed: std::collections::BTreeSet<Box<str>> =
            downstream.obligations().into_iter().map(|own| own.name).collect();
        let mine = |name: &str| owed.contains(name);
        for provider in self.sources.providers.values() {
            let swept = provider.sweep(&mine).await;
            if self.is_forked() {
                return;
            }
            for found in swept {
                // Of what lives, and of what this broker has not minted, nothing is taken from a provider.
                let is_of =
                    |entry: &Entry| entry.owed.is_some() && entry.handle.name() == found.name();
                if found.is_plain() {
                    downstream.ledger.change_each(|entry| {
                        if is_of(entry) {
                            entry.handle = found.clone();
                        }
                    });
                }
            }
        }
    }

    async fn work_off(&self, job: Job, mut held: Held<'_>, tended: &mut Tended) {
        let secret = job.sealed.as_ref().and_then(|sealed| sealed.unseal());
        if job.debt == Debt::Owed && !self.withdraw(&job, secret.as_ref(), &mut held).await {
            return;
        }
        drop(secret);
        tended.withdrawn += usize::from(job.debt == Debt::Owed);
        self.verify(&job, &mut held).await;
        tended.gone += usize::from(matches!(held.passed, Some(Passed::Gone)));
    }

    /// Whether it was withdrawn.
    async fn withdraw(&self, job: &Job, secret: Option<&Secret>, held: &mut Held<'_>) -> bool {
        let Some(provider) = &job.provider else {
            let why = "this broker has no such provider".to_owned();
            held.passed = Some(self.failed(job, Debt::Owed, Duration::MAX, why));
            return false;
        };
        if secret.is_none() && provider.guarantees().takes_secret() {
            let why =
                "withdrawing it takes its secret, which a restart or a lost answer has taken along"
                    .to_owned();
            self.record_owed(job, &why, Some(job.expires));
            held.passed = Some(Passed::Lasting { until: job.expires, why: why.into() });
            return false;
        }
        let withdrawn = provider.withdraw(&job.handle, secret).await;
        if self.is_forked() {
            return false;
        }
        match withdrawn {
            Withdrawn::Done | Withdrawn::Already => {
                let name = job.handle.name().into();
                self.record(self.time_or_latest(), &Event::CredentialWithdrawn { name });
                true
            }
            Withdrawn::Retry { after, why } => {
                held.passed =
                    Some(self.failed(job, Debt::Owed, after, scrubbed(job.sealed.as_ref(), &why)));
                false
            }
            Withdrawn::Impossible { until, why } => {
                let why = scrubbed(job.sealed.as_ref(), &why);
                self.record_owed(job, &why, Some(until));
                held.passed = Some(Passed::Lasting { until, why: why.into() });
                false
            }
        }
    }

    /// Whether it is gone: no sooner than it can have been minted for the last time.
    async fn verify(&self, job: &Job, held: &mut Held<'_>) {
        let Some(provider) = &job.provider else { return };
        let gone = provider.verify(&job.handle).await;
        if self.is_forked() {
            return;
        }
        let now = self.time_or_latest();
        let how = match gone {
            Gone::Gone => GoneHow::Verified,
            // It was said to expire by now, and it can't be asked.
            Gone::Unknown if job.debt == Debt::Lasting => GoneHow::Expired,
            Gone::Unknown => {
                let why = "whether it is gone can't be told".to_owned();
                held.passed = Some(self.failed(job, Debt::Withdrawn, Duration::ZERO, why));
                return;
            }
            Gone::Still(what) => {
                let what = scrubbed(job.sealed.as_ref(), &what);
                held.passed = Some(self.failed(job, Debt::Owed, Duration::ZERO, what));
                return;
            }
        };
        held.passed = Some(match job.lands_by {
            _ if job.in_flight => {
                let why = "its provider is minting it still".to_owned();
                self.failed(job, Debt::Owed, Duration::ZERO, why)
            }
            // It may still land.
            Some(lands_by) if now < lands_by => Passed::Again(lands_by),
            _ => {
                let name = job.handle.name().into();
                self.record(now, &Event::CredentialGone { name, how });
                Passed::Gone
            }
        });
    }

    fn failed(&self, job: &Job, debt: Debt, least: Duration, why: String) -> Passed {
        self.record_owed(job, &why, None);
        Passed::Failed { debt, least, why: cut(&why, MAX_WHY).into_owned().into() }
    }

    fn record_owed(&self, job: &Job, why: &str, until: Option<Timestamp>) {
        let event = Event::CredentialOwed {
            name: job.handle.name().into(),
            attempt: job.attempts.saturating_add(1),
            why: cut(why, MAX_WHY),
            until,
        };
        self.record(self.time_or_latest(), &event);
    }
}

/// A credential that is being worked off, until this is dropped: a future that is given up leaves it owed.
struct Held<'h> {
    shared: &'h Shared,
    downstream: &'h Downstream,
    entry: u64,
    passed: Option<Passed>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Some(at) = self.shared.time_of_end() else { return };
        let settled = self.downstream.ledger.lay_down(self.entry, self.passed.take(), at);
        self.shared.record_settled(settled, at);
    }
}
