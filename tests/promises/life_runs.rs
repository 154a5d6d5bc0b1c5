//! A life starts what was permitted, and ends it.

use hallpass::audit::Outcome;
use hallpass::{Denial, Permit, Reason, RunError};

use crate::in_hand::InHand;
use crate::life::Life;
use crate::life_rows::{Slip, State};
use crate::stand::pick;

impl Life {
    pub(crate) fn start(&mut self, n: usize, panics: bool) {
        if let Some(at) = pick(&self.slips, n, |slip| slip.handle.is_some()) {
            self.start_at(at, panics);
        }
    }

    pub(crate) fn start_at(&mut self, at: usize, panics: bool) {
        let handle = self.slips[at].handle.take().unwrap();
        let (answer, failures) = if self.slips[at].mints {
            self.start_with_credential(at, handle, panics)
        } else {
            (start_plain(handle, panics), self.start_failures(at))
        };
        match answer {
            Ok(running) => {
                assert!(failures.is_empty(), "P11: started in spite of {failures:?}");
                if let Some(running) = &running {
                    assert_eq!(running.call(), &self.slips[at].asked, "a permit seals the call");
                }
                self.slips[at].state = State::Running;
                for row in self.lineage(self.slips[at].row) {
                    self.rows[row].running += 1;
                }
                self.tally.started += 1;
                match running {
                    Some(running) => self.slips[at].running = Some(running),
                    None => self.close(at, Outcome::Interrupted),
                }
            }
            Err(denial) => {
                self.refused("run", None, Err(denial), &failures);
                self.tally.refused_starts += 1;
                self.close(at, Outcome::Abandoned);
            }
        }
    }

    /// P11: whatever has ended, halted or reloaded what the permit stands on.
    pub(crate) fn start_failures(&mut self, at: usize) -> Vec<Reason> {
        if !self.tick() {
            return vec![Reason::ClockUnreadable];
        }
        let slip = &self.slips[at];
        let task = self.rows[slip.row].task;
        let mut reasons = self.lineage_failures(slip.row);
        let lineage = self.lineage(slip.row);
        let mut whos: Vec<usize> = lineage.iter().map(|at| self.rows[*at].holder).collect();
        whos.push(slip.caller);
        let lapsed = slip.state != State::Reserved || self.now >= slip.lapses;
        let failures = [
            (self.tasks[task].over, Reason::TaskOver),
            (self.now >= self.tasks[task].ceiling, Reason::Expired),
            (lapsed, Reason::PermitLapsed),
            (!self.is_confirmed(slip), Reason::Superseded),
            (self.epoch != slip.epoch, Reason::PolicyChanged),
            (self.stopped(task, &whos, Some(&slip.tool)), Reason::Halted),
        ];
        reasons.extend(failures.into_iter().filter(|(so, _)| *so).map(|(_, reason)| reason));
        reasons
    }

    /// Whether a permit's token is the current one, or each renewal since has confirmed it.
    fn is_confirmed(&self, slip: &Slip) -> bool {
        let row = &self.rows[slip.row];
        let same = self.case.whos[slip.caller] == self.case.whos[row.holder];
        row.serial == slip.serial || (row.confirmed <= slip.serial && same)
    }

    pub(crate) fn drop_permit(&mut self, n: usize) {
        if let Some(at) = pick(&self.slips, n, |slip| slip.handle.is_some()) {
            drop(self.slips[at].handle.take());
            self.close(at, Outcome::Abandoned);
        }
    }

    pub(crate) fn finish_call(&mut self, n: usize, outcome: Outcome) {
        let Some(at) = pick(&self.slips, n, |slip| slip.running.is_some()) else { return };
        let running = self.slips[at].running.take().unwrap();
        // What was used until now is idle from now on.
        self.tick();
        match outcome {
            Outcome::Ok => running.succeed(),
            Outcome::Error => running.fail(),
            _ => drop(running),
        }
        self.tally.ran_late += usize::from(self.tasks[self.rows[self.slips[at].row].task].over);
        self.close(at, outcome);
    }

    pub(crate) fn close(&mut self, at: usize, outcome: Outcome) {
        if self.close_unrecorded(at, outcome) {
            let slip = &self.slips[at];
            let over = self.tasks[self.rows[slip.row].task].over;
            let event = format!("outcome {} {outcome:?} {over}", slip.number);
            self.record(event);
        }
    }

    pub(crate) fn close_unrecorded(&mut self, at: usize, outcome: Outcome) -> bool {
        let was = self.slips[at].state;
        if !was.is_open() {
            return false;
        }
        self.slips[at].state = State::Closed(outcome);
        if was == State::Reserved {
            let charges = self.slips[at].charges.clone();
            self.give_back(&charges);
        } else {
            self.tick();
            for row in self.live_lineage(self.slips[at].row) {
                self.rows[row].running -= 1;
            }
            self.touch(self.slips[at].row);
        }
        self.give_credential_back(at);
        true
    }
}

fn start_plain(handle: Permit, panics: bool) -> Result<Option<InHand>, Denial> {
    if !panics {
        return handle.start().map(|running| Some(InHand::Plain(running)));
    }
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handle.run(|_| -> Result<(), ()> { std::panic::resume_unwind(Box::new("a tool")) })
    }));
    match ran {
        Err(_) => Ok(None),
        Ok(Err(RunError::Denied(denial))) => Err(denial),
        Ok(other) => panic!("{other:?}"),
    }
}
