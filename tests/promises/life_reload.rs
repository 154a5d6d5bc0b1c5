//! A life changes its policy.

use hallpass::Reason;

use crate::giving::{Given, Stamp};
use crate::life::Life;
use crate::life_case::Scan;
use crate::life_rows::{Part, Row};
use crate::model_rules::seen_by;
use crate::small::Posted;

impl Life {
    pub(crate) fn reload(&mut self, to: usize, scan: Scan) {
        let next = self.posted[to].clone();
        let same = next.policy.digest() == self.today().policy.digest();
        let reload = self.broker.reload(&next.policy).unwrap();
        self.policy = to;
        for task in &mut self.tasks {
            task.history = seen_by(&task.called, &next.said);
        }
        if !same {
            self.epoch += 1;
            let epoch = self.epoch;
            self.record(format!("reloaded {epoch}"));
        }
        assert_eq!(reload.epoch(), self.epoch, "the same policy is not a new epoch");
        let live = |task: &usize| !self.tasks[*task].over;
        let tasks: Vec<usize> = (0..self.tasks.len()).filter(live).filter(|_| !same).collect();
        assert_eq!(reload.waiting(), tasks.len());
        match scan {
            Scan::AtOnce => {
                self.scans.push((reload, tasks));
                let last = self.scans.len() - 1;
                self.scan_at(last);
            }
            Scan::Later => self.scans.push((reload, tasks)),
            Scan::Never => {}
        }
    }

    pub(crate) fn scan(&mut self) {
        if !self.scans.is_empty() {
            self.scan_at(0);
        }
    }

    fn scan_at(&mut self, at: usize) {
        let (reload, tasks) = self.scans.remove(at);
        let report = reload.finish();
        self.tick();
        let policy = self.today();
        let drifted: Vec<usize> =
            tasks.into_iter().flat_map(|task| self.survey(task, &policy)).collect();
        let told: Vec<_> = report.grants.iter().map(|own| own.id).collect();
        let ids: Vec<_> = drifted.iter().map(|row| self.rows[*row].id).collect();
        assert!(told.iter().all(|id| ids.contains(id)), "P3: ended without a cause");
        assert_eq!(told.len(), ids.len(), "P3: what drifted is told, but for what ended with it");
        for row in drifted {
            if self.end_row(row, Reason::Drifted).is_some() {
                self.tally.drifted += 1;
            }
        }
    }

    /// Looks at what lives of a task, those above first: which of them a policy would not give, but for
    /// those that hang from another; and holds the rest to what is tighter.
    fn survey(&mut self, task: usize, policy: &Posted) -> Vec<usize> {
        let mut drifted: Vec<usize> = Vec::new();
        let mut live: Vec<usize> = (0..self.rows.len())
            .filter(|row| self.rows[*row].task == task && self.is_live(*row))
            .filter(|row| self.rows[*row].epoch != self.epoch)
            .collect();
        live.sort_by_key(|row| (self.lineage(*row).len(), self.rows[*row].first_issued));
        for row in live {
            if self.lineage(row).iter().any(|above| drifted.contains(above)) {
                continue;
            }
            match self.would_give(row, policy) {
                Some(given) => self.clamp(row, given),
                None => drifted.push(row),
            }
        }
        drifted
    }

    /// A grant that lives and is used before the scan has come to it, and all it was delegated from,
    /// is looked at then, those above first.
    pub(crate) fn keep_up(&mut self, row: usize) {
        let policy = self.today();
        let lineage = self.lineage(row);
        if lineage.iter().any(|at| !self.is_there(*at) || self.rows[*at].is_past(self.now)) {
            return;
        }
        for at in lineage.into_iter().rev() {
            if self.rows[at].epoch == self.epoch {
                continue;
            }
            match self.would_give(at, &policy) {
                Some(given) => self.clamp(at, given),
                None => {
                    // Its record waits for the next.
                    self.end_row(at, Reason::Drifted);
                    self.tally.drifted += 1;
                    return;
                }
            }
        }
    }

