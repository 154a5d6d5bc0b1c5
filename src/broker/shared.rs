//! What all handles of one broker share.

use super::alert::Alert;
use super::changes::Changes;
use super::credentials::Sources;
use super::current::{Current, InForce};
use super::debts::Debts;
use super::denial_hook::DenialHook;
use super::docket::Docket;
use super::downstream::Downstream;
use super::leak::LeakHook;
use super::member::Member;
use super::readers::Readers;
use super::reaper::Reaper;
use super::remains::Remains;
use super::settings::Settings;
use super::source::Source;
use super::stats::DenialCounts;
use super::tripwire::Tripwire;
use super::waits::Waits;
use super::watchers::Watchers;
use crate::audit::{
    Body, DeniedQuestion, Event, Journal, LogTimer, Origin, Outcome, Place, Unsettled,
};
use crate::clock::{NoTime, Timekeeper, Timestamp};
use crate::denial::{Code, Denial, Reason};
use crate::grant::{GrantIds, Pool, SpanningCounters, Terms};
use crate::identity::{Fold, Identity};
use crate::key::{KeyRing, LogKeys};
use crate::purpose::CheckedPurpose;
use crate::sync::atomic;
use crate::sync::process_wide::{AtomicU64, Ordering};
use crate::sync::{Mutex, RwLockReadGuard};
use crate::task::{Binding, Halt, Halts, Life, TaskCell, TaskTable};

pub(crate) struct Shared {
    /// Tells this broker's identities from those of any other in the process.
    pub(crate) id: u64,
    /// How names are spelled here, for as long as the broker lives.
    pub(crate) fold: Fold,
    pub(crate) issuer: Box<str>,
    pub(crate) audience: Box<str>,
    pub(crate) keeper: Timekeeper,
    pub(crate) current: InForce,
    pub(crate) ring: Mutex<KeyRing>,
    /// When the grace of a retired key is over, in milliseconds since the epoch; the largest number while
    /// none runs. Apart from the ring, since it is asked whenever something is swept.
    pub(crate) next_purge: atomic::AtomicU64,
    pub(crate) log_keys: Mutex<LogKeys>,
    pub(crate) table: TaskTable,
    pub(crate) spanning: SpanningCounters,
    pub(crate) terms: Pool<Terms>,
    pub(crate) purposes: Pool<CheckedPurpose>,
    /// What questions are bound to.
    pub(crate) bindings: Pool<Binding>,
    /// Grants of tasks that are over, and had more than are dropped at once.
    pub(crate) remains: Remains,
    pub(crate) changes: Changes,
    /// Permits whose call never started.
    pub(crate) abandoned: atomic::AtomicU64,
    pub(crate) halts: Halts,
    pub(crate) watchers: Watchers,
    /// What waits for people.
    pub(crate) docket: Docket,
    /// Who is told what changes for people.
    pub(crate) readers: Readers,
    /// What was done when the glass was broken, and is not reviewed.
    pub(crate) debts: Debts,
    /// Whom the host alerts of that.
    pub(crate) alert: Option<Alert>,
    pub(crate) denials: DenialCounts,
    pub(crate) tripwire: Option<Tripwire>,
    pub(crate) journal: Journal,
    /// The id of a log on file, with which another broker may go on: what people were asked is sealed for it.
    pub(crate) kept_log: Option<Box<str>>,
    pub(crate) settings: Settings,
    /// What futures wait with until the log has had its time, if the host gave it.
    pub(crate) log_timer: Option<LogTimer>,
    /// Asked for facts at each question, if the host gave one.
    pub(crate) source: Option<Source>,
    /// Where what tools run with comes from.
    pub(crate) sources: Sources,
    /// What providers have minted: nothing where there are none.
    pub(crate) downstream: Option<Box<Downstream>>,
    /// The reaper that was asked for when the broker was built.
    pub(crate) reaper: std::sync::OnceLock<Reaper>,
    pub(crate) ids: GrantIds,
    /// The node of a fleet that this broker is, if it is one.
    pub(crate) member: Member,
    pub(crate) on_denial: Option<DenialHook>,
    pub(crate) on_leak: Option<LeakHook>,
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

