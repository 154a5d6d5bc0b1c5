//! A life ends what it has, halts and resumes.

use std::collections::BTreeSet;

use hallpass::audit::Outcome;
use hallpass::{Halt, Reason};

use crate::case::{End, Revoke};
use crate::life::Life;
use crate::life_rows::{LiveTask, Row, State};
use crate::stand::{pick, prefer};

impl Life {
    pub(crate) fn revoke(&mut self, grant: usize, how: Revoke) {
        let live = |row: &Row| row.ended.is_none() && !self.tasks[row.task].over;
        let Some(at) = prefer(&self.rows, grant, |_| true, live) else { return };
        let (task, id, lives) = (self.rows[at].task, self.rows[at].id, self.is_there(at));
        let was = match how {
            Revoke::ByControl => self.control.revoke_grant(id),
            Revoke::ByTask => match (&self.tasks[task].handle, &self.rows[at].handle) {
                (Some(task), Some(grant)) => task.revoke_grant(grant),
                _ => return,
            },
            Revoke::ByGrant => match self.rows[at].handle.take() {
                Some(grant) => grant.revoke(),
                None => return,
            },
            Revoke::GivenUp | Revoke::GivenUpByAnother => {
                return self.give_up(at, grant, matches!(how, Revoke::GivenUp));
            }
        };
        self.tick();
        let past = self.is_past(at);
        let ended = usize::from(lives && !past);
        assert_eq!(
            (was.tasks, was.grants),
            (0, ended),
            "a grant is revoked once, and within its time"
        );
        self.end_row(at, if past { Reason::Expired } else { Reason::Revoked });
    }

    /// Whether a grant, or one that it hangs from, is past its time.
    pub(crate) fn is_past(&self, row: usize) -> bool {
        self.lineage(row).iter().any(|at| self.rows[*at].is_past(self.now))
    }

    /// The holder ends its own grant: always possible while it lives, with its newest token.
    fn give_up(&mut self, row: usize, n: usize, by_holder: bool) {
        let held = pick(&self.held, n, |held| held.row == row).unwrap();
        let holder = self.rows[row].holder;
        let by = if by_holder { holder } else { (holder + 1) % self.who.len() };
        let answer = self.gate.give_up(&self.held[held].token, &self.who[by]);
        let mut reasons = match self.tick() {
            true => self.token_failures(held, None, by),
            false => vec![Reason::ClockUnreadable],
        };
        if reasons.is_empty() && !self.is_there(row) {
            let over = self.tasks[self.rows[row].task].over.then_some(Reason::TaskOver);
            reasons.extend(over.or(self.rows[row].ended));
        }
        if reasons.is_empty() && self.held[held].serial != self.rows[row].serial {
            reasons.push(Reason::Superseded);
        }
        if reasons.is_empty() && self.is_past(row) {
            self.end_row(row, Reason::Expired);
            reasons.push(Reason::Expired);
        }
        if reasons.is_empty() {
            answer.unwrap();
            self.end_row(row, Reason::Revoked);
        } else {
            self.refused("giveup", Some(by), answer.map(drop), &reasons);
        }
    }

    pub(crate) fn revoke_person(&mut self, id: &str) {
        let mut count = self.control.revoke_identity(id).unwrap().count();
        self.tick();
        for task in 0..self.tasks.len() {
            let requester = self.tasks[task].requester;
            if !self.tasks[task].over && self.case.whos[requester].id == id {
                self.over(task, "Revoked");
                count -= 1;
            }
            let holds = |life: &Life, row: &Row| life.case.whos[row.holder].id == id;
            self.revoke_all(task, &mut count, holds);
        }
        assert_eq!(count, 0);
    }

    pub(crate) fn revoke_tool(&mut self, tool: &str) {
        let mut count = self.control.revoke_tool(tool).unwrap().count();
        self.tick();
        for task in 0..self.tasks.len() {
            self.revoke_all(task, &mut count, |_, row| {
                row.parts.iter().any(|part| part.covering.tool == tool)
            });
        }
        assert_eq!(count, 0);
    }

    /// Ends all of these; how many there are that did not end with one above is to be counted.
    fn revoke_all(&mut self, task: usize, count: &mut usize, which: impl Fn(&Life, &Row) -> bool) {
        for row in 0..self.rows.len() {
            let why = if self.is_past(row) { Reason::Expired } else { Reason::Revoked };
            if self.rows[row].task == task
                && which(self, &self.rows[row])
                && self.end_row(row, why).is_some()
            {
                *count -= usize::from(why == Reason::Revoked);
            }
        }
    }

    pub(crate) fn end(&mut self, task: usize, how: End, wait: bool) {
        if let Some(at) = pick(&self.tasks, task, |t: &LiveTask| t.handle.is_some()) {
            self.end_at(at, how, wait);
        }
    }

