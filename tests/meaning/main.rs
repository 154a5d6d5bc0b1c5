//! What constraints mean, told as situations: a policy, what is asked for, and the calls that follow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod asking;
mod comparing;
mod excepting;
mod excepting_inside;
mod overlapping;
mod placing;
mod reading;
mod referring;
mod situation;
mod typing;
