//! Whether a limit leaves room for one more call, by what its counter has counted.

use std::time::Duration;

use super::counter::{Cost, Counter};
use super::stamp::{Charge, Stamp};
use crate::args::Args;
use crate::clock::{Timestamp, format_duration};
use crate::denial::{Denial, Reason};
use crate::scope::Fact;
use crate::value::{Number, Value};

/// What a call is to be charged under a stamp, if what its counter has counted leaves room for it.
///
/// # Errors
/// The [`Denial`] of the limit that it would pass.
pub(super) fn charge_of(
    counter: &Counter,
    stamp: &Stamp,
    args: &Args,
    now: Timestamp,
) -> Result<Charge, Denial> {
    let limits = &stamp.limits;
    let denied = |reason, detail: String| {
        Denial::new(reason).because(detail).by_rules(vec![stamp.rule.clone()])
    };
    if let Some(uses) = limits.uses
        && counter.used() >= uses
    {
        return Err(denied(Reason::UsesSpent, format!("all {uses} uses are spent")));
    }
    let mut sums: Vec<(Fact, Number)> = Vec::with_capacity(limits.budgets.len());
    for budget in &limits.budgets {
        let amount = match amount(args, &budget.argument) {
            Ok(amount) => amount,
            Err(problem) => {
                let detail = format!("`{}` {problem}", budget.argument);
                return Err(denied(Reason::BudgetSpent, detail));
            }
        };
        let spent = counter.sum(&budget.argument);
        // An overflow is over any budget.
        let fits = spent.checked_add(amount).is_some_and(|sum| sum <= budget.most);
        if budget.within.is_none() && !fits {
            let detail = format!(
                "`{}` sums up to {spent} so far, {amount} more would pass the budget of {}",
                budget.argument, budget.most
            );
            return Err(denied(Reason::BudgetSpent, detail));
        }
        if !sums.iter().any(|(own, _)| *own == budget.argument) {
            sums.push((budget.argument.clone(), amount));
        }
    }
    // Last, since these pass, and the others do not: an agent is never told to come back for nothing.
    let mut first = None;
    let mut wait_for = |reason, wait: Option<Duration>, detail: &dyn Fn() -> String| {
        if wait != Some(Duration::ZERO) {
            let denial = wait.into_iter().fold(denied(reason, detail()), Denial::free_after);
            first = Some(later(first.take(), denial));
        }
    };
    let mut windows: Vec<(Option<Fact>, Duration)> = Vec::new();
    if let Some((uses, window)) = limits.uses_within {
        let free = counter.is_free_in((None, Number::from(1)), (uses.into(), window), now);
        windows.push((None, window));
        wait_for(Reason::UsesSpent, free, &|| {
            format!("all {uses} uses within {} are spent", format_duration(window))
        });
    }
    for budget in &limits.budgets {
        let Some(window) = budget.within else { continue };
        let own = sums.iter().find(|(own, _)| *own == budget.argument);
        let amount = own.map_or(Number::ZERO, |(_, amount)| *amount);
        let of = Some(&budget.argument);
        let free = counter.is_free_in((of, amount), (budget.most, window), now);
        windows.push((of.cloned(), window));
        wait_for(Reason::BudgetSpent, free, &|| {
            let spent = counter.spent_within(of, window, now);
            let window = format_duration(window);
            match spent.checked_add(amount).is_some_and(|sum| sum <= budget.most) {
                true => format!("`{}`: no more can be counted within {window}", budget.argument),
                false => format!(
                    "`{}` sums up to {spent} within the last {window}, {amount} more would pass the budget of {}",
                    budget.argument, budget.most
                ),
            }
        });
    }
    if let Some(rate @ (calls, window)) = limits.rate {
        wait_for(Reason::RateExceeded, counter.rate_is_free_in(rate, now), &|| {
            format!("{calls} calls within the last {}", format_duration(window))
        });
    }
    if let Some(denial) = first {
        return Err(denial);
    }
    let lasting = limits.uses.is_some() || limits.budgets.iter().any(|own| own.within.is_none());
    let (rule, spanning) = (stamp.rule.clone(), stamp.spanning.clone());
    let cost = Cost { rated: limits.rate, lasting, sums, windows, noted: Vec::new() };
    Ok(Charge { rule, spanning, cost, kept: limits.keeps_abandoned })
}

/// What a call adds to a budget.
fn amount(args: &Args, argument: &Fact) -> Result<Number, &'static str> {
    let Fact::Arg(path) = argument else { return Err("is not an argument") };
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

/// Of two limits that deny, the one that frees later; one that never does is later than any.
pub(super) fn later(before: Option<Denial>, denial: Denial) -> Denial {
    let wait = |denial: &Denial| denial.retry_after().unwrap_or(Duration::MAX);
    match before {
        Some(before) if wait(&before) >= wait(&denial) => before,
        _ => denial,
    }
}
