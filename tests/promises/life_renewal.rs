//! A life renews its grants, and makes checkpoints.

use hallpass::policy::Moment;
use hallpass::token::Token;
use hallpass::{Denial, Reason};

use crate::giving::Given;
use crate::life::Life;
use crate::life_read::context_of;
use crate::life_rows::{Held, Part, Row};
use crate::small::{Covering, Posted};
use crate::stand::prefer;
use crate::universe::*;

impl Life {
    /// P7: decided afresh by today's policy, context and identity; never past the ceiling; and where it
    /// is not given again, the grant ends.
    pub(crate) fn renew(&mut self, grant: usize, by: Option<usize>, context: usize, moves: bool) {
        let held = |row: &Row| row.handle.is_some() && self.tasks[row.task].handle.is_some();
        let live = |row: &Row| row.ended.is_none() && !self.tasks[row.task].over;
        let Some(at) = prefer(&self.rows, grant, held, live) else { return };
        let (task, holder) = (self.rows[at].task, self.rows[at].holder);
        // Its holder as attested today, in whichever way; or somebody else.
        let id = &self.case.whos[holder].id;
        let same: Vec<usize> =
            (0..self.who.len()).filter(|who| self.case.whos[*who].id == *id).collect();
        let by = by.map_or(same[grant % same.len()], |n| n % self.who.len());
        let said = self.contexts[context % self.contexts.len()].clone();
        let mut handle = self.rows[at].handle.take().unwrap();
        let own = self.tasks[task].handle.as_ref().unwrap();
        let (who, moment) = (&self.who[by], context_of(&said));
        let answer = match moves {
            true => own.renew(&mut handle, who, &moment),
            false => own.checkpoint(&mut handle, who, &moment),
        };
        // No model knows people: whether they were asked is looked at in tests of approvals.
        let is_parked = answer.as_ref().is_err_and(|denial| denial.pending().is_some());
        self.tick();
        let decided = self.decide_again(at, by, &said, moves);
        match decided {
            // What waits for people leaves the grant alive to its old expiry.
            Err(reasons) if moves && is_parked => {
                assert!(reasons.contains(&Reason::ApprovalRequired));
                let requester = self.tasks[task].requester;
                self.refused("renew", Some(requester), answer, &[Reason::ApprovalRequired]);
            }
            Err(reasons) => self.not_renewed(at, answer, &reasons),
            Ok(_) if !self.accepts("granted") => {
                self.tally.withdrawn += 1;
                self.not_renewed(at, answer, &[Reason::LogRefused]);
            }
            Ok((given, life_ends, expires)) => {
                answer.unwrap_or_else(|denial| panic!("not renewed: {}", denial.explain()));
                let now = self.now;
                let gave_less = !moves
                    || self.case.whos[by] != self.case.whos[self.rows[at].holder]
                    || expires < self.rows[at].expires
                    || life_ends != self.rows[at].life_ends
                    || gives_less(&given, &self.rows[at]);
                let policy = self.today();
                let row = &mut self.rows[at];
                row.serial += 1;
                if gave_less {
                    row.confirmed = row.serial;
                }
                assert_eq!(handle.serial(), row.serial);
                assert_eq!(handle.id(), row.id, "a renewal keeps the id");
                assert_eq!(handle.expires().unix_millis() - START, expires);
                assert!(expires <= self.tasks[task].ceiling, "P7: no renewal moves the ceiling");
                assert!(moves || expires <= row.expires, "a checkpoint gives no time");
                assert!(handle.rules().eq(given.rules.iter().map(String::as_str)));
                row.expires = expires;
                row.holder = by;
                row.life_ends = life_ends;
                row.idle = given.idle;
                row.epoch = self.epoch;
                if moves {
                    row.issued = now;
                    row.last_used = now;
                }
                for (part, stamps) in row.parts.iter_mut().zip(given.stamps.clone()) {
                    part.covering = policy.respelled(&part.granted);
                    part.stamps = stamps;
                }
                let first_issued = row.first_issued;
                self.begin_spells(task, by, &given.stamps, first_issued);
                let row = &self.rows[at];
                let event = format!("granted {}", row.id);
                self.held.push(Held {
                    token: Token::from_text(handle.token().expose().to_owned()),
                    row: at,
                    serial: row.serial,
                    issued: now,
                    expires,
                    key: self.keys.len() - 1,
                    narrowings: Vec::new(),
                });
                self.events.push(event);
                self.tally.renewed += 1;
            }
        }
        self.rows[at].handle = Some(handle);
    }

    /// Doubt ends the grant, whatever it was about.
    fn not_renewed(&mut self, at: usize, answer: Result<(), Denial>, reasons: &[Reason]) {
        let requester = self.tasks[self.rows[at].task].requester;
        // What has not started is no doubt.
        let is_early = answer.as_ref().is_err_and(|denial| denial.reason() == Reason::NotYet);
        self.refused("renew", Some(requester), answer, reasons);
        if is_early {
            return;
        }
        let why = if self.is_past(at) { Reason::Expired } else { Reason::Revoked };
        if self.end_row(at, why).is_some() {
            self.tally.not_renewed += 1;
        }
    }

