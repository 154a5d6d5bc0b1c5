//! A life changes its policy.

use hallpass::Reason;

use crate::giving::{Given, tightest};
use crate::life::{Life, Part};
use crate::life_case::Scan;

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
        let mut drifted = Vec::new();
        for task in tasks {
            let rows: Vec<usize> = (0..self.rows.len())
                .filter(|row| self.rows[*row].task == task && self.is_there(*row))
                .filter(|row| self.rows[*row].epoch != self.epoch)
                .collect();
            for row in rows {
                match self.would_give(row, &policy) {
                    Some(given) => self.clamp(row, given),
                    None => drifted.push(row),
                }
            }
        }
        let told: Vec<_> = report.grants.iter().map(|own| own.id).collect();
        let ids: Vec<_> = drifted.iter().map(|row| self.rows[*row].id).collect();
        assert!(told.iter().all(|id| ids.contains(id)), "P3: ended without a cause");
        let alone =
            |row: &&usize| !self.lineage(**row).iter().any(|at| at != *row && drifted.contains(at));
        let ends = drifted.iter().filter(alone).count();
        assert_eq!(told.len(), ends, "P3: what drifted is told, but for what ended with it");
        for row in drifted {
            if self.end_row(row, Reason::Drifted).is_some() {
                self.tried();
                self.tally.drifted += 1;
            }
        }
    }

    /// A grant that is used before the scan has come to it, and all it was delegated from, is looked
    /// at then.
    pub(crate) fn keep_up(&mut self, row: usize) {
        let policy = self.today();
        for at in self.lineage(row) {
            if !self.is_there(at) {
                return;
            }
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
        for row in 0..self.rows.len() {
            let told = drift.grants.iter().any(|own| own.id == self.rows[row].id);
            let should = self.is_there(row) && self.would_give(row, &policy).is_none();
            assert_eq!(told, should, "what would drift is told");
        }
    }
}
