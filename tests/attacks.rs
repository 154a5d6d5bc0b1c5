//! The attacks, end to end: over the public API, through broker, request and gate.
//!
//! Each test's doc comment names the attacks it stands for. Attacks on parts alone (the token's
//! bytes, the clock, the chain of the log) have their tables beside those parts; here the whole gate
//! stands in the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "attacks/audit.rs"]
mod audit;
#[path = "attacks/concurrency.rs"]
mod concurrency;
#[path = "attacks/delegation_seeds.rs"]
mod delegation_seeds;
#[path = "attacks/denials.rs"]
mod denials;
#[path = "attacks/halt.rs"]
mod halt;
#[path = "attacks/hooks.rs"]
mod hooks;
#[path = "attacks/parsed_again.rs"]
mod parsed_again;
#[path = "attacks/revocation.rs"]
mod revocation;
#[path = "attacks/rules.rs"]
mod rules;
#[path = "attacks/strings.rs"]
mod strings;
#[path = "attacks/time.rs"]
mod time;
#[path = "attacks/token.rs"]
mod token;
#[path = "attacks/world.rs"]
mod world;
