//! Tokens: their text, how holders narrow them and bind them to calls, and how they are verified.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod attenuated_kinds;
mod attenuation;
mod call_bound;
mod ending;
mod format;
mod narrowing_properties;
mod vectors;
mod verifier;
mod verifier_costs;
mod verifier_properties;
