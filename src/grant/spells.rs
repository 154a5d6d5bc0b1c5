//! Spells: since when a holder has had access by a rule, and when it used it last.
//!
//! `max_life` and `idle` count from here. A spell belongs to a rule and a holder within a task, as a counter
//! belongs to a rule, so that asking again, however often, extends neither.

use std::collections::HashMap;
use std::sync::Arc;

use super::stamp::Stamp;
use crate::clock::Timestamp;
use crate::identity::Subject;

/// The spells of one task: of the rules that limit a whole life or idle time, and of no others. Most tasks have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spells(Option<Box<SpellsByRule>>);

type SpellsByRule = HashMap<Arc<str>, HashMap<Subject, Spell>>;

#[derive(Clone, Copy, Debug)]
struct Spell {
    since: Timestamp,
    last_used: Timestamp,
}

impl Spells {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// When access under these stamps is over for good, `None` if never. A rule that has given the holder
    /// nothing yet counts from `first`.
    pub(crate) fn life_ends<'s>(
        &self,
        stamps: impl Iterator<Item = &'s Stamp>,
        holder: &Subject,
        first: Timestamp,
    ) -> Option<Timestamp> {
        let ends = |stamp: &Stamp| {
            let since = self.of(stamp, holder).map_or(first, |spell| spell.since.min(first));
            // A life that ends after the last instant limits nothing.
            since.checked_add(stamp.limits.max_life?)
        };
        stamps.filter_map(ends).min()
    }

    /// When access under these stamps has been unused for too long, `None` if never. A rule that has given
    /// the holder nothing yet counts from `now`.
    pub(crate) fn idle_ends<'s>(
        &self,
        stamps: impl Iterator<Item = &'s Stamp>,
        holder: &Subject,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let ends = |stamp: &Stamp| {
            let last_used = self.of(stamp, holder).map_or(now, |spell| spell.last_used);
            last_used.checked_add(stamp.limits.idle?)
        };
        stamps.filter_map(ends).min()
    }

    /// Begins the spells of a grant that is given: those that have begun go on.
    pub(crate) fn begin<'s>(
        &mut self,
        stamps: impl Iterator<Item = &'s Stamp>,
        holder: &Subject,
        since: Timestamp,
        now: Timestamp,
    ) {
        for Stamp { rule, .. } in stamps.filter(|stamp| stamp.limits_time()) {
            let holders = self.0.get_or_insert_default().entry(rule.clone()).or_default();
            let spell = holders.entry(holder.clone()).or_insert(Spell { since, last_used: now });
            // A reload limits what was given before, in whatever order it comes to it.
            spell.since = spell.since.min(since);
        }
    }

    /// Notes that what these stamps are on was used.
    pub(crate) fn touch<'s>(
        &mut self,
        stamps: impl Iterator<Item = &'s Stamp>,
        holder: &Subject,
        now: Timestamp,
    ) {
        let Some(spells) = &mut self.0 else { return };
        for Stamp { rule, .. } in stamps {
            if let Some(spell) = spells.get_mut(rule).and_then(|of| of.get_mut(holder)) {
                spell.last_used = spell.last_used.max(now);
            }
        }
    }

    fn of(&self, stamp: &Stamp, holder: &Subject) -> Option<&Spell> {
        self.0.as_ref()?.get(&stamp.rule)?.get(holder)
    }
}
