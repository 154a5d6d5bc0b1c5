//! A shared counter against the counter of one process.

use std::sync::Arc;

use super::*;
use crate::grant::{Counters, Reservation, SpanningCounters, Stamp};
use crate::policy::Limits;
use crate::value::Number;

const KEEP: Duration = Duration::from_secs(60);

fn at(second: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_767_225_600_000 + 1_000 * second as i64).unwrap()
}

fn stamp(counters: &SpanningCounters, limits: Limits) -> Stamp {
    let rule: Arc<str> = "rule".into();
    let spanning = Some(counters.of("ada", &rule));
    Stamp { rule, limits: Arc::new(limits), spanning }
}

fn of_uses(uses: u64) -> Limits {
    Limits { uses: Some(uses), per_identity: true, ..Limits::default() }
}

fn args(amount: u64) -> Args {
    crate::Call::new("t", serde_json::json!({ "amount": amount })).unwrap().args().clone()
}

/// As a store has it: written, and read by the next.
fn stored(counter: &SharedCounter) -> SharedCounter {
    let text = serde_json::to_string(counter).unwrap();
    let read: SharedCounter = serde_json::from_str(&text).unwrap();
    assert_eq!(read, *counter);
    read
}

struct Held {
    demand: SharedDemand,
    counter: SharedCounter,
    waiting: Arc<WaitingReturns>,
}

impl Held {
    fn of(stamp: &Stamp) -> Held {
        let demand = SharedDemand::of([stamp].into_iter()).unwrap();
        Held { demand, counter: SharedCounter::new(), waiting: Arc::default() }
    }

    fn charge(&mut self, id: u8, amount: u64, now: Timestamp) -> Result<SharedCharge, Denial> {
        self.counter = stored(&self.counter);
        self.counter.pass_to(now);
        let counters = vec![self.counter.clone()];
        let mut all = SharedCounters { demand: &self.demand, counters };
        let charged = all.charge([id; 16], &args(amount), KEEP, &self.waiting);
        self.counter = all.counters.remove(0);
        charged
    }

    /// Takes what became of charges.
    fn settle(&mut self) {
        for own in self.waiting.take_next() {
            self.counter.take(&own, KEEP);
        }
    }
}

#[test]
fn it_counts_as_the_counter_of_one_process_does() {
    let second = Duration::from_secs(1);
    let mut budgets = Limits::default();
    budgets.add_budget("args.amount", Some(Number::from(50)), None);
    budgets.add_budget("args.amount", Some(Number::from(12)), Some(6 * second));
    let all = [
        of_uses(9),
        Limits { uses_within: Some((3, 7 * second)), ..of_uses(40) },
        Limits { rate: Some((2, 5 * second)), keeps_abandoned: true, ..Limits::default() },
        budgets,
    ];
    for (seed, limits) in (1..40_u64).flat_map(|seed| all.iter().map(move |own| (seed, own))) {
        let counters = SpanningCounters::new();
        let stamp = stamp(&counters, Limits { per_identity: true, ..limits.clone() });
        let (mut shared, mut own) = (Held::of(&stamp), Counters::default());
        let mut open: Vec<(SharedCharge, Reservation)> = Vec::new();
        let mut drawn = seed;
        let mut draw = |below: u64| {
            drawn = drawn
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (drawn >> 33) % below
        };
        let mut now = 0;
        for id in 0..60 {
            // Less than what a charge is known for.
            now += u64::from(now < 50 && draw(2) == 0);
            let (amount, never_starts) = (draw(6), draw(3) == 0);
            let there = shared.charge(id, amount, at(now));
            let here = own.reserve([&stamp].into_iter(), &args(amount), at(now));
            let told = |denial: &Denial| {
                (denial.reason(), denial.retry_after(), denial.explain().to_string())
            };
            match (there, here) {
                (Ok(there), Ok(here)) => open.push((there, here)),
                (Err(there), Err(here)) => assert_eq!(told(&there), told(&here)),
                (there, here) => panic!("{seed}: {there:?} and {here:?}"),
            }
            if never_starts && !open.is_empty() {
                let (there, here) = open.swap_remove(draw(open.len() as u64) as usize);
                there.refund();
                own.refund(&here);
                shared.settle();
            }
        }
    }
}

#[test]
fn a_charge_that_is_repeated_counts_once_and_comes_back_once() {
    let counters = SpanningCounters::new();
    let mut held = Held::of(&stamp(&counters, of_uses(2)));
    let first = held.charge(1, 0, at(0)).unwrap();
    let again = held.charge(1, 0, at(1)).unwrap();
    assert_eq!(held.counter.used(), 1);
    held.charge(2, 0, at(1)).unwrap().settle();
    for charge in [&first, &again, &first] {
        charge.undo();
        held.settle();
        assert_eq!(held.counter.used(), 1);
    }
    assert!(held.charge(1, 0, at(2)).is_err(), "it was given up");
    assert!(held.charge(3, 0, at(2)).is_ok());
}

#[test]
fn a_charge_that_was_given_up_before_it_came_is_not_counted() {
    let counters = SpanningCounters::new();
    let mut held = Held::of(&stamp(&counters, of_uses(2)));
    held.counter.pass_to(at(0));
    for own in Return::of_given_up([7; 16], &held.demand) {
        held.counter.take(&own, KEEP);
    }
    assert_eq!(held.charge(7, 0, at(1)).unwrap_err().reason(), Reason::LimitUnknown);
    assert_eq!(held.counter.used(), 0);
    assert!(!held.counter.is_empty());
    held.counter.pass_to(at(60));
    assert!(held.counter.is_empty());
}

#[test]
fn its_time_only_goes_on_and_what_it_knows_it_forgets_after_a_while() {
    let counters = SpanningCounters::new();
    let limits = Limits { uses_within: Some((1, Duration::from_secs(9))), ..Limits::default() };
    let mut held = Held::of(&stamp(&counters, Limits { per_identity: true, ..limits }));
    let charge = held.charge(1, 0, at(100)).unwrap();
    // The store's clock was set back: no window begins anew.
    assert_eq!(held.charge(2, 0, at(3)).unwrap_err().retry_after(), Some(Duration::from_secs(9)));
    assert_eq!(held.counter.past_from(), Some(at(160)));
    held.counter.pass_to(at(160));
    charge.undo();
    let used = held.counter.used();
    held.settle();
    assert_eq!(held.counter.used(), used, "it does not know the charge any more");
}

#[test]
fn a_counter_knows_a_bounded_number_of_charges() {
    let counters = SpanningCounters::new();
    let mut held = Held::of(&stamp(&counters, of_uses(9)));
    for own in 0..MOST_KNOWN + 5 {
        held.counter.know([(own % 251) as u8; 16], None, KEEP);
    }
    assert_eq!(held.counter.known.len(), MOST_KNOWN);
}
