//! A life withdraws what it had minted, and looks that nothing stays outside that is not known, and nothing that has to go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hallpass::audit::Event;
use hallpass::testing::{Verify, Withdraw};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::life::Life;
use crate::life_minting::Made;
use crate::small::MINTING_TOOL;

/// How one round of tending goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tending {
    /// What so many withdrawals do instead.
    withdrawals: Option<(Withdraw, usize)>,
    /// What one look does instead.
    look: Option<Verify>,
}

impl Tending {
    pub(crate) const WELL: Tending = Tending { withdrawals: None, look: None };
    /// Nothing can be withdrawn.
    pub(crate) const REFUSED: Tending =
        Tending { withdrawals: Some((Withdraw::Refuses, 100)), look: None };

    fn goes_well(self) -> bool {
        self.withdrawals.is_none() && self.look.is_none()
    }
}

pub(crate) fn tending() -> BoxedStrategy<Tending> {
    let withdraw =
        select(vec![Withdraw::Fails, Withdraw::Panics, Withdraw::Pretends, Withdraw::Refuses]);
    let look = select(vec![Verify::Unknown, Verify::Panics]);
    (option::weighted(0.3, (withdraw, 1..3usize)), option::weighted(0.1, look))
        .prop_map(|(withdrawals, look)| Tending { withdrawals, look })
        .boxed()
}

impl Life {
    /// Withdraws what is due. What has ended goes, what lives stays.
    pub(crate) fn tend(&mut self, how: Tending) {
        if let Some((cue, times)) = how.withdrawals {
            self.mints.provider.next_withdrawals(cue, times);
        }
        if let Some(cue) = how.look {
            self.mints.provider.next_verifications(cue, 1);
        }
        let tended = self.broker.tend(Duration::from_secs(600));
        if !how.goes_well() {
            self.mints.recover();
        }
        self.tick();
        for at in 0..self.mints.made.len() {
            let own = &self.mints.made[at];
            if own.leased && !(self.is_usable(own.row) && self.now < own.expires) {
                self.mints.made[at].leased = false;
            }
        }
        self.mints.records += 3 * self.mints.made.len();
        let known = self.known_outside();
        let outside = self.mints.provider.live();
        let mut gone = 0;
        for own in std::mem::take(&mut self.mints.made) {
            let owed = self.is_owed(&own);
            if known.contains_key(&own.name) {
                let landed = own.lands_by.is_none_or(|by| by <= self.now);
                let should_go = owed == Some(true) && landed && !own.tried && how.goes_well();
                assert!(!should_go, "P2: it is not withdrawn: {own:?}");
                self.mints.made.push(Made { tried: own.tried || owed != Some(false), ..own });
            } else {
                gone += 1;
                assert_ne!(owed, Some(false), "what a live grant has was taken: {own:?}");
                assert!(own.lands_by.is_none_or(|by| by <= self.now), "it may still land: {own:?}");
                assert!(!outside.iter().any(|left| **left == own.name), "it is not gone: {own:?}");
            }
        }
        assert_eq!(tended.gone, gone);
        assert_eq!(tended.owed, self.broker.obligations().len());
        self.tally.withdrawn_credentials += gone;
    }

    /// Whether a grant lives, and nothing is halted.
    fn is_usable(&self, row: usize) -> bool {
        let whos: Vec<usize> = self.lineage(row).iter().map(|at| self.rows[*at].holder).collect();
        self.is_live(row) && !self.stopped(self.rows[row].task, &whos, Some(MINTING_TOOL))
    }

    /// Whether it has to go; nothing where that is for the broker to say, until it is tended.
    fn is_owed(&self, own: &Made) -> Option<bool> {
        let row = &self.rows[own.row];
        let has_ended = row.ended.is_some() || self.tasks[row.task].over;
        if own.failed || has_ended {
            return Some(true);
        }
        if own.superseded {
            return Some(own.users == 0);
        }
        if !own.leased {
            return Some(true);
        }
        (self.is_live(own.row) && self.now < own.expires).then_some(false)
    }

