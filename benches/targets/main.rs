//! What is aimed at, and what is reached: `cargo bench -p hallpass-benches --bench targets` prints one table of all of it.
//!
//! Rows of two that are compared are timed in turn, and their ratio is the median over all rounds; other times are those of
//! the round that was disturbed least. Without `--bench` each row is done once, for what it asserts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement: it reads the clock and prints"
)]

mod asking;
mod bytes;
mod calls;
mod gate;
mod measure;
mod rules;
mod secrets;
#[path = "../workload/shapes.rs"]
mod shapes;
#[path = "../workload/mod.rs"]
mod workload;

use std::time::Duration;

use measure::Effort;

#[global_allocator]
static HEAP: bytes::Counting = bytes::Counting;

/// Prints rows.
pub(crate) struct Table {
    full: bool,
}

impl Table {
    fn effort(&self) -> Effort {
        let (rounds, turn) = if self.full { (400, 200) } else { (1, 1) };
        Effort { rounds, turn: Duration::from_micros(turn) }
    }

    /// `large`, or in a run for what is asserted, `small`.
    fn size(&self, large: usize, small: usize) -> usize {
        if self.full { large } else { small }
    }

    /// What is at most to be so much.
    fn row(&self, name: &str, now: f64, most: f64, unit: &str) {
        self.said(name, now, &format!("at most {most}"), unit, now <= most);
    }

    /// What is at least to be so much.
    fn row_at_least(&self, name: &str, now: f64, least: f64, unit: &str) {
        self.said(name, now, &format!("at least {least}"), unit, now >= least);
    }

    /// What nothing is aimed at of.
    fn aside(&self, name: &str, now: f64, unit: &str) {
        println!("| {name} | {} {unit} | | |", number(now));
    }

    fn said(&self, name: &str, now: f64, aim: &str, unit: &str, reached: bool) {
        let reached = if reached { "yes" } else { "no" };
        println!("| {name} | {} {unit} | {aim} {unit} | {reached} |", number(now));
    }
}

/// Prints some of the rows.
type Rows = fn(&Table);

fn number(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

fn main() {
    let table = Table { full: std::env::args().any(|arg| arg == "--bench") };
    println!("| row | now | aim | reached |\n|---|---:|---:|---|");
    let rows: [(&str, Rows); 7] = [
        ("calls", calls::rows),
        ("gate", gate::rows),
        ("secrets", secrets::rows),
        ("asking", asking::time),
        ("rules", rules::rows),
        ("bytes", bytes::rows),
        ("questions", asking::bytes),
    ];
    // Those that are named; all, if none is.
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, print) in rows {
        if named.is_empty() || named.iter().any(|own| own == name) {
            print(&table);
        }
    }
}
