//! How long a holder has had access by a rule, and since when it has not used it.

use crate::giving::Stamp;
use crate::life::Life;
use crate::life_rows::{Spell, State};

impl Life {
    /// When the whole life of what these stamps are on ends, and when it has been unused for too long. What
    /// no rule of them has given the holder before counts from `first`, and from now.
    pub(crate) fn time_left(
        &self,
        task: usize,
        holder: usize,
        stamps: &[Vec<Stamp>],
        first: i64,
    ) -> (Option<i64>, Option<i64>) {
        let holder = &self.case.whos[holder].id;
        let spell = |rule: &str| {
            let own = |spell: &&Spell| spell.task == task && spell.holder == *holder;
            self.spells.iter().filter(own).find(|spell| spell.rule == rule)
        };
        let all = || stamps.iter().flatten();
        let ends = |from: i64, length: u64| from + length as i64 * 1000;
        let life = all().filter_map(|stamp| {
            let since = spell(&stamp.rule).map_or(first, |spell| spell.since.min(first));
            Some(ends(since, stamp.limits.max_life?))
        });
        let used = |stamp: &&Stamp| !self.is_in_use(task, holder, &stamp.rule);
        let idle = all().filter(used).filter_map(|stamp| {
            let last_used = spell(&stamp.rule).map_or(self.now, |spell| spell.last_used);
            Some(ends(last_used, stamp.limits.idle?))
        });
        (life.min(), idle.min())
    }

    /// Whether a call runs on what a rule gave to a holder, or on what hangs from it.
    fn is_in_use(&self, task: usize, holder: &str, rule: &str) -> bool {
        let given = |at: &usize| {
            let row = &self.rows[*at];
            let mut stamps = row.parts.iter().flat_map(|part| &part.stamps);
            self.case.whos[row.holder].id == holder && stamps.any(|own| own.rule == rule)
        };
        let mut running = self.slips.iter().filter(|slip| slip.state == State::Running);
        running.any(|slip| {
            let task = self.rows[slip.row].task == task;
            task && self.live_lineage(slip.row).iter().any(given)
        })
    }

    pub(crate) fn begin_spells(
        &mut self,
        task: usize,
        holder: usize,
        stamps: &[Vec<Stamp>],
        since: i64,
    ) {
        let holder = self.case.whos[holder].id.clone();
        for Stamp { rule, limits, .. } in stamps.iter().flatten() {
            let same = |s: &Spell| s.task == task && s.rule == *rule && s.holder == holder;
            let limits_time = limits.max_life.is_some() || limits.idle.is_some();
            match self.spells.iter_mut().find(|spell| same(spell)) {
                Some(spell) if limits_time => spell.since = spell.since.min(since),
                None if limits_time => {
                    let (rule, holder, last_used) = (rule.clone(), holder.clone(), self.now);
                    self.spells.push(Spell { task, rule, holder, since, last_used });
                }
                _ => {}
            }
        }
    }

    /// A grant, and so all it was delegated from, is used.
    pub(crate) fn touch(&mut self, row: usize) {
        for at in self.live_lineage(row) {
            let row = &mut self.rows[at];
            row.last_used = self.stand.now;
            let holder = &self.case.whos[row.holder].id;
            for stamp in row.parts.iter().flat_map(|part| &part.stamps) {
                for spell in &mut self.spells {
                    let of = spell.task == row.task && spell.holder == *holder;
                    if of && spell.rule == stamp.rule {
                        spell.last_used = self.stand.now;
                    }
                }
            }
        }
    }
}