    /// Whatever is tighter today holds from now on; nothing is reset, and nothing is widened.
    fn clamp(&mut self, at: usize, given: Given) {
        let Row { task, holder, first_issued, .. } = self.rows[at];
        let (life_ends, _) = self.time_left(task, holder, &given.stamps, first_issued);
        self.begin_spells(task, holder, &given.stamps, first_issued);
        let policy = self.today();
        let row = &mut self.rows[at];
        let before = row.expires;
        let least = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
        row.life_ends = least(row.life_ends, life_ends);
        row.idle = least(row.idle, given.idle);
        row.expires = row.expires.min(row.issued + given.ttl);
        row.expires = row.expires.min(row.life_ends.unwrap_or(row.expires));
        for (Part { granted, covering, stamps, .. }, today) in
            row.parts.iter_mut().zip(given.stamps)
        {
            *covering = policy.respelled(granted);
            // Each is asked for itself, so that none has to be tighter than another. Of two rates one
            // of which says it all, only that one's calls are remembered.
            for mut stamp in today {
                if stamps.contains(&stamp) {
                    continue;
                }
                for own in stamps.iter_mut() {
                    let Some((old, new)) = own.limits.rate.zip(stamp.limits.rate) else { continue };
                    if !own.counts_with(&stamp) {
                        continue;
                    }
                    if implies(old, new) {
                        stamp.limits.rate = None;
                    } else if implies(new, old) {
                        own.limits.rate = None;
                    } else {
                        self.tally.two_rates += 1;
                    }
                }
                stamps.push(stamp);
            }
        }
        row.epoch = self.epoch;
        let (id, expires) = (row.id, row.expires);
        if expires < before {
            self.tally.shortened += 1;
            self.record(format!("grant_shortened {id} {expires}"));
        }
    }

    /// What a policy would end is what it ends, and nothing has ended by asking.
    pub(crate) fn preview(&mut self, of: usize) {
        let policy = self.posted[of].clone();
        let drift = self.broker.preview(&policy.policy);
        if !self.tick() {
            return;
        }
        let same = policy.policy.digest() == self.today().policy.digest();
        // As a reload would, and then everything is as it was.
        let before: Vec<_> = self.rows.iter().map(Row::terms).collect();
        let (spells, told, tally) = (self.spells.clone(), self.events.len(), self.tally);
        self.epoch += 1;
        let mut drifts = Vec::new();
        for task in (0..self.tasks.len()).filter(|_| !same) {
            drifts.extend(self.survey(task, &policy));
        }
        self.epoch -= 1;
        for (row, terms) in self.rows.iter_mut().zip(before) {
            row.put_back(terms);
        }
        self.spells = spells;
        self.events.truncate(told);
        self.tally = tally;
        let mut should: Vec<_> = drifts.iter().map(|row| self.rows[*row].id).collect();
        let mut told: Vec<_> = drift.grants.iter().map(|own| own.id).collect();
        should.sort();
        told.sort();
        assert_eq!(told, should, "what would drift is told");
    }
}

type Terms = (Vec<Vec<Stamp>>, Option<i64>, Option<i64>, i64, u64);

impl Row {
    /// What a look at it can change.
    fn terms(&self) -> Terms {
        let stamps = self.parts.iter().map(|part| part.stamps.clone()).collect();
        (stamps, self.life_ends, self.idle, self.expires, self.epoch)
    }

    fn put_back(&mut self, (stamps, life_ends, idle, expires, epoch): Terms) {
        for (part, stamps) in self.parts.iter_mut().zip(stamps) {
            part.stamps = stamps;
        }
        (self.life_ends, self.idle, self.expires, self.epoch) = (life_ends, idle, expires, epoch);
    }
}

/// Whether who keeps to one rate keeps to the other.
fn implies((calls, window): (u64, u64), (others, shorter): (u64, u64)) -> bool {
    calls <= others && window >= shorter
}
