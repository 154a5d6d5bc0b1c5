//! Building a broker of what was said of it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::Broker;
use super::alert::check_alert;
use super::broker_error::BrokerError;
use super::builder::BrokerBuilder;
use super::changes::Changes;
use super::credentials::TendedBy;
use super::current::{InForce, KeysInForce, Ruling};
use super::debts::Debts;
use super::docket::Docket;
use super::downstream::Downstream;
use super::keys::purged_from;
use super::member::Member;
use super::remains::Remains;
use super::resumed::Offered;
use super::shared::Shared;
use super::stats::DenialCounts;
use super::tripwire::Tripwire;
use super::watchers::Watchers;
#[cfg(feature = "tracing")]
use crate::audit::Traced;
use crate::audit::{DigestKey, Event, Journal, MemoryLog, Origin, SealKey, Sink};
use crate::clock::Timekeeper;
use crate::credential::{Ledger, mark};
use crate::grant::{Pool, SpanningCounters};
use crate::identity::Restatements;
use crate::key::{KeyError, KeyRing, LogKeys};
use crate::sync::Mutex;
use crate::sync::atomic::AtomicU64;
use crate::task::{Halts, TaskTable};

/// The shortest length of time a setting may have.
const LEAST: Duration = Duration::from_millis(1);

impl BrokerBuilder {
    /// Builds the broker, which records that its policy was loaded.
    ///
    /// # Errors
    /// [`BrokerError`]: a broker that can't tell the time, sign or record is none, and a setting or a
    /// name outside of what its method says is refused here.
    pub fn build(self) -> Result<Broker, BrokerError> {
        self.check()?;
        self.sources.check(&self.policy)?;
        self.sources.check_providers()?;
        check_alert(&self.policy, self.alert.as_ref())?;
        let id = Shared::next_id();
        let fold = self.policy.0.fold;
        let ring = match self.ring {
            Some(ring) => ring,
            None => KeyRing::generate()?,
        };
        let keeper = Timekeeper::new(self.clock)?;
        let tokens = Arc::new(ring.for_gate(&self.audience)?);
        let (sink, log): (Arc<dyn Sink>, _) = match self.sink {
            Some(sink) => (sink, None),
            None => match &self.resumed {
                Some(log) => (Arc::new(log.clone()), None),
                None => {
                    let log = Arc::new(MemoryLog::new());
                    (log.clone(), Some(log))
                }
            },
        };
        #[cfg(feature = "tracing")]
        let sink: Arc<dyn Sink> = match self.traced {
            true => Arc::new(Traced::new(sink)),
            false => sink,
        };
        let mut log_keys = match self.log_keys {
            Some(keys) => keys,
            None => LogKeys::generate()?,
        };
        if let Some(shared) = log_keys.all().find(|key| ring.knows(key.id)) {
            return Err(KeyError::Reused(shared.id).into());
        }
        let origin = Origin::new(&self.issuer, &self.audience);
        let offered = self.resumed.as_ref().map(|log| Offered::of(log, id, fold)).transpose()?;
        let needed =
            !self.sources.providers.is_empty() || offered.as_ref().is_some_and(Offered::owes);
        let downstream = match needed {
            true => Some(Box::new(Downstream {
                ledger: Ledger::new()?,
                mark: mark(self.sources.name.as_deref().unwrap_or_default()),
                on_owed: self.on_owed,
            })),
            false => None,
        };
        let reaped = match self.sources.tended {
            Some(TendedBy::Reaper(interval)) => Some(interval),
            Some(TendedBy::Host) | None => None,
        };
        let mut journal =
            Journal::open(sink, &log_keys, &origin, keeper.latest(), self.settings.log_timeout)?;
        // Nothing fails after this.
        let resumed = offered.map(Offered::take).transpose()?;
        let kept_log = resumed.as_ref().and_then(|own| match journal.begins {
            Some(log) => Some(log.to_string().into()),
            None => own.log().map(Into::into),
        });
        if let Some(hook) = self.on_unwritten {
            journal.hand_unwritten_to(hook);
        }
        if log.is_none() {
            log_keys.forget_past();
        }
        let active = log_keys.active_key();
        let (digests, seals) = (Arc::new(DigestKey::of(active)), Arc::new(SealKey::of(active)));
        let digest = self.policy.digest().to_string();
        let shared = Shared {
            id,
            fold,
            issuer: self.issuer,
            audience: self.audience,
            keeper,
            current: InForce::new(
                Ruling {
                    epoch: 1,
                    version: 1,
                    loaded_at: 1,
                    restated: Restatements::none(),
                    policy: self.policy.0,
                    digest: digest.as_str().into(),
                },
                KeysInForce { tokens, digests, seals },
            ),
            log_keys: Mutex::new(log_keys),
            next_purge: AtomicU64::new(purged_from(ring.next_purge())),
            ring: Mutex::new(ring),
            table: TaskTable::new(),
            spanning: SpanningCounters::new(),
            terms: Pool::default(),
            purposes: Pool::default(),
            bindings: Pool::default(),
            remains: Remains::default(),
            changes: Changes::default(),
            abandoned: AtomicU64::new(0),
            halts: Halts::default(),
            watchers: Watchers::default(),
            docket: Docket::default(),
            readers: super::readers::Readers::default(),
            debts: Debts::default(),
            alert: self.alert,
            denials: DenialCounts::default(),
            tripwire: self
                .tripwire
                .map(|(denials, window)| Tripwire::new(denials, window, self.halts_lapse)),
            journal,
            kept_log,
            settings: self.settings,
            log_timer: self.log_timer,
            ids: self.ids,
            member: Member::of_none(),
            on_denial: self.on_denial,
            on_leak: self.on_leak,
            source: self.source,
            sources: self.sources,
            downstream,
            reaper: OnceLock::new(),
        };
        shared.table.begin_after(shared.journal.earlier());
        if let Some(resumed) = resumed {
            resumed.settle(&shared);
        }
        let loaded = Event::Reloaded { epoch: 1, policy: digest.as_str().into() };
        shared.record(shared.keeper.latest(), &loaded);
        // If the log refuses, it is owed, and nothing is given before it is written.
        let _ = shared.journal.flush(shared.journal.last_seq(), shared.settings.log_timeout);
        let broker = Broker { shared: Arc::new(shared), log };
        if let Some(interval) = reaped {
            let reaper = broker.start_reaper(interval).map_err(BrokerError::Reaper)?;
            // There is none before.
            let _ = broker.shared.reaper.set(reaper);
        }
        Ok(broker)
    }