    /// What a renewal gives, and until when; or every reason against it.
    fn decide_again(
        &mut self,
        at: usize,
        by: usize,
        context: &ContextSaid,
        moves: bool,
    ) -> Result<(Given, Option<i64>, i64), Vec<Reason>> {
        if !self.tick() {
            return Err(vec![Reason::ClockUnreadable]);
        }
        let (task, holder) = (self.rows[at].task, self.rows[at].holder);
        let mut reasons = self.task_failures(task, by);
        if self.case.whos[by].id != self.case.whos[holder].id {
            reasons.push(Reason::NotTheHolder);
        }
        if let Some(parent) = self.rows[at].parent
            && reasons.is_empty()
            && self.is_there(at)
        {
            self.keep_up(parent);
        }
        reasons.extend(self.halted_above(at));
        let row = &self.rows[at];
        reasons.extend(self.lineage_failures(at));
        let policy = self.today();
        let today = |part: &Part| policy.respelled(&part.granted);
        let scope: Vec<Covering> = row.parts.iter().map(today).collect();
        let given = match row.parent {
            None => self.given(task, &self.parties(task, by), &scope, context),
            Some(parent) => self.given_below(parent, by, &scope, context),
        };
        let given = match given {
            Ok(given) => given,
            Err(more) => {
                reasons.extend(more);
                return Err(reasons);
            }
        };
        let (life_ends, _) = self.time_left(task, by, &given.stamps, row.first_issued);
        let life_ends = life_ends.into_iter().chain(row.life_ends).min();
        let mut expires = match moves {
            true => self.now + row.asked_ttl.map_or(given.ttl, |asked| asked.min(given.ttl)),
            false => row.expires.min(row.issued + given.ttl),
        };
        expires = expires.min(life_ends.unwrap_or(expires));
        expires = expires.min(self.tasks[task].ceiling);
        for above in self.lineage(at).into_iter().skip(1) {
            expires = expires.min(self.rows[above].expires);
        }
        if expires <= self.now {
            reasons.push(Reason::Expired);
        }
        if reasons.is_empty() { Ok((given, life_ends, expires)) } else { Err(reasons) }
    }

    /// Whether a policy would give a grant again, as far as who, why and scope go; what it limits.
    pub(crate) fn would_give(&self, at: usize, policy: &Posted) -> Option<Given> {
        let row = &self.rows[at];
        let scope: Vec<Covering> = row.parts.iter().map(|part| part.granted.clone()).collect();
        let asking = self.asking(policy, row.task, None);
        if row.parent.is_none() {
            return asking.give(&self.parties(row.task, row.holder), &scope).ok();
        }
        let mut given = asking.give(&[(row.holder, Moment::Request)], &scope).ok()?;
        let above: Vec<usize> = self.lineage(at).into_iter().skip(1).collect();
        let delegators: Vec<_> =
            above.iter().map(|at| (self.rows[*at].holder, Moment::Delegate)).collect();
        let delegated = asking.give(&delegators, &scope).ok()?;
        if !self.reaches(&delegated, &above) {
            return None;
        }
        given.narrow_by(&delegated);
        Some(given)
    }
}

/// Whether a renewal gave less than there was: a limit that was not there, or was looser.
fn gives_less(given: &Given, row: &Row) -> bool {
    let idle = given.idle.is_some_and(|new| row.idle.is_none_or(|old| old > new));
    let parts = given.stamps.iter().zip(&row.parts);
    idle || parts.into_iter().any(|(stamps, part)| {
        stamps.iter().any(|new| {
            let olds = || part.stamps.iter().filter(|old| old.counts_with(new)).map(|o| o.limits);
            let l = new.limits;
            let fresh = |new: Option<u64>, of: fn(&LimitsSaid) -> Option<u64>| {
                new.is_some_and(|new| !olds().any(|old| of(&old).is_some_and(|old| old <= new)))
            };
            let rate = l.rate.is_some_and(|(calls, window)| {
                !olds().any(|old| old.rate.is_some_and(|(c, w)| c <= calls && w >= window))
            });
            let budget = l.budget_halves.is_some_and(|most| {
                !olds().any(|old| old.budget_halves.is_some_and(|old| old <= most))
            });
            let uses_in = l.uses_in.is_some_and(|(uses, window)| {
                !olds().any(|old| old.uses_in.is_some_and(|(u, w)| u <= uses && w >= window))
            });
            let budget_in = l.budget_in.is_some_and(|(most, window)| {
                !olds().any(|old| old.budget_in.is_some_and(|(m, w)| m <= most && w >= window))
            });
            fresh(l.uses, |l| l.uses)
                || uses_in
                || budget_in
                || fresh(l.depth.map(u64::from), |l| l.depth.map(u64::from))
                || rate
                || budget
        })
    })
}
