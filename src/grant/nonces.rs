//! Nonces: which call-bound presentations a grant has seen.
//!
//! Every holder of a token presents under the same grant, the one that was handed the narrowest part of it
//! too, and all of them share what is remembered for the grant. So a narrowed token, with all that is made of
//! it, has a share, and each further narrowing a smaller one: no later holder can use up what those
//! before it need.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};

/// How much one grant remembers at once, in units: one for each presentation, and one for each narrowing
/// that something remembered was presented under. A presentation is remembered for up to twice the window,
/// a minute by default: more than sixty calls a second, under one grant, all that time is not an errand. It takes
/// a quarter of a megabyte at most.
pub(crate) const MOST: usize = 4096;

/// How much of that all narrowed tokens have together: the rest is for the grant's own.
const MOST_NARROWED: usize = MOST / 4 * 3;

/// How much of that a token narrowed once has, with all that is made of it: more than sixteen calls a second.
const MOST_OF_FIRST: usize = 1024;

/// How much less each further narrowing has than the one before it, which keeps that for itself: one call a
/// second. The sixteenth, which is the last there can be, still has it.
const KEPT_BY_EACH: usize = 64;

/// What a narrowed token is known by here: it says nothing about the token's tag.
pub(crate) type Mark = [u8; 16];

/// A call-bound presentation, to be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Once {
    /// The first instant at which it is worth nothing.
    pub(crate) until: Timestamp,
    pub(crate) nonce: [u8; 16],
    /// The narrowings of the token that it presents, from the first: none of the grant's own.
    pub(crate) path: Vec<Mark>,
}

/// The presentations of one grant that are still worth something. One that is live is never
/// forgotten: where there is no room, new ones are refused (attack 77).
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    /// By the instant at which each is worth nothing any more; with the narrowing it was presented under.
    live: BTreeMap<(Timestamp, [u8; 16]), Option<Mark>>,
    /// The narrowings that live presentations were made under, and those before them.
    narrowings: BTreeMap<Mark, Narrowing>,
    /// What all narrowings take.
    narrowed: usize,
    /// What was worth nothing at this instant may have been forgotten.
    forgotten: Option<Timestamp>,
}

#[derive(Debug)]
struct Narrowing {
    /// What it takes with all that was made of it: itself, other narrowings, and presentations.
    units: usize,
    /// The one before it.
    above: Option<Mark>,
}

impl Nonces {
    pub(crate) const fn new() -> Self {
        Nonces { live: BTreeMap::new(), narrowings: BTreeMap::new(), narrowed: 0, forgotten: None }
    }

    /// Whether the presentation can be taken: not seen before, and room to remember it.
    pub(crate) fn probe(&self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        self.check_fresh(once, now)?;
        match self.live.first_key_value() {
            // As `take` does, which makes room first.
            Some(((soonest, _), _)) if now >= *soonest => {
                let mut tried = self.again();
                tried.forget(now);
                tried.check_room(once, now)
            }
            _ => self.check_room(once, now),
        }
    }

    /// Takes the presentation, once.
    pub(crate) fn take(&mut self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        self.check_fresh(once, now)?;
        self.forget(now);
        self.check_room(once, now)?;
        self.add(once);
        Ok(())
    }

    fn check_fresh(&self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        // Another decision, later by its clock, may have forgotten it since ours was read.
        if now >= once.until || self.forgotten.is_some_and(|at| at >= once.until) {
            return Err(Denial::new(Reason::StalePresentation));
        }
        if self.live.contains_key(&(once.until, once.nonce)) {
            return Err(Denial::new(Reason::Replayed));
        }
        Ok(())
    }

    /// Whether the grant, all narrowings together and each of those it was presented under have room.
    fn check_room(&self, once: &Once, now: Timestamp) -> Result<(), Denial> {
        let own = self.live.len() + self.narrowings.len();
        let added = 1 + self.new_below(&once.path);
        if own + added > MOST {
            let denial = too_many("the grant has");
            return Err(match self.live.first_key_value() {
                Some(((soonest, _), _)) => denial.free_after(soonest.since(now)),
                None => denial,
            });
        }
        if once.path.is_empty() {
            return Ok(());
        }
        if self.narrowed + added > MOST_NARROWED {
            return Err(too_many("the narrowed tokens of the grant have"));
        }
        for (at, mark) in once.path.iter().enumerate() {
            let taken = self.narrowings.get(mark).map_or(0, |own| own.units);
            let added = 1 + self.new_below(once.path.get(at..).unwrap_or_default());
            if taken + added > share_of(at + 1) {
                return Err(too_many(&format!("the token that attenuation {} gave has", at + 1)));
            }
        }
        Ok(())
    }

    /// How many of these narrowings are not known yet.
    fn new_below(&self, path: &[Mark]) -> usize {
        path.iter().filter(|mark| !self.narrowings.contains_key(*mark)).count()
    }

    fn add(&mut self, once: &Once) {
        self.live.insert((once.until, once.nonce), once.path.last().copied());
        if once.path.is_empty() {
            return;
        }
        self.narrowed += 1 + self.new_below(&once.path);
        let mut above = None;
        for (at, mark) in once.path.iter().enumerate() {
            let added = 1 + self.new_below(once.path.get(at..).unwrap_or_default());
            let own = self.narrowings.entry(*mark).or_insert(Narrowing { units: 0, above });
            own.units += added;
            above = Some(*mark);
        }
    }

    /// Forgets what is worth nothing at this instant.
    fn forget(&mut self, now: Timestamp) {
        while let Some(first) = self.live.first_entry()
            && now >= first.key().0
        {
            let under = first.remove();
            self.forgotten = self.forgotten.max(Some(now));
            self.give_back(under);
        }
    }

    /// A presentation under this narrowing takes nothing any more, nor does a narrowing that has no other.
    fn give_back(&mut self, under: Option<Mark>) {
        let (mut next, mut freed) = (under, 1);
        while let Some(mark) = next {
            let Some(own) = self.narrowings.get_mut(&mark) else { break };
            own.units = own.units.saturating_sub(freed);
            next = own.above;
            // What is left is itself.
            if own.units == 1 {
                self.narrowings.remove(&mark);
                freed += 1;
            }
        }
        if under.is_some() {
            self.narrowed = self.narrowed.saturating_sub(freed);
        }
    }

    /// The same, to try something out on.
    fn again(&self) -> Self {
        let copy = |(mark, own): (&Mark, &Narrowing)| {
            (*mark, Narrowing { units: own.units, above: own.above })
        };
        Nonces {
            live: self.live.clone(),
            narrowings: self.narrowings.iter().map(copy).collect(),
            narrowed: self.narrowed,
            forgotten: self.forgotten,
        }
    }
}

/// How much a token narrowed so often has, with all that is made of it.
fn share_of(narrowed: usize) -> usize {
    MOST_OF_FIRST.saturating_sub(KEPT_BY_EACH * narrowed.saturating_sub(1))
}

fn too_many(whose: &str) -> Denial {
    Denial::new(Reason::TooMany)
        .because(format_args!("{whose} too many call-bound presentations alive"))
}

#[cfg(test)]
mod tests;
