//! A life changes its policy.

use hallpass::Reason;

use std::collections::BTreeSet;

use crate::giving::{Given, tightest};
use crate::life::{Life, Part, Row};
use crate::life_case::Scan;
use crate::small::Posted;

impl Life {
    pub(crate) fn reload(&mut self, to: usize, scan: Scan) {
        let next = self.posted[to].clone();
        let same = next.policy.digest() == self.today().policy.digest();
        let reload = self.broker.reload(&next.policy);
        self.policy = to;
        if !same {
            self.epoch += 1;
            let epoch = self.epoch;
            self.record(format!("reloaded {epoch}"));
        }
        assert_eq!(reload.epoch(), self.epoch, "the same policy is no new epoch");
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
        let stale = |row: &usize| {
            tasks.contains(&self.rows[*row].task) && self.rows[*row].epoch != self.epoch
        };
        let rows = (0..self.rows.len()).filter(stale).collect();
        let drifted = self.survey(rows, &policy);
        let told: BTreeSet<_> = report.grants.iter().map(|own| own.id).collect();
        let ids: BTreeSet<_> = drifted.iter().map(|row| self.rows[*row].id).collect();
        assert_eq!(told, ids, "P3: what drifted is told, but for what ends with it");
        for row in drifted {
            let running = self.end_row(row, Reason::Drifted).unwrap();
            let one = report.grants.iter().find(|own| own.id == self.rows[row].id).unwrap();
            assert_eq!(one.running, running, "P11: what is running is told");
            self.tried();
            self.tally.drifted += 1;
        }
    }

    /// Those of these grants, as far as they live, that a policy would not give, the highest of each
    /// line. The others are held to what it limits.
    fn survey(&mut self, rows: Vec<usize>, policy: &Posted) -> Vec<usize> {
        let mut drifted: Vec<usize> = Vec::new();
        let live: Vec<usize> = rows.into_iter().filter(|row| self.is_live(*row)).collect();
        // A grant is younger than what it was delegated from.
        for row in live {
            if self.lineage(row).iter().any(|at| drifted.contains(at)) {
                continue;
            }
            match self.would_give(row, policy) {
                Some(given) => self.clamp(row, given),
                None => drifted.push(row),
            }
        }
        drifted
    }

    /// A grant that is used before the scan has come to it, and all it was delegated from, is looked
    /// at then.
    pub(crate) fn keep_up(&mut self, row: usize) {
        let policy = self.today();
        let lineage = self.lineage(row);
        if !lineage.iter().all(|at| self.is_there(*at) && !self.rows[*at].is_past(self.now)) {
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
        let row = &mut self.rows[at];
        let least = |one: Option<i64>, other: Option<i64>| one.into_iter().chain(other).min();
        row.max_life = least(row.max_life, given.max_life);
        row.idle = least(row.idle, given.idle);
        row.expires = row.expires.min(row.issued + given.ttl);
        if let Some(life) = row.max_life {
            row.expires = row.expires.min(row.first_issued + life);
        }
        for (Part { stamps, .. }, today) in row.parts.iter_mut().zip(given.stamps) {
            for stamp in today {
                match stamps.iter_mut().find(|own| own.counts_with(&stamp)) {
                    Some(own) => own.limits = tightest(&own.limits, &stamp.limits),
                    None => stamps.push(stamp),
                }
            }
        }
        row.epoch = self.epoch;
    }

    /// What a policy would end is what it ends, and nothing has ended by asking.
    pub(crate) fn preview(&mut self, of: usize) {
        let policy = self.posted[of].clone();
        let drift = self.broker.preview(&policy.policy);
        self.tick();
        let told: BTreeSet<_> = drift.grants.iter().map(|own| own.id).collect();
        if policy.policy.digest() == self.today().policy.digest() {
            assert_eq!(told, BTreeSet::new(), "loading what is in force ends nothing");
            return;
        }
        let kept = |row: &Row| {
            let stamps: Vec<_> = row.parts.iter().map(|part| part.stamps.clone()).collect();
            (stamps, row.expires, row.max_life, row.idle, row.epoch)
        };
        let before: Vec<_> = self.rows.iter().map(kept).collect();
        let drifted = self.survey((0..self.rows.len()).collect(), &policy);
        for (row, kept) in self.rows.iter_mut().zip(before) {
            let stamps;
            (stamps, row.expires, row.max_life, row.idle, row.epoch) = kept;
            for (part, stamps) in row.parts.iter_mut().zip(stamps) {
                part.stamps = stamps;
            }
        }
        let ids: BTreeSet<_> = drifted.iter().map(|row| self.rows[*row].id).collect();
        assert_eq!(told, ids, "what would drift is told");
    }
}
