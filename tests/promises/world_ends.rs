//! The world ends what it has, halts, and reloads.

use std::collections::BTreeSet;

use hallpass::{Halt, Reason};

use crate::case::{End, Revoke};
use crate::model_rules::seen_by;
use crate::stand::pick;
use crate::universe::*;
use crate::world::{State, World, stops};

impl World {
    pub(crate) fn revoke(&mut self, grant: usize, how: Revoke) {
        let Some(at) = pick(&self.grants, grant, |_| true) else { return };
        let (task, id) = (self.grants[at].task, self.grants[at].id);
        let lives = self.grants[at].ended.is_none() && !self.tasks[task].over;
        let was = match how {
            Revoke::ByControl => !self.control.revoke_grant(id).is_empty(),
            Revoke::ByTask => match (&self.tasks[task].handle, &self.grants[at].handle) {
                (Some(task), Some(grant)) => !task.revoke_grant(grant).is_empty(),
                _ => return,
            },
            Revoke::ByGrant => match self.grants[at].handle.take() {
                Some(grant) => !grant.revoke().is_empty(),
                None => return,
            },
            Revoke::GivenUp | Revoke::GivenUpByAnother => {
                let holder = self.grants[at].holder;
                let by = match how {
                    Revoke::GivenUp => holder,
                    _ => (holder + 1) % self.who.len(),
                };
                let answer = self.gate.give_up(&self.grants[at].token, &self.who[by]);
                let readable = self.tick();
                let own = &self.grants[at];
                let good = readable
                    && self.now < own.token_expires
                    && self.case.whos[by].id == self.case.whos[holder].id;
                let past = self.is_past(at, answer.is_err());
                assert_eq!(answer.is_ok(), good && lives && !past, "{answer:?}");
                let given_up = answer.is_ok();
                if !given_up {
                    self.denied("giveup", answer.map(drop), &Reason::ALL);
                }
                if !good {
                    return;
                }
                given_up
            }
        };
        self.tick();
        let past = self.is_past(at, !was);
        assert_eq!(was, lives && !past, "a grant is revoked once, and within its time");
        if lives {
            let why = if past { Reason::Expired } else { Reason::Revoked };
            self.grants[at].ended = Some(why);
            self.record(format!("grant_ended {id} {why}"));
        }
    }

    /// Whether a grant is past its time. Of one that a reload may have cut short, the answer tells.
    fn is_past(&self, grant: usize, told: bool) -> bool {
        let own = &self.grants[grant];
        self.now >= own.expires || own.is_idle(self.now) || (own.clamped && told)
    }

    pub(crate) fn end(&mut self, task: usize, how: End) {
        if let Some(at) = pick(&self.tasks, task, |t| t.handle.is_some()) {
            self.end_at(at, how);
        }
    }

    pub(crate) fn end_at(&mut self, at: usize, how: End) {
        // By a name, the task that has it now is revoked.
        let has_it_now =
            |own: &usize| self.tasks[*own].name == self.tasks[at].name && !self.tasks[*own].over;
        let at = match how {
            End::Control => (0..self.tasks.len()).find(has_it_now).unwrap_or(at),
            _ => at,
        };
        let was_over = self.tasks[at].over;
        let running: BTreeSet<u64> = self
            .permits
            .iter()
            .filter(|p| p.state == State::Running && self.grants[p.grant].task == at)
            .map(|p| p.number)
            .collect();
        let name = self.tasks[at].name.clone();
        let (ended, word) = match how {
            End::Control => {
                assert_eq!(self.control.revoke_task(&name).unwrap().is_empty(), was_over);
                (None, "Revoked")
            }
            _ => {
                let handle = self.tasks[at].handle.take().unwrap();
                match how {
                    End::Complete => (Some(handle.complete()), "Completed"),
                    End::Fail => (Some(handle.fail("it went wrong")), "Failed"),
                    End::Revoke => (Some(handle.revoke()), "Revoked"),
                    End::Drop => {
                        drop(handle);
                        (None, "Dropped")
                    }
                    _ => {
                        let unwound =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                                let _task = handle;
                                std::panic::resume_unwind(Box::new("the errand"));
                            }));
                        assert!(unwound.is_err());
                        (None, "Dropped")
                    }
                }
            }
        };
        if let Some(ended) = ended {
            let told: BTreeSet<u64> = ended.running.into_iter().collect();
            assert_eq!(told, running, "a second end tells what runs on, too");
        }
        if !was_over {
            self.over(at);
            self.stand.record(format!("ended {} {word}", self.tasks[at].generation));
        }
    }

    pub(crate) fn over(&mut self, task: usize) {
        self.tasks[task].over = true;
    }

    pub(crate) fn reload(&mut self, to: usize) {
        let to = to % self.case.policies.len();
        let next = self.case.policies[to].policy();
        let same = next.digest() == self.case.policies[self.policy].policy().digest();
        let reload = self.broker.reload(&next).unwrap();
        self.policy = to;
        for task in &mut self.tasks {
            task.history = seen_by(&task.called, &self.case.policies[to]);
        }
        if same {
            assert_eq!(reload.epoch(), self.epoch);
            return;
        }
        self.epoch += 1;
        assert_eq!(reload.epoch(), self.epoch);
        self.stand.record(format!("reloaded {}", self.epoch));
        for drifted in reload.finish().grants {
            let grant = self.grants.iter_mut().find(|grant| grant.id == drifted.id).unwrap();
            assert!(grant.ended.is_none() && !self.tasks[grant.task].over, "it had ended");
            grant.ended = Some(Reason::Drifted);
            self.record(format!("grant_ended {} drifted", drifted.id));
        }
        let standing = self.broker.standing();
        for grant in self.grants.iter_mut().filter(|grant| grant.ended.is_none()) {
            grant.clamped = true;
            if let Some(told) = standing.grants.iter().find(|told| told.id == grant.id) {
                let expires = told.expires.unix_millis() - START;
                assert!(expires <= grant.expires, "a reload never lengthens");
                grant.expires = expires;
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

    pub(crate) fn halt(&mut self, what: &Halt) {
        let told = self.control.halt(what.clone()).running;
        self.tick();
        if !self.halts.contains(what) {
            self.halts.push(what.clone());
        }
        self.record(format!("halted {what}"));
        for permit in self.permits.iter().filter(|p| p.state == State::Running) {
            let grant = &self.grants[permit.grant];
            let task = &self.tasks[grant.task];
            let hit = stops(
                what,
                &self.case.whos,
                grant.holder,
                task.requester,
                &task.name,
                Some(&permit.tool),
            );
            assert!(task.over || !hit || told.contains(&permit.number), "a running call is told");
        }
    }
}