    /// What the broker knows to be outside, and whether it has to go.
    fn known_outside(&self) -> BTreeMap<String, bool> {
        let standing = self.broker.standing().downstream;
        standing.into_iter().map(|own| (own.name.into(), own.owed)).collect()
    }

    /// P2, P8, P11: all that is outside is known, and what has ended is owed from that moment on.
    pub(crate) fn compare_credentials(&self) {
        let known = self.known_outside();
        let made: BTreeSet<&String> = self.mints.made.iter().map(|own| &own.name).collect();
        assert!(known.keys().eq(made.iter().copied()), "{known:?}, expected {made:?}");
        for own in &self.mints.made {
            let owed = self.is_owed(own);
            assert!(owed.is_none_or(|owed| known[&own.name] == owed), "{owed:?}: {own:?}");
        }
        for name in self.mints.provider.live() {
            let is_known = known.contains_key(&*name) || self.mints.left.contains(&*name);
            assert!(is_known, "P2: `{name}` is outside, and is not known");
        }
        let owed: BTreeSet<String> =
            self.broker.obligations().into_iter().map(|own| own.name.into()).collect();
        let due = known.iter().filter(|(_, owed)| **owed).map(|(name, _)| name);
        assert!(due.eq(&owed), "what has to go is listed");
    }

    /// P2: in the end nothing of it is left, however it went.
    pub(crate) fn withdraw_all(&mut self) {
        self.mints.recover();
        // What failed is tried again after five minutes at the longest, and what can't go has expired by then.
        for _ in 0..4 {
            self.advance(300);
            self.tend(Tending::WELL);
        }
        assert_eq!(self.broker.obligations(), []);
        assert_eq!(self.broker.standing().downstream, []);
        let outside = self.mints.provider.live().into_iter().map(String::from);
        let left: BTreeSet<String> = outside.collect();
        assert!(left.is_subset(&self.mints.left), "P2: {left:?} is left outside");
    }

    /// What earlier brokers have left was handed to the host, and nothing else was.
    pub(crate) fn compare_what_was_handed_over(&mut self) {
        assert_eq!(*self.mints.handed.lock().unwrap(), self.mints.left, "P2: known to the host");
        self.tally.handed_over += self.mints.left.len();
    }

    /// P8, P9: no secret is in the log; and of each credential it says what was planned before it says what came of it.
    pub(crate) fn compare_credentials_in_the_log(&self) {
        let lines = self.log.lines();
        // What every secret of this provider begins with, whether a call was lent it or not.
        let shows = |(line, _): &(String, _)| line.contains("minted-");
        assert!(!lines.iter().any(shows), "P8: a secret is in the log");
        let mut open: BTreeMap<String, bool> = BTreeMap::new();
        for record in self.log.records() {
            match record.event {
                Event::CredentialPlanned { name, .. } => {
                    assert_eq!(open.insert(name.into_owned(), false), None, "a name is used once");
                }
                Event::CredentialMinted { name, .. } => {
                    let minted = open.get_mut(&*name).expect("planned before");
                    assert!(!std::mem::replace(minted, true), "minted once");
                }
                Event::CredentialWithdrawn { name } | Event::CredentialOwed { name, .. } => {
                    assert!(open.contains_key(&*name), "of what is there");
                }
                Event::CredentialGone { name, .. } => {
                    assert!(open.remove(&*name).is_some(), "gone once");
                }
                _ => {}
            }
        }
        for name in &self.mints.left {
            assert!(open.remove(name).is_some(), "P9: what is not gone is told: {name}");
        }
        // What an earlier broker knew to be gone, and could not write any more, is looked for again.
        assert!(open.is_empty() || self.tally.restarted > 0, "P9: {open:?}");
    }
}
