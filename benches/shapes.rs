//! What a decision costs for rules of each shape that people write, with 10, 1,000 and 100,000 of them: permits
//! of which one is met, and forbids of which one or none is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

#[path = "workload/shapes.rs"]
mod shapes;

use std::time::Duration;

use criterion::Criterion;
use shapes::Case;

const SIZES: [usize; 3] = [10, 1000, 100_000];

fn main() {
    let mut c = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(150))
        .without_plots()
        .configure_from_args();
    for shape in shapes::shapes().iter().chain(&shapes::shapes_of_permits()) {
        SIZES.iter().for_each(|size| bench(&mut c, &shapes::permits(shape, *size)));
    }
    for shape in &shapes::shapes() {
        for size in SIZES {
            shapes::forbids(shape, size).iter().for_each(|case| bench(&mut c, case));
        }
    }
    for shape in &shapes::linear() {
        SIZES[..2].iter().for_each(|size| bench(&mut c, &shapes::permits(shape, *size)));
    }
    for size in SIZES {
        bench(&mut c, &shapes::unknown(size));
    }
    for size in [8, 500, 1000] {
        shapes::many_groups(size).iter().for_each(|case| bench(&mut c, case));
    }
    c.final_summary();
}

fn bench(c: &mut Criterion, case: &Case) {
    let mut at = 0;
    c.bench_function(&case.name, |b| {
        b.iter(|| {
            at += 1;
            case.ask(at)
        });
    });
}
