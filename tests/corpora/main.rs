//! Published corpora of other projects, put to the crate as a host would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod agentdojo;
mod approval_profile;
mod authzen;
mod base64;
mod bfcl;
mod cedar;
mod json;
mod mcp_tools;
mod spiffe;
mod tau2;
