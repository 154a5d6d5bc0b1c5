//! Counters: what a task has spent of its limits.
//!
//! A counter belongs to a rule within a task, so every grant and delegate of the task draws on the
//! same one, and asking again resets nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::args::Args;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::policy::Limits;
use crate::scope::Fact;
use crate::value::{Number, Value};

/// Limits that a rule put on a capability when it was granted.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) rule: Arc<str>,
    pub(crate) limits: Limits,
}

/// What a task has spent, rule by rule.
#[derive(Debug, Default)]
pub(crate) struct Counters(Vec<Counter>);

#[derive(Debug)]
struct Counter {
    rule: Arc<str>,
    used: u64,
    sums: Vec<(Fact, Number)>,
    /// When the latest calls were made, the oldest first: as many as the rate allows.
    recent: VecDeque<Timestamp>,
}

/// What one call has reserved, to be given back if its tool never starts.
#[derive(Debug, Default)]
pub(crate) struct Reservation(Vec<Charge>);

#[derive(Debug)]
struct Charge {
    rule: Arc<str>,
    /// Whether the rule limits a rate, so that the call's time is kept.
    rated: bool,
    sums: Vec<(Fact, Number)>,
}

impl Charge {
    /// Another stamp of the same rule charges the same call.
    fn add(&mut self, other: Charge) {
        self.rated |= other.rated;
        for (argument, amount) in other.sums {
            if !self.sums.iter().any(|(own, _)| *own == argument) {
                self.sums.push((argument, amount));
            }
        }
    }
}

