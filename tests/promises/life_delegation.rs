//! A life hands on what it holds.

use hallpass::Reason;
use hallpass::policy::Moment;

use crate::case::Wanted;
use crate::giving::{Given, Party};
use crate::life::Life;
use crate::life_read::context_of;
use crate::life_rows::Row;
use crate::small::Covering;
use crate::stand::{pick, prefer};
use crate::universe::*;

impl Life {
    pub(crate) fn delegate(
        &mut self,
        parent: usize,
        foreign: bool,
        holder: usize,
        wanted: &Wanted,
        context: usize,
    ) {
        let held = |row: &Row| row.handle.is_some() && self.tasks[row.task].handle.is_some();
        let live = |row: &Row| row.ended.is_none() && !self.tasks[row.task].over;
        let deep = |row: &Row| live(row) && row.parent.is_some();
        let found = if parent.is_multiple_of(3) {
            prefer(&self.rows, parent / 3, held, live)
        } else {
            prefer(&self.rows, parent / 3, |row| held(row) && live(row), deep)
        };
        let Some(parent) = found else { return };
        let task = self.rows[parent].task;
        let by = if foreign {
            let other = pick(&self.tasks, holder, |t| t.handle.is_some()).unwrap();
            if other == task { return } else { other }
        } else {
            task
        };
        let holder = holder % self.who.len();
        let said = self.contexts[context % self.contexts.len()].clone();
        let said_so = self.wanted(wanted, Some(parent));
        let handle = self.tasks[by].handle.as_ref().unwrap();
        let above = self.rows[parent].handle.as_ref().unwrap();
        let answer =
            handle.delegate(above, &self.who[holder], scope_of(&said_so), &context_of(&said));
        let requester = self.tasks[by].requester;
        if !self.tick() {
            let failures = [Reason::ClockUnreadable];
            self.refused("delegate", Some(requester), answer.map(drop), &failures);
            return;
        }
        if by != task {
            let failures = [Reason::UnknownGrant];
            self.refused("delegate", Some(requester), answer.map(drop), &failures);
            return;
        }
        let scope = self.coverings(&said_so);
        let mut failures = self.task_failures(task, holder);
        if failures.is_empty() {
            self.keep_up(parent);
        }
        let given = match self.given_below(parent, holder, &scope, &said) {
            Ok(given) => Some(given),
            Err(reasons) => {
                failures.extend(reasons);
                None
            }
        };
        let asked = (None, None);
        let made = (scope, given, failures);
        self.made((task, holder, Some(parent)), (&said_so, asked), made, answer);
    }

    /// What is given below a grant: to its holder and every one above to delegate, and to the new
    /// holder to hold. Or every reason against it.
    pub(crate) fn given_below(
        &self,
        parent: usize,
        holder: usize,
        scope: &[Covering],
        context: &ContextSaid,
    ) -> Result<Given, Vec<Reason>> {
        let task = self.rows[parent].task;
        let lineage = self.lineage(parent);
        let mut reasons = self.lineage_failures(parent);
        reasons.extend(self.halted_above(parent));
        let above: Vec<&Covering> =
            self.rows[parent].parts.iter().map(|part| &part.covering).collect();
        if !scope.iter().all(|own| above.iter().any(|above| own.is_within(above))) {
            reasons.push(Reason::NotCovered);
        }
        let delegators: Vec<Party> =
            lineage.iter().map(|at| (self.rows[*at].holder, Moment::Delegate)).collect();
        let delegated = self.given(task, &delegators, scope, context);
        let own = self.given(task, &[(holder, Moment::Request)], scope, context);
        if delegated.as_ref().is_ok_and(|delegated| !self.reaches(delegated, &lineage)) {
            reasons.push(Reason::NotCovered);
        }
        match (own, delegated) {
            (Ok(mut own), Ok(delegated)) if reasons.is_empty() => {
                own.narrow_by(&delegated);
                Ok(own)
            }
            (own, delegated) => {
                // How deep it may hang is looked at before people are asked, by rules that are not known here.
                let asked = |reasons: &Vec<Reason>| reasons.contains(&Reason::ApprovalRequired);
                if delegated.as_ref().is_err_and(asked) {
                    reasons.push(Reason::NotCovered);
                }
                reasons.extend(own.err().into_iter().chain(delegated.err()).flatten());
                Err(reasons)
            }
        }
    }

    /// Whether a grant may hang from the first of these, as far as depth goes: one hop, if no rule
    /// says.
    pub(crate) fn reaches(&self, delegated: &Given, above: &[usize]) -> bool {
        let stamps = above.iter().flat_map(|at| &self.rows[*at].parts).flat_map(|p| &p.stamps);
        let held = stamps.filter_map(|stamp| stamp.limits.depth);
        let most = held.fold(delegated.depth.unwrap_or(1), u8::min);
        above.len() <= usize::from(most)
    }

    /// What is wrong with a grant, or with one above it.
    /// A halt of anyone a grant hangs from stops what is given on it.
    pub(crate) fn halted_above(&self, row: usize) -> Option<Reason> {
        let holders: Vec<usize> =
            self.lineage(row).iter().map(|at| self.rows[*at].holder).collect();
        self.stopped(self.rows[row].task, &holders, None).then_some(Reason::Halted)
    }

    pub(crate) fn lineage_failures(&self, row: usize) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for at in self.lineage(row) {
            let own = &self.rows[at];
            reasons.extend(own.ended);
            if own.is_past(self.now) {
                reasons.push(Reason::Expired);
            }
            if own.is_early(self.now) {
                reasons.push(Reason::NotYet);
            }
        }
        reasons
    }
}
