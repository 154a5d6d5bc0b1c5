//! The promises, and how many tests stand for each: those that name it, or an attack that would break it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    reason = "a test that prints, and modules of which it uses a part"
)]

mod files;
mod found;
mod page;

use std::collections::BTreeMap;
use std::process::ExitCode;

const PROMISES: [&str; 12] = [
    "Nothing by default",
    "Nothing left behind",
    "A grant never exceeds the policy",
    "A child never exceeds its parent",
    "Forbid beats ask beats permit",
    "No one approves themselves",
    "Renewal is a fresh decision",
    "The agent never holds the secret",
    "Recorded or refused",
    "Doubt denies",
    "An end that has returned is final",
    "A captured call is worth one call",
];

fn main() -> ExitCode {
    let by_attack: BTreeMap<u32, u32> =
        page::listed().iter().map(|attack| (attack.number, attack.promise)).collect();
    let mut stand = BTreeMap::<u32, usize>::new();
    let mut tests = 0;
    for test in found::tests() {
        let mut promises = test.promises;
        promises.extend(test.attacks.iter().filter_map(|attack| by_attack.get(attack)));
        for promise in promises {
            *stand.entry(promise).or_default() += 1;
        }
        tests += 1;
    }
    let standing = |promise: u32| stand.get(&promise).copied().unwrap_or(0);

    println!(
        "\nWhat is promised, and how many of {tests} tests stand for it (SECURITY.md, docs/attacks.md)\n"
    );
    for (number, promise) in (1..).zip(PROMISES) {
        println!("  P{number:<3}{promise:<36}{:>4} tests", standing(number));
    }
    println!();
    let bare: Vec<u32> = (1..=12).filter(|number| standing(*number) == 0).collect();
    if bare.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("no test stands for promise {bare:?}");
    ExitCode::FAILURE
}
