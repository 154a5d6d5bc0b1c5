//! Policies and scopes as documents: what loads, what is refused and where, and what is warned about.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod approval;
mod break_glass;
mod cookbook;
#[cfg(feature = "zones")]
mod devops;
mod digest;
mod doc;
mod lint;
mod lint_reach;
mod lint_values;
mod newcomers;
mod newcomers_warned;
mod orders;
mod remedies;
mod scope_text;
mod strict;
mod text;
mod written;
mod zones;
