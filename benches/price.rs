//! What questions cost that were once dear: processor time, and bytes allocated. Printed, and nothing fails.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a bench")]

#[path = "../src/meter/rows.rs"]
#[allow(dead_code, reason = "what the tests of the crate compare with")]
mod rows;

use std::alloc::System;
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

// `rows` names the crate so, as the crate's own tests do.
use ::hallpass;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The same each time: the quickest is the one that was disturbed least.
const TIMES: usize = 5;

fn main() {
    println!("{:55} {:>10} {:>12} {:>12}", "", "us", "allocated", "answer");
    for mut row in rows::rows() {
        let region = Region::new(ALLOCATOR);
        let answer = (row.ask)();
        let allocated = region.change().bytes_allocated;
        let time = (0..TIMES).map(|_| time_of(&mut row.ask)).min().unwrap_or_default();
        let answer =
            answer.err().map_or("permitted".to_owned(), |denial| denial.reason().to_string());
        println!("{:55} {:>10} {allocated:>12} {answer:>12}", row.name, time.as_micros());
    }
}

fn time_of<R>(ask: &mut impl FnMut() -> R) -> Duration {
    let before = Instant::now();
    let answer = ask();
    let time = before.elapsed();
    drop(answer);
    time
}