impl Counters {
    /// Reserves one call under every stamp, or nothing under any. Several stamps of one rule (of a
    /// grant and of those it was delegated from) are checked each and charged once.
    pub(crate) fn reserve<'s>(
        &mut self,
        stamps: impl Iterator<Item = &'s Stamp>,
        args: &Args,
        now: Timestamp,
    ) -> Result<Reservation, Denial> {
        let mut charges: Vec<Charge> = Vec::new();
        for stamp in stamps.filter(|stamp| stamp.limits.count_calls()) {
            let charge = self.check(stamp, args, now)?;
            match charges.iter_mut().find(|own| own.rule == charge.rule) {
                Some(own) => own.add(charge),
                None => charges.push(charge),
            }
        }
        for charge in &charges {
            self.charge(charge, now);
        }
        Ok(Reservation(charges))
    }

    /// Whether one call could be reserved now.
    pub(crate) fn probe<'s>(
        &mut self,
        mut stamps: impl Iterator<Item = &'s Stamp>,
        args: &Args,
        now: Timestamp,
    ) -> Result<(), Denial> {
        stamps.try_for_each(|stamp| match stamp.limits.count_calls() {
            true => self.check(stamp, args, now).map(|_| ()),
            false => Ok(()),
        })
    }

    /// Whether a call could be made as far as uses and rate go; the arguments are still open.
    pub(crate) fn has_calls_left(&mut self, stamp: &Stamp, now: Timestamp) -> bool {
        let counter = self.counter(&stamp.rule);
        let uses = stamp.limits.uses.is_none_or(|uses| counter.used < uses);
        let rate = stamp.limits.rate.is_none_or(|(calls, window)| {
            counter.recent.iter().filter(|at| now.since(**at) < window).count() < calls as usize
        });
        uses && rate
    }

    /// Gives back uses and budget of a call whose tool never started. A rate is not given back: it
    /// limits attempts.
    pub(crate) fn give_back(&mut self, reservation: &Reservation) {
        for charge in &reservation.0 {
            if let Some(counter) = self.0.iter_mut().find(|c| c.rule == charge.rule) {
                counter.used = counter.used.saturating_sub(1);
                for (argument, amount) in &charge.sums {
                    if let Some((_, sum)) = counter.sums.iter_mut().find(|(a, _)| a == argument) {
                        // What was added before can be taken away again.
                        *sum = sum.checked_sub(*amount).unwrap_or(*sum);
                    }
                }
            }
        }
    }

    fn check(&mut self, stamp: &Stamp, args: &Args, now: Timestamp) -> Result<Charge, Denial> {
        let counter = self.counter(&stamp.rule);
        let limits = &stamp.limits;
        let denied = |reason, detail: String| {
            Err(Denial::new(reason).because(detail).by_rules(vec![stamp.rule.clone()]))
        };
        if let Some(uses) = limits.uses
            && counter.used >= uses
        {
            return denied(Reason::UsesSpent, format!("all {uses} uses are spent"));
        }
        if let Some((calls, window)) = limits.rate {
            counter.forget_before(now, window);
            if counter.recent.len() as u64 >= calls {
                let detail = format!("{calls} calls within the last {} s", window.as_secs_f64());
                return denied(Reason::RateExceeded, detail);
            }
        }
        let mut sums = Vec::with_capacity(limits.budgets.len());
        for budget in &limits.budgets {
            let spent = counter.sum(&budget.argument);
            let amount = match amount(args, &budget.argument) {
                Ok(amount) => amount,
                Err(problem) => {
                    return denied(Reason::BudgetSpent, format!("`{}` {problem}", budget.argument));
                }
            };
            // An overflow is over any budget.
            if spent.checked_add(amount).is_none_or(|sum| sum > budget.most) {
                let detail = format!(
                    "`{}` sums up to {spent} so far, {amount} more would pass the budget of {}",
                    budget.argument, budget.most
                );
                return denied(Reason::BudgetSpent, detail);
            }
            sums.push((budget.argument.clone(), amount));
        }
        Ok(Charge { rule: stamp.rule.clone(), rated: limits.rate.is_some(), sums })
    }

    fn charge(&mut self, charge: &Charge, now: Timestamp) {
        let counter = self.counter(&charge.rule);
        counter.used = counter.used.saturating_add(1);
        if charge.rated {
            counter.recent.push_back(now);
        }
        for (argument, amount) in &charge.sums {
            match counter.sums.iter_mut().find(|(own, _)| own == argument) {
                // Checked to fit just before, under the same lock.
                Some((_, sum)) => *sum = sum.checked_add(*amount).unwrap_or(*sum),
                None => counter.sums.push((argument.clone(), *amount)),
            }
        }
    }

    fn counter(&mut self, rule: &Arc<str>) -> &mut Counter {
        let at = self.0.iter().position(|counter| counter.rule == *rule).unwrap_or_else(|| {
            self.0.push(Counter {
                rule: rule.clone(),
                used: 0,
                sums: Vec::new(),
                recent: VecDeque::new(),
            });
            self.0.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed just above")]
        &mut self.0[at]
    }
}

impl Counter {
    fn sum(&self, argument: &Fact) -> Number {
        self.sums.iter().find(|(own, _)| own == argument).map_or(Number::ZERO, |(_, sum)| *sum)
    }

    /// Forgets calls that left the window: a call at `t` counts until `t + window`, exclusively, so
    /// no window of this length ever holds more than the rate, wherever its edges are.
    fn forget_before(&mut self, now: Timestamp, window: Duration) {
        while let Some(oldest) = self.recent.front() {
            if now.since(*oldest) < window {
                break;
            }
            self.recent.pop_front();
        }
    }
}

/// What a call adds to a budget.
fn amount(args: &Args, argument: &Fact) -> Result<Number, &'static str> {
    let Fact::Arg(path) = argument else { return Err("is no argument") };
    let mut found: Option<&Value> = None;
    for (depth, name) in path.iter().enumerate() {
        found = if depth == 0 {
            args.get(name)
        } else {
            found.and_then(Value::as_object).and_then(|object| object.get(name))
        };
    }
    match found {
        None => Err("is absent: it counts towards a budget, so it has to be there"),
        Some(Value::Number(number)) if number.is_negative() => {
            Err("is negative: it would give back budget")
        }
        Some(Value::Number(number)) => Ok(*number),
        Some(_) => Err("is not a number"),
    }
}
