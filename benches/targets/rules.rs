//! Decisions under many rules, of each shape.

use crate::Table;
use crate::measure::whole;
use crate::shapes::{self, Case};

/// What asking once takes, and the name of the case, of that one of which it takes longest.
struct Worst(f64, String);

impl Worst {
    fn of(self, time: f64, name: &str) -> Self {
        if time > self.0 { Worst(time, name.to_owned()) } else { self }
    }
}

pub(crate) fn rows(table: &Table) {
    let (few, many) = (10, table.size(100_000, 1000));
    let (mut dearest, mut steepest) = (Worst(0.0, String::new()), Worst(0.0, String::new()));
    let permits = shapes::shapes().into_iter().chain(shapes::shapes_of_permits());
    let mut compare = |at_few: &Case, at_many: &Case| {
        let (time, ratio) = of_both(table, at_few, at_many);
        let (mut worst, mut steep) = (Worst(0.0, String::new()), Worst(0.0, String::new()));
        std::mem::swap(&mut worst, &mut dearest);
        std::mem::swap(&mut steep, &mut steepest);
        dearest = worst.of(time, &at_many.name);
        steepest = steep.of(ratio, &at_many.name);
    };
    for shape in permits {
        compare(&shapes::permits(&shape, few), &shapes::permits(&shape, many));
    }
    for shape in shapes::shapes() {
        let (at_few, at_many) = (shapes::forbids(&shape, few), shapes::forbids(&shape, many));
        at_few.iter().zip(&at_many).for_each(|(few, many)| compare(few, many));
    }
    table.row(&format!("the dearest shape: `{}`", dearest.1), dearest.0, 600.0, "ns");
    let name = format!("÷ the same with 10 rules, the steepest: `{}`", steepest.1);
    table.row(&name, steepest.0, 3.0, "×");
    let [met, not_met] = shapes::many_groups(table.size(500, 50));
    let (met, _) = of_both(table, &met, &met);
    let (not_met, _) = of_both(table, &not_met, &not_met);
    table.row("500 groups, `has_any` of 500", met.max(not_met) / 1000.0, 10.0, "µs");
    let size = table.size(1000, 100);
    for shape in shapes::linear() {
        let case = shapes::permits(&shape, size);
        let (time, _) = of_both(table, &case, &case);
        let name = format!("rules that select nothing, each: `{}`", shape.name);
        table.row(&name, time / size as f64, 60.0, "ns");
    }
    let case = shapes::unknown(size);
    let (time, _) = of_both(table, &case, &case);
    table.aside("forbids whose fact is left unknown, each", time / size as f64, "ns");
}

/// Nanoseconds of the one with many rules, and the ratio.
fn of_both(table: &Table, few: &Case, many: &Case) -> (f64, f64) {
    let (mut at_few, mut at_many) = (0, 0);
    let mut effort = table.effort();
    effort.rounds = effort.rounds.div_ceil(4);
    let rounds = effort.in_turn([
        &mut whole(|| {
            at_few += 1;
            assert!(few.ask(at_few));
        }),
        &mut whole(|| {
            at_many += 1;
            assert!(many.ask(at_many));
        }),
    ]);
    (rounds.fastest(1), rounds.ratio(1, 0))
}