    /// Whether every setting and name is within what its method says.
    fn check(&self) -> Result<(), BrokerError> {
        let week = Duration::from_secs(7 * 24 * 60 * 60);
        for (name, duration) in [
            ("default_ttl", self.settings.default_ttl),
            ("ceiling", self.settings.ceiling),
            ("permit_ttl", self.settings.permit_ttl),
            ("break_glass_at_most", self.settings.break_glass_ttl),
        ] {
            if duration < LEAST || duration > week {
                return Err(BrokerError::Setting(name, "one millisecond to seven days"));
            }
        }
        if self.halts_lapse.is_some_and(|length| length < LEAST || length > week) {
            return Err(BrokerError::Setting("halts_lapse_after", "one millisecond to seven days"));
        }
        if let Some((denials, window)) = self.tripwire
            && (denials == 0 || denials > 10_000 || window < LEAST || window > week)
        {
            return Err(BrokerError::Setting(
                "halt_after",
                "1 to 10000 denials within one millisecond to seven days",
            ));
        }
        let window = self.settings.presentation_window;
        if window < LEAST || window > Duration::from_secs(5 * 60) {
            return Err(BrokerError::Setting(
                "presentation_window",
                "one millisecond to five minutes",
            ));
        }
        let wait = self.settings.log_timeout;
        if wait < LEAST || wait > Duration::from_secs(5 * 60) {
            return Err(BrokerError::Setting("log_timeout", "one millisecond to five minutes"));
        }
        let wait = self.settings.credential_wait;
        if wait < LEAST || wait > Duration::from_secs(5 * 60) {
            return Err(BrokerError::Setting("credential_wait", "one millisecond to five minutes"));
        }
        if self.settings.break_glass_uses == 0 {
            return Err(BrokerError::Setting("break_glass_at_most", "at least one use"));
        }
        let alert = self.alert.as_ref().map_or(wait, |alert| alert.within);
        if alert < LEAST || alert > Duration::from_secs(5 * 60) {
            return Err(BrokerError::Setting(
                "break_glass_alert",
                "one millisecond to five minutes",
            ));
        }
        if !(1..=1 << 20).contains(&self.settings.max_grants_per_task) {
            return Err(BrokerError::Setting("max_grants_per_task", "1 to 1048576"));
        }
        let questions = [self.settings.questions_per_task, self.settings.questions_per_identity];
        if questions.iter().any(|most| !(1..=10_000).contains(most)) {
            return Err(BrokerError::Setting("max_questions", "1 to 10000 each"));
        }
        for (name, text) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if text.is_empty() || text.len() > crate::token::MAX_NAME {
                return Err(BrokerError::Name(name));
            }
        }
        Ok(())
    }
}
