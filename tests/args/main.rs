//! The arguments of a call: values, numbers, and arguments to which the catalogue gives a type.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod byte_forms;
mod document;
mod numbers;
mod typed;
#[cfg(feature = "url")]
mod urls;
mod values;
