//! A life counts what its calls cost.

use hallpass::Reason;
use hallpass::audit::Outcome;

use crate::giving::Stamp;
use crate::life::Life;
use crate::life_calls::Shown;
use crate::life_rows::{Begun, Charge, Owner, State};
use crate::model_rules::Says;
use crate::universe::*;

impl Life {
    /// What limits a call: what was put on the part of the scope that covers it, and on that of each
    /// grant above; and where none of the permits that give it put anything there, what they say.
    pub(crate) fn stamps(&self, shown: &Shown) -> Vec<(Stamp, Owner)> {
        let row = self.held[shown.held].row;
        let caller = &self.case.whos[shown.caller].id;
        let call = self.whole(shown);
        let on = |at: usize| {
            let part = self.rows[at].parts.iter().find(|part| part.covering.has(&call));
            part.map(|part| part.stamps.as_slice()).unwrap_or_default()
        };
        let mut all: Vec<Stamp> =
            self.lineage(row).into_iter().flat_map(|at| on(at).to_vec()).collect();
        if let Says::Permit(ids) = self.says(shown) {
            let counted = |id: &String| {
                let own = on(row).iter().filter(|stamp| stamp.rule == *id);
                own.filter(|stamp| stamp.identity.as_ref().is_none_or(|own| own == caller)).count()
            };
            if ids.iter().all(|id| counted(id) == 0) {
                let today = self.today();
                let rules = today.said.rules.iter().filter(|rule| ids.contains(&rule.id));
                all.extend(rules.map(|rule| Stamp {
                    rule: rule.id.clone(),
                    identity: rule.limits.per_identity.then(|| caller.clone()),
                    limits: rule.limits,
                }));
            }
        }
        let generation = self.tasks[self.rows[row].task].generation;
        let owned = |stamp: Stamp| {
            let owner = match &stamp.identity {
                Some(id) => Owner::Identity(id.clone()),
                None => Owner::Task(generation),
            };
            (stamp, owner)
        };
        all.into_iter().map(owned).collect()
    }

