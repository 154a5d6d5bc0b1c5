//! What all handles of one broker share.

use super::current::{Current, InForce};
use super::denial_hook::DenialHook;
use super::settings::Settings;
use super::source::Source;
use super::stats::DenialCounts;
use super::tripwire::Tripwire;
use crate::audit::{Body, Event, Journal, Origin, Place, Refused};
use crate::clock::{Timekeeper, Timestamp};
use crate::denial::{Code, Denial, Reason};
use crate::grant::{GrantIds, Pool, Rows, SpanningCounters, Terms};
use crate::identity::Identity;
use crate::key::{KeyRing, LogKeys};
use crate::purpose::CheckedPurpose;
use crate::sync::process_wide::{AtomicU64, Ordering};
use crate::sync::{Mutex, RwLockReadGuard};
use crate::task::{Halt, Halts};
use crate::task::{Table, TaskCell};

pub(crate) struct Shared {
    /// Tells this broker's identities from those of any other in the process.
    pub(crate) id: u64,
    pub(crate) issuer: Box<str>,
    pub(crate) audience: Box<str>,
    pub(crate) keeper: Timekeeper,
    pub(crate) current: InForce,
    pub(crate) ring: Mutex<KeyRing>,
    pub(crate) log_keys: Mutex<LogKeys>,
    pub(crate) table: Table,
    pub(crate) spanning: SpanningCounters,
    pub(crate) terms: Pool<Terms>,
    pub(crate) purposes: Pool<CheckedPurpose>,
    /// Grants of tasks that are over, and had so many that dropping them is left to the sweep.
    pub(crate) remains: Mutex<Vec<Rows>>,
    pub(crate) halts: Halts,
    pub(crate) denials: DenialCounts,
    pub(crate) tripwire: Option<Tripwire>,
    pub(crate) journal: Journal,
    pub(crate) settings: Settings,
    /// Asked for facts at each question, if the host gave one.
    pub(crate) source: Option<Source>,
    pub(crate) ids: GrantIds,
    pub(crate) on_denial: Option<DenialHook>,
}

impl Shared {
    /// A number that no other broker of this process has.
    pub(crate) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// What is in force, for as long as the guard is held.
    pub(crate) fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read()
    }

    /// Reads the clock; a decision does so once.
    pub(crate) fn now(&self) -> Result<Timestamp, Denial> {
        self.keeper.now().map_err(|error| Denial::new(Reason::ClockUnreadable).because(error))
    }

    /// The time to judge by under a lock that was waited for since the clock was read: no earlier than
    /// anybody has been told meanwhile, so that what has expired stays expired (attack 194).
    pub(crate) fn as_of(&self, read: Timestamp) -> Timestamp {
        read.max(self.keeper.latest())
    }

    /// Whether this broker attested the identity, and it is good still.
    pub(crate) fn attested(&self, who: &Identity, now: Timestamp) -> Result<(), Denial> {
        if who.attested_by() != self.id {
            return Err(Denial::new(Reason::ForeignIdentity)
                .because(format_args!("`{}` was attested by another broker", who.subject())));
        }
        who.check_validity(now)
    }

    /// Takes the record's place in the sequence: called under a task's lock where the order matters.
    pub(crate) fn place(&self, at: Timestamp, event: &Event<'_>) -> Result<Place, Denial> {
        let body = Body::new(at, event).map_err(|error| refused(&error))?;
        self.journal.place(body).map_err(|error| refused(&error))
    }

    /// Waits until the log has accepted the record.
    pub(crate) fn settle(&self, place: Place) -> Result<u64, Denial> {
        self.journal.settle(place).map_err(|error: Refused| refused(&error))
    }

    /// Records what stands in any case: if the log refuses, the record is owed.
    pub(crate) fn record(&self, at: Timestamp, event: &Event<'_>) {
        if let Ok(place) = self.place(at, event) {
            self.journal.owe(place);
        }
    }

    /// Records a denial, counts it, and tells the host's hook: called with no lock held.
    pub(crate) fn record_denial(&self, at: Timestamp, denial: &Denial, event: Event<'_>) {
        let place = self.place_denial(at, denial, &event);
        self.tell_denial(place, denial, &event);
    }

    /// Gets the record of a denial written, and tells the host's hook: called with no lock held.
    pub(crate) fn tell_denial(&self, place: Option<Place>, denial: &Denial, event: &Event<'_>) {
        if let Some(place) = place {
            self.journal.owe(place);
        }
        if let Some(hook) = &self.on_denial {
            hook.tell(denial, event);
        }
    }

    /// Counts a denial, and takes the place of its record.
    pub(crate) fn place_denial(
        &self,
        at: Timestamp,
        denial: &Denial,
        event: &Event<'_>,
    ) -> Option<Place> {
        self.denials.count(denial.reason());
        self.place(at, event).ok()
    }

    /// Whose log it is.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin::new(&self.issuer, &self.audience)
    }

    /// Counts a denial against whoever asked, if a tripwire is set, and halts it if that was one too
    /// many. What is no doing of the asker's (the log, the clock, a halt that is on) does not count.
    pub(crate) fn trip(&self, who: &Identity, denial: &Denial, now: Timestamp) {
        if matches!(denial.code(), Code::Unavailable | Code::Halted) {
            return;
        }
        if let Some(wire) = &self.tripwire
            && who.attested_by() == self.id
            && wire.note(who.subject().as_str(), now)
        {
            let halt = Halt::identity(who.subject().as_str());
            let what = halt.to_string();
            self.halts.halt(halt);
            self.record(now, &Event::Halted { what: what.into() });
        }
    }

    /// Ends a task's presence in the table once it is over.
    pub(crate) fn forget(&self, cell: &TaskCell) {
        self.table.remove(cell);
    }
}

fn refused(error: &dyn std::fmt::Display) -> Denial {
    Denial::new(Reason::LogRefused).because(error)
}
