//! The attacks, end to end: over the public API, through broker, request and gate.
//!
//! Each test's doc comment names the attacks it stands for. Attacks on parts alone (the token's
//! bytes, the clock, the chain of the log) have their tables next to those parts; here the whole gate
//! stands in the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod arguments;
mod audit;
mod concurrency;
mod cost;
mod delegation_seeds;
mod denials;
mod derived;
mod doubt;
mod floods;
mod halt;
mod hanging;
mod hooks;
mod hostile_reader;
mod log_changed;
mod log_keys;
mod parsed_again;
mod revocation;
mod rules;
mod strings;
mod task_end;
mod time;
mod token;
mod token_elsewhere;
mod token_text;
mod waiting;
mod waiting_as_future;
mod world;
