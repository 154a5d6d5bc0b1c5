//! Three nodes that are processes of their own, and a server that is one: stopped, killed, cut off, slowed and started anew while
//! they call and act. What is held against them is the reading of each start, and the return of each act:
//! `cargo test -p hallpass-postgres --features fleet --test processes -- --ignored`. `HALLPASS_FLEET_ROUNDS` runs more than ten
//! rounds, `HALLPASS_FLEET_FIRST` from another seed on; the seed of a failure is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "../fleet/database.rs"]
#[allow(dead_code, reason = "shared with the tests of fleets")]
mod database;
mod dice;
mod node;
mod oracle;
mod planted;
mod process;
#[path = "../fleet/proxy.rs"]
#[allow(dead_code, reason = "shared with the tests of fleets")]
mod proxy;
mod round;
#[path = "../real/server.rs"]
#[allow(dead_code, reason = "shared with the tests of roles")]
mod server;
mod wire;

use database::Database;

/// How many rounds there are, and from which seed on.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |said| said.parse().unwrap())
}

/// A test that starts itself again as each of its nodes: not one that the harness runs, in a thread of many.
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("node", rest)) = args.split_first().map(|(first, rest)| (&**first, rest)) {
        return node::run(rest);
    }
    if !args.iter().any(|arg| arg.contains("ignored")) {
        println!("ignored: needs a server of PostgreSQL");
        return;
    }
    let database = Database::start();
    let first = number("HALLPASS_FLEET_FIRST", 1);
    let (mut seen, rounds) = (oracle::Seen::default(), number("HALLPASS_FLEET_ROUNDS", 10));
    for seed in first..first + rounds {
        println!("round of seed {seed}");
        seen.add(round::run(&database, seed));
        println!("{seen:?}");
    }
    // A round in which nothing happened shows nothing.
    seen.check(rounds);
}