    /// Reads the clock for a question that may give something; a decision does so once, before it takes any lock.
    /// In a fleet nothing is given at a time at which the node has no good lease.
    pub(crate) fn now(&self) -> Result<Timestamp, Denial> {
        let (now, reading) = self.keeper.read().map_err(no_time)?;
        self.member.check_lease(&reading)?;
        Ok(now)
    }

    /// Reads the clock for what gives nothing, and goes through without a lease.
    pub(crate) fn time(&self) -> Result<Timestamp, Denial> {
        self.keeper.now().map_err(no_time)
    }

    /// Refuses in the child of a fork.
    pub(super) fn check_process(&self) -> Result<(), Denial> {
        match self.is_forked() {
            true => Err(Denial::new(Reason::Forked).because(NoTime::Forked)),
            false => Ok(()),
        }
    }

    /// Whether this is the child of a fork: nothing of the broker takes effect here, and any of its locks may
    /// be held for good. Whatever takes a lock asks this first, or the time.
    pub(crate) fn is_forked(&self) -> bool {
        self.keeper.is_forked()
    }

    /// Waits until no call of a task that is or was at home here can start at another node: what an end that is final
    /// when it returns does last. Outside of a fleet there is nothing to wait for.
    #[inline]
    pub(crate) fn await_leaves(&self, generation: u64) {
        self.member.await_leaves(generation, || {
            self.keeper.read().ok().map(|(_, reading)| reading.monotonic)
        });
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

    /// Takes the place in the sequence of a record that gives access: called under the task's lock.
    pub(crate) fn place(&self, at: Timestamp, event: &Event<'_>) -> Result<Place, Denial> {
        self.place_with(at, event, None)
    }

    /// As [`place`](Self::place), with the values that the event commits to.
    pub(crate) fn place_with(
        &self,
        at: Timestamp,
        event: &Event<'_>,
        plain: Option<Box<str>>,
    ) -> Result<Place, Denial> {
        let body = Body::new(at, event).map_err(|error| refused(&error))?.with_plain(plain);
        self.journal.place(body).map_err(|error| refused(&error))
    }

    /// Waits until the log has accepted the record, outside all locks.
    pub(crate) fn settle(&self, place: Place) -> Result<u64, Unrecorded> {
        self.journal.settle(place).map_err(Unrecorded::from)
    }

    /// As [`settle`](Self::settle), without holding the thread where the caller is a future and the host has given a
    /// timer. Without one it waits on the thread, which at least ends in time.
    pub(super) async fn settle_as(&self, place: Place, waits: Waits) -> Result<u64, Unrecorded> {
        match (&self.log_timer, waits) {
            (Some(timer), Waits::AsFuture) => {
                self.journal.settling(place, timer).await.map_err(Unrecorded::from)
            }
            _ => self.settle(place),
        }
    }

    /// Records what stands in any case: takes the record's place in the sequence, under whatever lock
    /// the order is decided, and leaves the writing to others.
    pub(crate) fn record(&self, at: Timestamp, event: &Event<'_>) -> Option<u64> {
        Body::new(at, event).ok().map(|body| self.journal.note(body))
    }

    /// Records what became of a permit that is closed, under the task's lock.
    pub(crate) fn record_outcome(
        &self,
        cell: &TaskCell,
        life: &Life,
        (of, outcome, noted): (u64, Outcome, u64),
        at: Timestamp,
    ) {
        let task_over = life.over.is_some();
        let break_glass = life.is_glass_permit(of);
        if outcome == Outcome::Abandoned {
            self.abandoned.fetch_add(1, atomic::Ordering::Relaxed);
        }
        self.record(
            at,
            &Event::Outcome {
                task: (&*cell.name).into(),
                generation: cell.generation,
                of,
                outcome,
                task_over,
                noted,
                break_glass,
            },
        );
    }

    /// Records a denial, counts it, and tells the host's hook: called with no lock held. In the child of a
    /// fork, only the hook is told.
    pub(crate) fn record_denial(
        &self,
        at: Timestamp,
        denial: &Denial,
        question: DeniedQuestion<'_>,
    ) {
        let event = question.record(denial);
        if denial.reason() == Reason::Forked {
            return self.tell_hook(denial, &event);
        }
        self.place_denial(at, denial, &event);
        self.tell_denial(denial, &event);
    }

    /// As [`record_denial`](Self::record_denial), of a thread that asked for access.
    pub(crate) fn refuse(&self, at: Timestamp, denial: &Denial, question: DeniedQuestion<'_>) {
        self.record_denial(at, denial, question);
        if denial.reason() != Reason::Forked {
            self.journal.write_if_many();
        }
    }

    /// Counts a denial, and takes the place of its record.
    pub(crate) fn place_denial(&self, at: Timestamp, denial: &Denial, event: &Event<'_>) {
        self.place_denial_with(at, denial, event, None);
    }

    /// As [`place_denial`](Self::place_denial), with the values that the event commits to.
    pub(crate) fn place_denial_with(
        &self,
        at: Timestamp,
        denial: &Denial,
        event: &Event<'_>,
        plain: Option<Box<str>>,
    ) {
        self.denials.count(denial.reason());
        self.journal.note_denial(at, event, plain);
    }

    /// Tells the host's hook of a denial: called with no lock held.
    pub(crate) fn tell_denial(&self, denial: &Denial, event: &Event<'_>) {
        // What is found to have drifted ends under locks that are held no more.
        self.watchers.wake_due();
        self.tell_hook(denial, event);
    }

    fn tell_hook(&self, denial: &Denial, event: &Event<'_>) {
        if let Some(hook) = &self.on_denial {
            hook.tell(denial, event);
        }
    }

    /// Whose log it is.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin::new(&self.issuer, &self.audience)
    }

