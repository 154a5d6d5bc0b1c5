//! A row of the table: one grant, and the terms it was given on.

use std::sync::Arc;
use std::time::Duration;

use super::id::GrantId;
use super::nonces::{Nonces, Once};
use super::spells::Spells;
use super::stamp::Stamp;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::scope::Capability;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: GrantId,
    pub(crate) serial: u32,
    pub(crate) holder: Identity,
    pub(crate) terms: Arc<Terms>,
    /// The grant it was delegated from.
    pub(crate) parent: Option<GrantId>,
    /// How many delegations below a root it is.
    pub(crate) hops: u8,
    pub(crate) first_issued: Timestamp,
    /// When it was issued, or renewed last: what its time to live counts from.
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// When a call was permitted or ended last.
    pub(crate) last_used: Timestamp,
    /// How many calls are running on it and on what was delegated from it: it is in use as long.
    pub(crate) running: u32,
    /// The version of what is in force that was last found to give it.
    pub(crate) version: u64,
    /// What few grants have.
    pub(crate) more: Option<Box<RareTerms>>,
}

/// What few grants have, and renewal keeps.
#[derive(Debug, Default)]
pub(crate) struct RareTerms {
    /// Presentations bound to a call that were taken.
    nonces: Nonces,
    /// When the grant's whole life ends, whatever is renewed.
    life_ends: Option<Timestamp>,
    /// When it can be used from, where that was to come.
    starts: Option<Timestamp>,
    /// The first serial whose permits the renewals since have confirmed, if there was one.
    confirmed: Option<u32>,
    /// What was granted, where today's catalogue spells it otherwise. A later one reads it from this, so that
    /// what a grant says does not depend on which policies looked at it in between.
    as_granted: Option<Box<[Capability]>>,
}

impl Row {
    /// The same row, to try something out on.
    pub(crate) fn trial(&self) -> Row {
        let more = RareTerms::of(self.life_ends(), self.starts());
        let mut row = Row { holder: self.holder.clone(), terms: self.terms.clone(), more, ..*self };
        row.read_from(self.more.as_ref().and_then(|more| more.as_granted.clone()));
        row
    }

    /// The capabilities as they were granted: what policy is asked about again.
    pub(crate) fn as_granted(&self) -> Vec<Capability> {
        match self.more.as_ref().and_then(|more| more.as_granted.as_deref()) {
            Some(own) => own.to_vec(),
            None => self.terms.scope.iter().map(|granted| granted.capability.clone()).collect(),
        }
    }

    /// Notes what its terms were read from, if today's catalogue spells that otherwise.
    pub(crate) fn read_from(&mut self, as_granted: Option<Box<[Capability]>>) {
        if as_granted.is_some() {
            self.more.get_or_insert_default().as_granted = as_granted;
        } else if let Some(more) = &mut self.more {
            more.as_granted = None;
        }
    }

    /// Moves on to the next serial. What confirms the authority lets permits of the serials before start
    /// still; what does not ends them, for good.
    pub(crate) fn supersede(&mut self, serial: u32, confirms: bool) {
        if confirms {
            self.more.get_or_insert_default().confirmed.get_or_insert(self.serial);
        } else if let Some(more) = &mut self.more {
            more.confirmed = None;
        }
        self.serial = serial;
    }

    /// Whether a permit that was handed out to `caller` on a token of this serial may start: on the current
    /// one, or on one that has been confirmed since, by a renewal for the same attested facts.
    pub(crate) fn honours(&self, serial: u32, caller: &Identity) -> bool {
        let confirmed = self.more.as_ref().and_then(|more| more.confirmed);
        serial == self.serial
            || confirmed.is_some_and(|first| first <= serial) && caller.states_as(&self.holder)
    }

    /// When its whole life ends, if that is limited.
    pub(crate) fn life_ends(&self) -> Option<Timestamp> {
        self.more.as_ref()?.life_ends
    }

    /// Has its whole life end then, if it does not before.
    pub(crate) fn limit_life(&mut self, ends: Option<Timestamp>) {
        if let Some(ends) = ends {
            let own = &mut self.more.get_or_insert_default().life_ends;
            *own = Some(own.map_or(ends, |own| own.min(ends)));
        }
    }

    /// When it can be used from, where that was to come when it was given.
    pub(crate) fn starts(&self) -> Option<Timestamp> {
        self.more.as_ref()?.starts
    }

    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        now >= self.expires || self.idles_out().is_some_and(|(_, at)| now >= at)
    }

    /// When it ends for not being used, and after how long: never while a call is running.
    pub(crate) fn idles_out(&self) -> Option<(Duration, Timestamp)> {
        let idle = self.terms.idle.filter(|_| self.running == 0)?;
        // Past the last instant there is, its expiry comes first.
        self.last_used.checked_add(idle).map(|at| (idle, at))
    }

    /// Notes that it was used until `at`.
    pub(crate) fn touch(&mut self, spells: Option<&mut Spells>, at: Timestamp) {
        self.last_used = self.last_used.max(at);
        if let Some(spells) = spells.filter(|spells| !spells.is_empty()) {
            spells.touch(self.stamps(), self.holder.subject(), at);
        }
    }

    /// Whether a call-bound presentation can be taken.
    pub(crate) fn probe(&self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        self.more.as_ref().map_or(&NO_NONCES, |more| &more.nonces).probe(once, now)
    }

    /// Takes a call-bound presentation, once.
    pub(crate) fn take(&mut self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        self.more.get_or_insert_default().nonces.take(once, now)
    }

    /// How much its scope says, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.terms.scope.iter().map(|granted| granted.capability.size()).sum()
    }

    pub(crate) fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.terms.stamps()
    }
}

impl RareTerms {
    /// Of a grant whose whole life ends then, or that can be used from then on; `None` where neither is said.
    pub(crate) fn of(
        life_ends: Option<Timestamp>,
        starts: Option<Timestamp>,
    ) -> Option<Box<RareTerms>> {
        (life_ends.is_some() || starts.is_some())
            .then(|| Box::new(RareTerms { life_ends, starts, ..RareTerms::default() }))
    }
}

static NO_NONCES: Nonces = Nonces::new();

/// What was granted: the same for all grants that policy gave alike, which share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) scope: Vec<Granted>,
    /// A grant ends when it has not been used for so long.
    pub(crate) idle: Option<Duration>,
}

impl Terms {
    /// Whether these give no less than others, of the same capabilities: no limit that the others do not
    /// have, and none that is tighter.
    pub(crate) fn give_no_less_than(&self, others: &Terms) -> bool {
        let idle = self.idle.is_none_or(|own| others.idle.is_some_and(|other| other <= own));
        let mut both = self.scope.iter().zip(&others.scope);
        idle && self.scope.len() == others.scope.len()
            && both.all(|(own, other)| {
                own.capability == other.capability
                    && own.stamps.iter().all(|stamp| stamp.is_no_tighter_than(&other.stamps))
            })
    }

    /// Whether a rule limits how long something lives, beyond one grant.
    pub(crate) fn limit_time(&self) -> bool {
        self.stamps().any(Stamp::limits_time)
    }

    pub(crate) fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.scope.iter().flat_map(|granted| &granted.stamps)
    }
}

/// A capability as it was granted, with the limits that every permit covering it put on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) capability: Capability,
    pub(crate) stamps: Box<[Stamp]>,
}
