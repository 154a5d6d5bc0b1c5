//! What others take for W1 to W4, in one run with hallpass: `cargo bench --manifest-path benches/peers/Cargo.toml`.
//!
//! Each is used as its documentation advises, with what it can build once built once. What is timed begins where the
//! host holds the credential as the text that came over the wire and the call as values of its own, and ends at a
//! yes or a no. Every case is asserted before it is timed. What a row does more or less than the rows
//! next to it is said in the file of its contender, and in `README.md`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a bench")]

mod biscuits;
mod cases;
mod cedar;
mod enforcer;
mod jwts;
mod macaroons;
mod ours;
mod rego;
mod stack;
mod warrants;
#[path = "../workload/mod.rs"]
mod workload;

fn main() {
    let mut c = workload::criterion();
    workload::floor(&mut c);
    ours::credential(&mut c);
    jwts::credential(&mut c);
    macaroons::credential(&mut c);
    biscuits::credential(&mut c);
    warrants::credential(&mut c);
    for size in [10, 100, 1000, 10_000] {
        ours::decision(&mut c, size);
        cedar::decision(&mut c, size);
        rego::decision(&mut c, size);
        enforcer::decision(&mut c, size);
    }
    for size in [10, 100] {
        ours::gated(&mut c, size);
        stack::gated(&mut c, size);
    }
    c.final_summary();
}