    pub(crate) fn end_at(&mut self, at: usize, how: End, wait: bool) {
        let was_over = self.tasks[at].over;
        let running = self.running(at);
        if let End::Control = how {
            let ended = self.control.revoke_task(&self.tasks[at].name).unwrap();
            assert_eq!(ended.tasks, usize::from(self.named(at).is_some()));
            // Of the same name there may be another by now.
            if let Some(other) = self.named(at) {
                self.over(other, "Revoked");
            }
            return;
        }
        let handle = self.tasks[at].handle.take().unwrap();
        let (told, word) = match how {
            End::Complete if wait => {
                let ended = handle.complete_and_wait(std::time::Duration::ZERO);
                // It waits for what still runs, also if the task was ended before.
                let told: BTreeSet<u64> = ended.running.into_iter().collect();
                assert_eq!(told, running);
                (None, "Completed")
            }
            End::Complete => (Some(handle.complete()), "Completed"),
            End::Fail => (Some(handle.fail("it went wrong")), "Failed"),
            End::Revoke => (Some(handle.revoke()), "Revoked"),
            End::Drop => {
                drop(handle);
                (None, "Dropped")
            }
            _ => {
                let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let _task = handle;
                    std::panic::resume_unwind(Box::new("the errand"));
                }));
                assert!(unwound.is_err());
                (None, "Dropped")
            }
        };
        if let Some(ended) = told {
            let told: BTreeSet<u64> = ended.running.into_iter().collect();
            assert_eq!(told, running, "a second end tells what runs on, too");
        }
        if !was_over {
            self.over(at, word);
        }
    }

    /// The live task of the same name.
    fn named(&self, at: usize) -> Option<usize> {
        (0..self.tasks.len()).find(|other| {
            self.tasks[*other].name == self.tasks[at].name && !self.tasks[*other].over
        })
    }

    fn running(&self, task: usize) -> BTreeSet<u64> {
        self.slips
            .iter()
            .filter(|slip| slip.state == State::Running && self.rows[slip.row].task == task)
            .map(|slip| slip.number)
            .collect()
    }

    /// P2: a task is over, and all that was of it.
    pub(crate) fn over(&mut self, task: usize, word: &str) {
        let running = self.running(task);
        self.tally.told_running += running.len();
        let generation = self.tasks[task].generation;
        self.record(format!("ended {generation} {word} {running:?}"));
        self.tasks[task].over = true;
    }

    /// Removes what is past its time.
    pub(crate) fn sweep(&mut self) {
        self.aside(|broker| broker.sweep(1000));
        if !self.tick() {
            return;
        }
        for task in 0..self.tasks.len() {
            if self.tasks[task].over {
                continue;
            }
            if self.now >= self.tasks[task].ceiling {
                let running = self.running(task);
                let generation = self.tasks[task].generation;
                self.events.push(format!("ended {generation} Ceiling {running:?}"));
                self.tasks[task].over = true;
                continue;
            }
            self.close_lapsed(task);
            for row in 0..self.rows.len() {
                if self.rows[row].task == task && self.rows[row].is_past(self.now) {
                    self.end_row(row, Reason::Expired);
                }
            }
        }
    }

    pub(crate) fn resume(&mut self, what: &Halt) {
        let was = self.halts.contains(what);
        assert_eq!(self.control.resume(what), was);
        if was {
            self.halts.retain(|own| own != what);
            self.record(format!("resumed {what}"));
        }
    }

    /// P11: from here on nothing of it starts; what was running is told.
    pub(crate) fn halt(&mut self, what: &Halt) {
        let told: BTreeSet<u64> = self.control.halt(what.clone()).running.into_iter().collect();
        self.tick();
        if !self.halts.contains(what) {
            self.halts.push(what.clone());
        }
        self.record(format!("halted {what}"));
        for slip in self.slips.iter().filter(|slip| slip.state == State::Running) {
            let task = self.rows[slip.row].task;
            let lineage = self.lineage(slip.row);
            let mut whos: Vec<usize> = lineage.iter().map(|at| self.rows[*at].holder).collect();
            whos.push(slip.caller);
            let hit = self.stops(what, task, &whos, Some(&slip.tool));
            // Of what had ended before, its end has told; here it may be told once more.
            let ended = !self.is_there(slip.row);
            let is_told = told.contains(&slip.number);
            assert!(self.tasks[task].over || is_told || !hit, "a running call is told");
            assert!(!is_told || hit || ended, "a call that goes on is told");
        }
        let running = |n: &u64| {
            self.slips.iter().any(|slip| slip.number == *n && slip.state == State::Running)
        };
        assert!(told.iter().all(running), "what is told runs");
    }

    /// Lets go of everything that is held, and looks that each had its outcome.
    pub(crate) fn let_go(&mut self) {
        for at in 0..self.slips.len() {
            if self.slips[at].handle.is_some() {
                self.start_at(at, false);
                assert!(matches!(self.slips[at].state, State::Closed(_)), "P11");
            }
            if self.slips[at].running.is_some() {
                drop(self.slips[at].running.take());
                self.close(at, Outcome::Interrupted);
            }
        }
    }
}