    pub(crate) fn limit_failures(&self, shown: &Shown) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (stamp, owner) in self.stamps(shown) {
            let charged: Vec<&Charge> = self
                .charges
                .iter()
                .filter(|charge| charge.rule == stamp.rule && charge.owner == owner)
                .collect();
            let kept = || charged.iter().filter(|charge| !charge.given_back);
            let limits = stamp.limits;
            if limits.uses.is_some_and(|most| kept().count() as u64 >= most) {
                reasons.push(Reason::UsesSpent);
            }
            if let Some((most, window)) = limits.rate {
                let within = |at: &&i64| self.now - **at < window as i64 * 1000;
                if kept_by_rates(&charged).iter().filter(within).count() as u64 >= most {
                    reasons.push(Reason::RateExceeded);
                }
            }
            let within = |uses, window| self.spent_within(&stamp, &owner, uses, window);
            if limits.uses_in.is_some_and(|(most, window)| within(true, window) >= most as i64) {
                reasons.push(Reason::UsesSpent);
            }
            if let Some((most, window)) = limits.budget_in {
                let fits = match shown.call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && within(false, window) + n <= most,
                    _ => false,
                };
                if !fits {
                    reasons.push(Reason::BudgetSpent);
                }
            }
            if let Some(most) = limits.budget_halves {
                let spent: i64 = kept().map(|charge| charge.amount).sum();
                let fits = match shown.call.args.get("n") {
                    Some(V::Halves(n)) => *n >= 0 && spent + n <= most,
                    _ => false,
                };
                if !fits {
                    reasons.push(Reason::BudgetSpent);
                }
            }
        }
        reasons
    }

    fn of_counter<'a>(
        &'a self,
        stamp: &'a Stamp,
        owner: &'a Owner,
    ) -> impl Iterator<Item = &'a Charge> + Clone {
        let same = |charge: &&Charge| charge.rule == stamp.rule && charge.owner == *owner;
        self.charges.iter().filter(same)
    }

    fn begun(&self, stamp: &Stamp, owner: &Owner, uses: bool) -> Option<&Begun> {
        let same = |own: &&Begun| own.rule == stamp.rule && own.owner == *owner && own.uses == uses;
        self.begun.iter().find(same)
    }

    /// What a counter has within a window of a number of seconds.
    fn spent_within(&self, stamp: &Stamp, owner: &Owner, uses: bool, window: u64) -> i64 {
        let counts = |at: i64| self.now - at < window as i64 * 1000;
        let amount = |charge: &Charge| if uses { 1 } else { charge.amount };
        let Some(begun) = self.begun(stamp, owner, uses) else {
            let all = self.of_counter(stamp, owner);
            let latest = all.clone().last().is_some_and(|charge| counts(charge.at));
            return all.filter(|own| latest && !own.given_back).map(amount).sum();
        };
        let noted = self.charges[begun.from..].iter();
        let noted = noted.filter(|own| own.rule == stamp.rule && own.owner == *owner);
        let noted: i64 = noted.filter(|own| !own.given_back && counts(own.at)).map(amount).sum();
        noted + if counts(begun.at) { begun.base } else { 0 }
    }

    /// From now on the times are noted of what limits look at within a window.
    fn begin(&mut self, stamp: &Stamp, owner: &Owner) {
        let LimitsSaid { uses_in, budget_in, .. } = stamp.limits;
        for (uses, is_said) in [(true, uses_in.is_some()), (false, budget_in.is_some())] {
            if !is_said || self.begun(stamp, owner, uses).is_some() {
                continue;
            }
            let all = self.of_counter(stamp, owner);
            let at = all.clone().last().map_or(self.now, |charge| charge.at);
            let kept = all.filter(|own| !own.given_back);
            let base = kept.map(|own| if uses { 1 } else { own.amount }).sum();
            let (rule, owner, from) = (stamp.rule.clone(), owner.clone(), self.charges.len());
            self.begun.push(Begun { rule, owner, uses, from, base, at });
        }
    }

    /// Charges one call to every counter that counts it, once.
    pub(crate) fn charge(&mut self, shown: &Shown) -> Vec<usize> {
        let amount = match shown.call.args.get("n") {
            Some(V::Halves(n)) => *n,
            _ => 0,
        };
        let mut charged: Vec<usize> = Vec::new();
        let stamps = self.stamps(shown);
        stamps.iter().for_each(|(stamp, owner)| self.begin(stamp, owner));
        for (stamp, owner) in stamps {
            let rate = stamp.limits.rate;
            if !stamp.limits.counts() {
                continue;
            }
            let amount = if stamp.limits.has_budget() { amount } else { 0 };
            let same = |at: &&usize| {
                self.charges[**at].rule == stamp.rule && self.charges[**at].owner == owner
            };
            match charged.iter().find(same).copied() {
                Some(at) => {
                    let own = &mut self.charges[at];
                    own.rated = own.rated.max(rate.map(|(most, _)| most));
                    own.amount = own.amount.max(amount);
                }
                None => {
                    charged.push(self.charges.len());
                    self.charges.push(Charge {
                        rule: stamp.rule,
                        owner,
                        at: self.stand.now,
                        rated: rate.map(|(most, _)| most),
                        amount,
                        given_back: false,
                    });
                }
            }
        }
        charged
    }

    pub(crate) fn give_back(&mut self, charges: &[usize]) {
        for at in charges {
            self.charges[*at].given_back = true;
        }
    }

    /// Permits of a task that were not started in time. What they hold comes back when their task is
    /// looked at next.
    pub(crate) fn close_lapsed(&mut self, task: usize) {
        for at in 0..self.slips.len() {
            let slip = &self.slips[at];
            let lapsed = slip.state == State::Reserved && self.now >= slip.lapses;
            if lapsed && self.rows[slip.row].task == task && !self.tasks[task].over {
                let number = slip.number;
                self.close_unrecorded(at, Outcome::Abandoned);
                self.events.push(format!("outcome {number} Abandoned false"));
            }
        }
    }
}

/// When the calls were that a counter still knows of: with each, as many as its largest rate so far looks
/// back at. A larger one, which comes with a reload, has to do with these.
fn kept_by_rates(charged: &[&Charge]) -> Vec<i64> {
    let mut kept = 0;
    let mut known = Vec::new();
    for (most, at) in charged.iter().filter_map(|charge| Some((charge.rated?, charge.at))) {
        kept = kept.max(most as usize);
        known.push(at);
        known.drain(..known.len().saturating_sub(kept));
    }
    known
}