    /// Counts a denial against the asking identity, if a tripwire is set, and halts it if that was one too
    /// many. What the asker did not cause (the log, the clock, a halt that is on) does not count, nor that people
    /// have to agree first.
    pub(crate) fn trip(&self, who: &Identity, denial: &Denial, now: Timestamp) {
        let is_asked = denial.reason() == Reason::ApprovalRequired;
        if is_asked || matches!(denial.code(), Code::Unavailable | Code::Halted) {
            return;
        }
        if let Some(wire) = &self.tripwire
            && who.attested_by() == self.id
            && wire.note(who.subject().as_str(), now)
        {
            // One that ends after the last instant there is does not lapse.
            let until = wire.lapse().and_then(|length| now.checked_add(length));
            let turn = self.halts.take_turn();
            let what = Halt::of(who.subject().as_str());
            self.member.begin_halt(&what);
            let (until, was_on) = self.halts.halt_until(who.subject().as_str(), until, now);
            // The log tells when a halt lapses as it begins: what lapses writes no record, and one that
            // stays for longer is not said to.
            if !was_on {
                self.record(now, &Event::Halted { what: what.to_string().into(), until });
            }
            self.member.owe_halt(&what, until);
            drop(turn);
            self.watchers.note_halt();
            self.watchers.wake_due();
        }
    }
}

/// Whether an end has a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    Yes,
    /// It never was: under the number of its record, the log says that it was not given.
    NeverGiven,
}

impl Recorded {
    /// Of what was given, and taken back while the log had yet to answer.
    pub(crate) fn of_given_up(answer: &Result<u64, Unsettled>) -> Self {
        match answer {
            Err(Unsettled { stands: false, .. }) => Recorded::NeverGiven,
            // What stands as given is taken back by a record of its own.
            Ok(_) | Err(_) => Recorded::Yes,
        }
    }
}

/// What gives access is not known to be in the log.
pub(crate) struct Unrecorded {
    pub(crate) denial: Denial,
    /// Whether what takes it back needs a record.
    pub(crate) end: Recorded,
}

impl From<Unsettled> for Unrecorded {
    fn from(Unsettled { why, stands }: Unsettled) -> Self {
        // What stands as given is taken back by a record of its own.
        let end = if stands { Recorded::Yes } else { Recorded::NeverGiven };
        Unrecorded { denial: refused(&why), end }
    }
}

pub(super) fn no_time(error: NoTime) -> Denial {
    let reason = match error {
        NoTime::Clock(_) => Reason::ClockUnreadable,
        NoTime::Forked => Reason::Forked,
    };
    Denial::new(reason).because(error)
}

fn refused(error: &dyn std::fmt::Display) -> Denial {
    Denial::new(Reason::LogRefused).because(error)
}
