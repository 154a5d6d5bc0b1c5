//! What is asked for, renewed, taken and called.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::prelude::*;
use hallpass::scope::eq;
use serde_json::json;

use super::plan::{EXPIRES, HOLDERS, Item, Plan, SERVICES, asks_of, holder};
use super::{Held, Model};

/// For how long a grant is good.
const TTL: u64 = 600_000;

fn scope_of(services: &[usize]) -> Scope {
    let one = |at: &usize| Scope::tool("deploy").arg("service", eq(SERVICES[*at]));
    services.iter().map(one).collect()
}

impl Model {
    /// The asks that nothing this holder was agreed to lets the service pass.
    fn withheld(&self, holder: usize, service: usize) -> BTreeSet<usize> {
        let passes = |ask: &usize| {
            let lets = |item: &Item| {
                item.service == service
                    && item.asks.contains(ask)
                    && item.is_good(self.now)
                    && item.has_enough_for(*ask, self.ops as usize, &self.halted)
            };
            let theirs =
                self.plans.iter().filter(|plan| plan.holder == holder && plan.over.is_none());
            theirs.flat_map(|plan| &plan.items).any(lets)
        };
        asks_of(service).into_iter().filter(|ask| !passes(ask)).collect()
    }

    /// Whether that is denied, as it is while a holder is halted.
    fn is_stopped<T>(&mut self, holder: usize, answer: &Result<T, Denial>) -> bool {
        if !self.halted.stops_holder(holder) {
            return false;
        }
        assert_eq!(answer.as_ref().map(drop).map_err(Denial::reason), Err(Reason::Halted));
        self.stopped += 1;
        true
    }

    /// Compares what came of asking for these: given, or parked as a plan of what no one has agreed to.
    fn compare<T>(
        &mut self,
        holder: usize,
        services: &[usize],
        answer: Result<T, Denial>,
    ) -> Option<T> {
        if self.is_stopped(holder, &answer) {
            return None;
        }
        let withheld: BTreeMap<usize, BTreeSet<usize>> = services
            .iter()
            .map(|service| (*service, self.withheld(holder, *service)))
            .filter(|(_, asks)| !asks.is_empty())
            .collect();
        let denial = match answer {
            Ok(given) => {
                assert!(withheld.is_empty(), "given without {withheld:?}");
                self.given += 1;
                return Some(given);
            }
            Err(denial) => denial,
        };
        self.refused += 1;
        assert_eq!(denial.reason(), Reason::ApprovalRequired, "{}", denial.explain());
        assert!(!withheld.is_empty(), "{}", denial.explain());
        let pending = denial.pending().expect("it is asked about").clone();
        // The same is asked once, as long as what waits asks all who have to agree by now.
        let asks_all = |plan: &Plan| {
            let mut items = plan.items.iter().zip(&withheld);
            plan.items.len() == withheld.len()
                && items.all(|(own, (service, asks))| {
                    own.service == *service && own.asks.is_superset(asks)
                })
        };
        let same = |plan: &&Plan| {
            plan.holder == holder
                && plan.awaits(self.now)
                && plan.scope == services
                && asks_all(plan)
        };
        if self.plans.iter().any(|plan| same(&plan) && plan.pending.id() == pending.id()) {
            return None;
        }
        assert!(!self.plans.iter().any(|plan| same(&plan)), "the same is asked once");
        let known = self.plans.iter().any(|own| own.pending.id() == pending.id());
        assert!(!known, "{services:?} is another question");
        let items = withheld.into_iter();
        self.plans.push(Plan {
            pending,
            holder,
            scope: services.to_vec(),
            items: items.map(|(service, asks)| Item { service, asks, ..Item::default() }).collect(),
            expires: self.now + EXPIRES.as_millis() as u64,
            latest: 0,
            over: None,
        });
        None
    }

    fn hold(&mut self, holder: usize, services: &[usize], grant: Option<Grant>) -> bool {
        let (services, until) = (services.to_vec(), self.now + TTL);
        let held = grant.map(|grant| Held { grant, holder, services, until });
        let is_any = held.is_some();
        self.grants.extend(held);
        is_any
    }

    pub(super) fn request(&mut self, who: usize, services: &[usize]) {
        assert!(who < HOLDERS);
        let (agent, task) = (self.office.attest(holder(who)), self.task.as_ref().unwrap());
        let (scope, here) = (scope_of(services), Context::new());
        let answer = match who {
            0 => task.request(scope, &here),
            _ => task.request_for(&agent, scope, &here),
        };
        let grant = self.compare(who, services, answer);
        self.hold(who, services, grant);
    }

    /// One of the newest grants is given for longer, or stays as it is while people are asked.
    pub(super) fn renew(&mut self, back: usize) {
        let Some(at) = self.grants.len().checked_sub(1 + back) else { return };
        let mut held = self.grants.remove(at);
        let agent = self.office.attest(holder(held.holder));
        let task = self.task.as_ref().unwrap();
        let answer = task.renew(&mut held.grant, &agent, &Context::new());
        let stopped = self.stopped;
        if self.compare(held.holder, &held.services, answer).is_some() {
            held.until = self.now + TTL;
            self.renewed += 1;
        }
        // A doubt ends the grant; that people are asked is none.
        if self.stopped == stopped {
            self.grants.insert(at, held);
        }
    }

    pub(super) fn take(&mut self, at: usize, whole: bool) {
        let Some(plan) = self.plans.get(at) else { return };
        let task = self.task.as_ref().unwrap();
        let (pending, here, holder) = (plan.pending.clone(), Context::new(), plan.holder);
        let answer =
            if whole { task.take(&pending, &here) } else { task.take_part(&pending, &here) };
        let good: Vec<usize> = (0..plan.items.len())
            .filter(|own| plan.items[*own].is_good(self.now) && !plan.items[*own].taken)
            .collect();
        let can = match whole {
            true => good.len() == plan.items.len(),
            false => !good.is_empty(),
        };
        if plan.over.is_some() || !can {
            let reason = answer.expect_err("nothing of it can be taken").reason();
            let waits = plan.awaits(self.now);
            assert_eq!(reason == Reason::ApprovalRequired, waits, "{reason:?} of {plan:?}");
            return;
        }
        let is_given = |service: &usize| {
            let item = plan.items.iter().position(|own| own.service == *service);
            item.is_none_or(|item| good.contains(&item))
        };
        let scope: Vec<usize> = plan.scope.iter().copied().filter(is_given).collect();
        let grant = self.compare(holder, &scope, answer);
        if self.hold(holder, &scope, grant) {
            good.iter().for_each(|item| self.plans[at].items[*item].taken = true);
        }
    }

    /// A call passes by what was agreed to of its scope, as long as that is good.
    pub(super) fn call(&mut self, service: usize) {
        let held = self.grants.iter().rev().find(|own| own.services.contains(&service));
        let Some(held) = held else { return };
        let (holder, name) = (held.holder, SERVICES[service]);
        let call = Call::new("deploy", json!({ "service": name })).unwrap();
        let answer = self.office.authorize(&held.grant, &call);
        if self.is_stopped(holder, &answer) {
            return;
        }
        let withheld = self.withheld(holder, service);
        match answer {
            Ok(permit) => {
                assert!(withheld.is_empty(), "{name} runs");
                permit.start().unwrap().succeed();
                self.given += 1;
            }
            Err(denial) => {
                assert_eq!(denial.reason(), Reason::ApprovalRequired, "{}", denial.explain());
                assert!(!withheld.is_empty(), "{}", denial.explain());
                self.refused += 1;
            }
        }
    }
}
